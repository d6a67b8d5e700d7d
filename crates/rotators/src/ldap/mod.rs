//! LDAP directories: the password of an entry, by the Password Modify operation (RFC 3062).

pub(crate) mod link;
mod ppolicy;

use latchkey_rotation::{Class, Failure};
use ldap3::exop::PasswordModify;
use ldap3::{LdapResult, dn_escape};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::config::{self, ConfigError};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use link::{Fault, Link, Target};
use ppolicy::Reason;

const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";

/// Where a directory is, and who changes passwords there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `ldaps://host[:port]`, or `ldap://host[:port]` for StartTLS.
    pub url: String,
    /// StartTLS on `ldap://`; yes if it is not named, except on this machine.
    pub starttls: Option<bool>,
    /// The authority of the server's certificate in PEM, if this machine does not trust it.
    pub ca_pem: Option<String>,
    /// The DN that changes others' passwords. Without one, an entry changes its own.
    pub admin: Option<String>,
    /// Where logins stand, as `uid={login},ou=people,dc=corp,dc=example`; without it an account's login is
    /// its DN.
    pub user_dn: Option<String>,
    /// How long each step may take.
    pub timeout_seconds: Option<u64>,
}

/// The connector.
#[derive(Debug)]
pub struct Ldap {
    target: Target,
    admin: Option<(String, SecretString)>,
    user_dn: Option<String>,
}

impl Ldap {
    /// A connector as configured; `password` is the admin DN's.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn from_config(config: &Value, password: Option<SecretString>) -> Result<Self, ConfigError> {
        let config: Config = config::read(config)?;
        if config.user_dn.as_ref().is_some_and(|template| template.matches("{login}").count() != 1) {
            return Err(ConfigError::new(
                "user_dn",
                "must hold {login} once, as uid={login},ou=people,dc=corp",
            ));
        }
        Ok(Self {
            target: Target::new(
                &config.url,
                config.starttls,
                config.ca_pem.as_deref(),
                config.timeout_seconds,
                true,
            )?,
            admin: config::admin(config.admin, password)?,
            user_dn: config.user_dn,
        })
    }

    fn dn(&self, username: &str) -> String {
        match &self.user_dn {
            Some(template) => template.replace("{login}", &dn_escape(username)),
            None => username.to_owned(),
        }
    }

    /// A session that may change the password: the admin's, else the entry's own.
    async fn changing(&self, dn: &str, old: Option<&SecretString>) -> Result<Link, Failure> {
        let (login, password, own) = match (&self.admin, old) {
            (Some((admin, password)), _) => (admin.as_str(), password, false),
            (None, Some(old)) if !old.expose_secret().is_empty() => (dn, old, true),
            _ => {
                return Err(self.needs_person(&format!(
                    "without an admin login the password of {dn:?} is changed with the old one, which is not known; \
                     configure an admin login"
                )));
            }
        };
        let failed = |fault: Fault| {
            let mut failure =
                fault.nothing_changed(&self.target, &format!("{login:?} cannot log in"), &[password]);
            if own && failure.class == Class::Auth {
                failure.class = Class::NeedsPerson;
            }
            failure
        };
        let mut link = Link::open(&self.target).await.map_err(failed)?;
        link.bind(login, password).await.map_err(failed)?;
        Ok(link)
    }

    fn needs_person(&self, says: &str) -> Failure {
        Failure::not_applied(Class::NeedsPerson, format!("{}: {says}", self.target))
    }

    fn refused_change(&self, fault: &Fault, dn: &str, secrets: &[&SecretString]) -> Failure {
        let words = fault.words(secrets.iter().copied());
        let says = |what: &str| format!("{}: the password of {dn:?} {what}: {words}", self.target);
        let result = match fault {
            Fault::Lost(_) => {
                return Failure::unknown(Class::Transient, says("may or may not have been changed"));
            }
            Fault::NotSent(_) | Fault::Tls(_) => {
                return Failure::not_applied(Class::Transient, says("was not changed"));
            }
            Fault::Answer(result) => result,
        };
        if let Some(reason) = ppolicy::reason(result) {
            let class = match reason {
                Reason::InsufficientPasswordQuality
                | Reason::PasswordTooShort
                | Reason::PasswordTooYoung
                | Reason::PasswordInHistory
                | Reason::PasswordTooLong => Class::Policy,
                _ => Class::NeedsPerson,
            };
            return Failure::not_applied(class, says(&format!("was not changed, since {}", reason.words())));
        }
        let (class, what) = match result.rc {
            19 => (Class::Policy, "was not changed, since the directory's policy refuses the new one"),
            50 => (
                Class::NeedsPerson,
                "was not changed, since the admin login may not; let it write userPassword",
            ),
            32 => (Class::NeedsPerson, "was not changed, since there is no such entry"),
            10 => (
                Class::NeedsPerson,
                "was not changed, since this is a replica; name the server that it refers to",
            ),
            8 | 13 => (Class::NeedsPerson, "was not changed, since the directory wants TLS for it"),
            2 => {
                (Class::NeedsPerson, "was not changed, since the directory has no Password Modify (RFC 3062)")
            }
            3 | 51 | 52 => (Class::Transient, "was not changed"),
            // "Other" says that something broke inside, at whatever point.
            1 | 80 => return Failure::unknown(Class::Transient, says("may or may not have been changed")),
            _ => (Class::NeedsPerson, "was not changed"),
        };
        Failure::not_applied(class, says(what))
    }
}

impl Rotate for Ldap {
    fn abilities(&self) -> Abilities {
        Abilities { by_admin: self.admin.is_some(), ends_sessions: false, proves_refusal: true }
    }

    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        let dn = self.dn(username);
        let failed =
            |fault: Fault| fault.nothing_changed(&self.target, "the directory could not be looked at", &[]);
        let mut link = match &self.admin {
            Some(_) => self.changing(&dn, None).await?,
            None => Link::open(&self.target).await.map_err(failed)?,
        };
        let root =
            link.entry("", &["supportedExtension", "vendorName", "vendorVersion"]).await.map_err(failed)?;
        let attributes = root.map(|root| root.attrs).unwrap_or_default();
        let first = |name: &str| attributes.get(name).and_then(|values| values.first().cloned());
        let mut warnings = Vec::new();
        match attributes.get("supportedExtension") {
            Some(known) if !known.iter().any(|oid| oid == PASSWORD_MODIFY) => {
                return Err(self.needs_person("the directory has no Password Modify operation (RFC 3062)"));
            }
            Some(_) => {}
            None => warnings
                .push("the directory does not say what it can do, so Password Modify is a guess".to_owned()),
        }
        if self.admin.is_some() {
            let entry = link.entry(&dn, &["pwdAccountLockedTime"]).await.map_err(failed)?;
            let Some(entry) = entry else {
                return Err(self.needs_person(&format!(
                    "there is no entry {dn:?} that the admin login may see; check the account's login name"
                )));
            };
            if entry.attrs.contains_key("pwdAccountLockedTime") {
                warnings.push(format!("{dn:?} is locked, so no password can be proved; unlock it there"));
            }
        }
        let target = match (first("vendorName"), first("vendorVersion")) {
            (Some(vendor), Some(version)) => format!("{vendor} {version}"),
            (Some(vendor), None) => vendor,
            _ => "LDAP directory".to_owned(),
        };
        Ok(Probe { target, warnings })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let Attempt { username, old, new, .. } = *attempt;
        if new.expose_secret().is_empty() {
            // Without a new one the directory would make one up.
            return Err(Failure::not_applied(
                Class::Policy,
                format!("{}: an empty password is none", self.target),
            ));
        }
        let dn = self.dn(username);
        let mut link = self.changing(&dn, old).await?;
        // An admin does not name the old one, which may be out of date; who changes their own does.
        let old_pass = if self.admin.is_some() { None } else { old.map(ExposeSecret::expose_secret) };
        let request = PasswordModify { user_id: Some(&dn), old_pass, new_pass: Some(new.expose_secret()) };
        let answer = link
            .ask(async |ldap| {
                ldap.with_controls(ppolicy::request());
                Ok(ldap.extended(request).await?.1)
            })
            .await;
        let answer = match answer {
            Ok(LdapResult { rc: 0, .. }) => {
                return Ok(Receipt { method: "Password Modify (RFC 3062)".to_owned() });
            }
            Ok(answer) => Fault::Answer(answer),
            Err(fault) => fault,
        };
        let admin = self.admin.as_ref().map(|(_, password)| password);
        let secrets: Vec<_> = [new].into_iter().chain(old).chain(admin).collect();
        Err(self.refused_change(&answer, &dn, &secrets))
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        if secret.expose_secret().is_empty() {
            // A bind without a password succeeds, as nobody.
            return Ok(Verdict::Refused);
        }
        let dn = self.dn(username);
        let failed = |fault: Fault| {
            fault.nothing_changed(&self.target, &format!("the login of {dn:?} could not be tried"), &[secret])
        };
        let mut link = Link::open(&self.target).await.map_err(failed)?;
        match link.bind(&dn, secret).await {
            Ok(_) => Ok(Verdict::Works),
            Err(Fault::Answer(result)) => match (ppolicy::reason(&result), result.rc) {
                (Some(reason), _) => {
                    Err(self.needs_person(&format!("{dn:?} cannot log in: {}", reason.words())))
                }
                (None, 49) => Ok(Verdict::Refused),
                (None, 32 | 34) => {
                    Err(self.needs_person(&format!("{dn:?} is no entry; check the account's login name")))
                }
                (None, 19) => Err(self.needs_person(&format!(
                    "{dn:?} cannot log in: {}; it may be locked after failed logins",
                    Fault::Answer(result).words([secret])
                ))),
                _ => Err(failed(Fault::Answer(result))),
            },
            Err(fault) => Err(failed(fault)),
        }
    }

    async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
        Err(self.needs_person(&format!("a directory cannot end the sessions of {username:?}")))
    }
}
