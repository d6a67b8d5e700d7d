//! Active Directory: `unicodePwd`, over TLS only.

mod codes;

use std::collections::HashSet;

use latchkey_rotation::{Class, Failure};
use ldap3::controls::RawControl;
use ldap3::{LdapResult, Mod, Scope, SearchEntry, ldap_escape};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::config::{self, ConfigError};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use crate::ldap::link::{Fault, Link, Target};
use codes::{Change, Login};

/// Lets a reset mind the history and age that it would pass over (LDAP_SERVER_POLICY_HINTS).
const POLICY_HINTS: &str = "1.2.840.113556.1.4.2239";
/// The longest that a domain controller takes.
const LONGEST: usize = 256;

/// Where a domain controller is, and who changes passwords there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `ldaps://host[:port]`, or `ldap://host[:port]` for StartTLS.
    pub url: String,
    /// The authority of the server's certificate in PEM, if this machine does not trust it.
    pub ca_pem: Option<String>,
    /// The login that resets others' passwords, as `svc-rotate@corp.example`, `CORP\svc-rotate` or a DN.
    /// Without one, a login changes its own.
    pub admin: Option<String>,
    /// Where logins are looked for; the whole domain if it is not named.
    pub base_dn: Option<String>,
    /// Whether a reset, too, has to keep the domain's history and minimum age.
    #[serde(default)]
    pub mind_history: bool,
    /// How long each step may take.
    pub timeout_seconds: Option<u64>,
}

/// The connector.
#[derive(Debug)]
pub struct ActiveDirectory {
    target: Target,
    admin: Option<(String, SecretString)>,
    base_dn: Option<String>,
    mind_history: bool,
}

impl ActiveDirectory {
    /// A connector as configured; `password` is the admin login's.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn from_config(config: &Value, password: Option<SecretString>) -> Result<Self, ConfigError> {
        let config: Config = config::read(config)?;
        let ca_pem = config.ca_pem.as_deref();
        Ok(Self {
            target: Target::new(&config.url, None, ca_pem, config.timeout_seconds, false)?,
            admin: config::admin(config.admin, password)?,
            base_dn: config.base_dn,
            mind_history: config.mind_history,
        })
    }

    fn needs_person(&self, says: &str) -> Failure {
        Failure::not_applied(Class::NeedsPerson, format!("{}: {says}", self.target))
    }

    /// A bound session. A refusal of the admin login is of class auth; of the login itself, of class "needs a
    /// person".
    async fn session(&self, login: &str, password: &SecretString, admin: bool) -> Result<Link, Failure> {
        let what = format!("{login:?} cannot log in");
        let mut link = Link::open(&self.target)
            .await
            .map_err(|fault| fault.nothing_changed(&self.target, &what, &[password]))?;
        link.bind(login, password).await.map_err(|fault| {
            let mut failure = fault.nothing_changed(&self.target, &what, &[password]);
            if let Fault::Answer(result) = &fault
                && let Some(Login::Barred(why)) = codes::login(&result.text)
            {
                failure = self.needs_person(&format!("{what}: {why}"));
                failure.class = Class::Auth;
            }
            if !admin && failure.class == Class::Auth {
                failure.class = Class::NeedsPerson;
            }
            failure
        })?;
        Ok(link)
    }

    /// Under the admin login, or under the login itself with the old password.
    async fn changing(&self, username: &str, old: Option<&SecretString>) -> Result<Link, Failure> {
        match (&self.admin, old) {
            (Some((admin, password)), _) => self.session(admin, password, true).await,
            (None, Some(old)) if !old.expose_secret().is_empty() => self.session(username, old, false).await,
            _ => Err(self.needs_person(&format!(
                "without an admin login the password of {username:?} is changed with the old one, which is not known; \
                 configure an admin login"
            ))),
        }
    }

    /// The entry of a login, which may be given as DN, `user@domain`, `DOMAIN\user` or account name.
    async fn find(&self, link: &mut Link, username: &str) -> Result<SearchEntry, Failure> {
        const ATTRIBUTES: [&str; 3] = ["userAccountControl", "lockoutTime", "distinguishedName"];
        let failed = |fault: Fault| {
            fault.nothing_changed(&self.target, &format!("{username:?} could not be looked up"), &[])
        };
        let missing = || {
            self.needs_person(&format!(
                "there is no login {username:?} that may be seen; check the account's login name and `base_dn`"
            ))
        };
        if is_dn(username) {
            return link.entry(username, &ATTRIBUTES).await.map_err(failed)?.ok_or_else(missing);
        }
        let base = match &self.base_dn {
            Some(base) => base.clone(),
            None => {
                let root = link.entry("", &["defaultNamingContext"]).await.map_err(failed)?;
                let context = root.and_then(|root| root.attrs.get("defaultNamingContext")?.first().cloned());
                context.ok_or_else(|| {
                    self.needs_person("the directory does not name its domain; give `base_dn`")
                })?
            }
        };
        let name = username.rsplit_once('\\').map_or(username, |(_, name)| name);
        let name = ldap_escape(name);
        let filter = format!("(&(objectClass=user)(|(sAMAccountName={name})(userPrincipalName={name})))");
        let found = link
            .ask(async |ldap| ldap.search(&base, Scope::Subtree, &filter, ATTRIBUTES).await)
            .await
            .map_err(failed)?;
        if ![0, 4].contains(&found.1.rc) {
            return Err(failed(Fault::Answer(found.1)));
        }
        let mut entries = found.0.into_iter().filter(|entry| !entry.is_ref()).map(SearchEntry::construct);
        match (entries.next(), entries.next()) {
            (Some(entry), None) => Ok(entry),
            (None, _) => Err(missing()),
            (Some(_), Some(_)) => Err(self
                .needs_person(&format!("{username:?} is more than one login; give its DN or user@domain"))),
        }
    }

    fn refused_change(&self, fault: &Fault, username: &str, secrets: &[&SecretString]) -> Failure {
        let words = fault.words(secrets.iter().copied());
        let says = |what: &str| format!("{}: the password of {username:?} {what}: {words}", self.target);
        let result = match fault {
            Fault::Lost(_) => {
                return Failure::unknown(Class::Transient, says("may or may not have been changed"));
            }
            Fault::NotSent(_) | Fault::Tls(_) => {
                return Failure::not_applied(Class::Transient, says("was not changed"));
            }
            Fault::Answer(result) => result,
        };
        let (class, what) = match (codes::change(&result.text), result.rc) {
            (Some(Change::Rules), _) => (
                Class::Policy,
                "was not changed, since the domain's rules refuse the new one: its length, its classes of characters, \
                 the history, or that the last own change is younger than the minimum age (one day by default)",
            ),
            (Some(Change::OldIsWrong), _) => {
                (Class::NeedsPerson, "was not changed, since the old one is wrong")
            }
            (Some(Change::NotEncrypted), _) => {
                (Class::NeedsPerson, "was not changed, since the domain controller wants better encryption")
            }
            (Some(Change::NotAllowed), _) | (None, 50) => (
                Class::NeedsPerson,
                "was not changed, since the admin login may not; delegate `Reset password` on the login to it",
            ),
            (None, 19) => (Class::Policy, "was not changed, since the domain's rules refuse the new one"),
            (None, 32) => (Class::NeedsPerson, "was not changed, since there is no such login"),
            (None, 10) => {
                (Class::NeedsPerson, "was not changed, since another domain keeps it; name its controller")
            }
            (None, 3 | 51 | 52) => (Class::Transient, "was not changed"),
            (None, 1 | 80) => {
                return Failure::unknown(Class::Transient, says("may or may not have been changed"));
            }
            (None, _) => (Class::NeedsPerson, "was not changed"),
        };
        Failure::not_applied(class, says(what))
    }
}

impl Rotate for ActiveDirectory {
    fn abilities(&self) -> Abilities {
        Abilities { by_admin: self.admin.is_some(), ends_sessions: false, proves_refusal: true }
    }

    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        const CONTROLS: [&str; 2] = ["supportedControl", "dnsHostName"];
        let failed =
            |fault: Fault| fault.nothing_changed(&self.target, "the directory could not be looked at", &[]);
        let mut link = match &self.admin {
            Some(_) => self.changing(username, None).await?,
            None => Link::open(&self.target).await.map_err(failed)?,
        };
        let root = link.entry("", &CONTROLS).await.map_err(failed)?;
        let attributes = root.map(|root| root.attrs).unwrap_or_default();
        let mut warnings = Vec::new();
        let knows_hints = attributes
            .get("supportedControl")
            .is_some_and(|known| known.iter().any(|oid| oid == POLICY_HINTS));
        if self.mind_history && self.admin.is_some() && !knows_hints {
            warnings
                .push("the domain controller cannot mind the history in a reset (`mind_history`)".to_owned());
        }
        if self.admin.is_some() {
            let entry = self.find(&mut link, username).await?;
            let number = |name: &str| {
                entry.attrs.get(name).and_then(|values| values.first()?.parse::<i64>().ok()).unwrap_or(0)
            };
            if number("userAccountControl") & 0x2 != 0 {
                warnings.push(format!("{username:?} is disabled, so no password can be proved"));
            }
            if number("lockoutTime") != 0 {
                warnings.push(format!("{username:?} is or was locked after failed logins; unlock it there"));
            }
        }
        let host = attributes.get("dnsHostName").and_then(|values| values.first().cloned());
        Ok(Probe {
            target: host.map_or("Active Directory".to_owned(), |host| format!("Active Directory ({host})")),
            warnings,
        })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let Attempt { username, old, new, .. } = *attempt;
        let length = new.expose_secret().encode_utf16().count();
        if length == 0 || length > LONGEST {
            return Err(Failure::not_applied(
                Class::Policy,
                format!("{}: a password has 1 to {LONGEST} characters", self.target),
            ));
        }
        let mut link = self.changing(username, old).await?;
        let dn = self.find(&mut link, username).await?.dn;
        let value = |password: &SecretString| HashSet::from([unicode_pwd(password).to_vec()]);
        let attribute = || b"unicodePwd".to_vec();
        let own_old = if self.admin.is_some() { None } else { old };
        let (changes, method) = match own_old {
            None => (vec![Mod::Replace(attribute(), value(new))], "reset of unicodePwd by the admin login"),
            Some(old) => (
                vec![Mod::Delete(attribute(), value(old)), Mod::Add(attribute(), value(new))],
                "own change of unicodePwd with the old password",
            ),
        };
        let minds = self.mind_history && self.admin.is_some();
        let answer = link
            .ask(async |ldap| {
                if minds {
                    // SEQUENCE { INTEGER 1 }
                    let val = Some(vec![0x30, 0x03, 0x02, 0x01, 0x01]);
                    ldap.with_controls(RawControl { ctype: POLICY_HINTS.to_owned(), crit: false, val });
                }
                ldap.modify(&dn, changes).await
            })
            .await;
        let answer = match answer {
            Ok(LdapResult { rc: 0, .. }) => return Ok(Receipt { method: method.to_owned() }),
            Ok(answer) => Fault::Answer(answer),
            Err(fault) => fault,
        };
        let admin = self.admin.as_ref().map(|(_, password)| password);
        let secrets: Vec<_> = [new].into_iter().chain(old).chain(admin).collect();
        Err(self.refused_change(&answer, username, &secrets))
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        if secret.expose_secret().is_empty() {
            // A bind without a password succeeds, as nobody.
            return Ok(Verdict::Refused);
        }
        // A bare account name is no name to bind with.
        let bare = !is_dn(username) && !username.contains(['@', '\\']);
        let login = match &self.admin {
            Some(_) if bare => {
                let mut link = self.changing(username, None).await?;
                self.find(&mut link, username).await?.dn
            }
            _ => username.to_owned(),
        };
        let failed = |fault: Fault| {
            fault.nothing_changed(
                &self.target,
                &format!("the login of {username:?} could not be tried"),
                &[secret],
            )
        };
        let mut link = Link::open(&self.target).await.map_err(failed)?;
        match link.bind(&login, secret).await {
            Ok(_) => Ok(Verdict::Works),
            Err(Fault::Answer(result)) if result.rc == 49 => match codes::login(&result.text) {
                None | Some(Login::Wrong) => Ok(Verdict::Refused),
                Some(Login::NotFound) => Err(self.needs_person(&format!(
                    "there is no login {username:?}; check the account's login name"
                ))),
                Some(Login::Barred(why)) => {
                    Err(self.needs_person(&format!("{username:?} cannot log in: {why}")))
                }
            },
            Err(fault) => Err(failed(fault)),
        }
    }

    async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
        Err(self.needs_person(&format!(
            "a directory cannot end the sessions of {username:?}; its tickets run out"
        )))
    }
}

/// The quoted password in UTF-16, low byte first.
fn unicode_pwd(password: &SecretString) -> Zeroizing<Vec<u8>> {
    let quoted = Zeroizing::new(format!("\"{}\"", password.expose_secret()));
    Zeroizing::new(quoted.encode_utf16().flat_map(u16::to_le_bytes).collect())
}

fn is_dn(username: &str) -> bool {
    username.contains('=') && username.to_ascii_lowercase().contains("dc=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_quoted_and_in_utf_16() {
        let bytes = unicode_pwd(&SecretString::from("aü"));
        assert_eq!(*bytes, [0x22, 0, 0x61, 0, 0xfc, 0, 0x22, 0]);
    }
}
