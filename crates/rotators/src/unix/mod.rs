//! Unix logins over SSH: the password by `chpasswd`, on its standard input.

use latchkey_rotation::{Class, Failure};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::config::{self, ConfigError};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use crate::limit::Limit;
use crate::said::said;
use crate::ssh::admin::{Admin, check_name};
use crate::ssh::{Credential, Fault, Link, Login, Pins, Ran, Target};

/// Where it is on every system that has it; a login that is not root does not look there.
const CHPASSWD: &str = "/usr/sbin/chpasswd";

/// Where a server is, and who changes passwords there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's name or address.
    pub host: String,
    /// Its port; 22 if it is not named.
    pub port: Option<u16>,
    /// The server's public host keys, or their fingerprints: `ssh-ed25519 AAAA…`, `SHA256:…`.
    pub host_keys: Vec<String>,
    /// The login that changes others' passwords: root, or one that may run `/usr/sbin/chpasswd` (and, to end
    /// sessions, `/usr/bin/pkill`) by sudo without a password. Its credential is a password or a private key.
    pub admin: String,
    /// Whether the admin login needs sudo; yes if it is not named, except for root.
    pub sudo: Option<bool>,
    /// How long each step may take.
    pub timeout_seconds: Option<u64>,
}

/// The connector.
#[derive(Debug)]
pub struct Unix {
    target: Target,
    admin: Admin,
}

impl Unix {
    /// A connector as configured; `credential` is the admin login's password or private key.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn from_config(config: &Value, credential: Option<SecretString>) -> Result<Self, ConfigError> {
        let config: Config = config::read(config)?;
        config::host("host", &config.host)?;
        let credential = credential.ok_or_else(|| {
            ConfigError::new(
                "admin",
                "has no credential; give its password or private key as the admin credential",
            )
        })?;
        Ok(Self {
            target: Target {
                host: config.host,
                port: config.port.unwrap_or(22),
                pins: Pins::new(&config.host_keys)?,
                limit: Limit::seconds(config.timeout_seconds)?,
            },
            admin: Admin::new(config.admin, credential, config.sudo)?,
        })
    }

    fn needs_person(&self, says: &str) -> Failure {
        Failure::not_applied(Class::NeedsPerson, format!("{}: {says}", self.target))
    }

    fn refused_change(&self, ran: &Ran, attempt: &Attempt<'_>) -> Failure {
        let secrets = [attempt.new, self.admin.secret()].into_iter().chain(attempt.old);
        let words = said(&ran.errors, secrets);
        let says = |what: &str| {
            format!("{}: the password of {:?} was not changed{what}: {words}", self.target, attempt.username)
        };
        let has = |text: &str| ran.errors.contains(text);
        if ran.status == 127 {
            return self.needs_person(&format!("there is no {CHPASSWD}; install it (passwd, shadow-utils)"));
        }
        let (class, what) = if has("sudo:") {
            (Class::NeedsPerson, ", since the admin login may not run chpasswd by sudo without a password")
        } else if has("does not exist") || has("unknown user") {
            (Class::NeedsPerson, ", since there is no such login")
        } else if has("BAD PASSWORD") || has("has been already used") || has("password is too") {
            (Class::Policy, ", since the system's rules refuse the new one")
        } else if has("cannot lock") || has("try again later") {
            (Class::Transient, "")
        } else if has("Permission denied") || has("Authentication token") {
            (Class::NeedsPerson, ", since the system did not let it (PAM); see its log")
        } else {
            (Class::NeedsPerson, "")
        };
        Failure::not_applied(class, says(what))
    }
}

impl Rotate for Unix {
    fn abilities(&self) -> Abilities {
        Abilities { by_admin: true, ends_sessions: true, proves_refusal: true }
    }

    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        check_name(&self.target, username)?;
        let (target, admin) = (&self.target, &self.admin);
        let link = admin.open(target).await?;
        let mut warnings = Vec::new();
        let system = admin.look(&link, target, "LC_ALL=C uname -sr").await?.output;
        if admin.look(&link, target, &format!("test -x {CHPASSWD}")).await?.status != 0 {
            return Err(
                self.needs_person(&format!("there is no {CHPASSWD}; install it (passwd, shadow-utils)"))
            );
        }
        let may =
            if admin.sudo() { format!("sudo -n -l {CHPASSWD}") } else { "test $(id -u) = 0".to_owned() };
        if admin.look(&link, target, &may).await?.status != 0 {
            return Err(self.needs_person(&format!(
                "{:?} may not run {CHPASSWD}; let it by sudo without a password: \
                 `{} ALL=(root) NOPASSWD: {CHPASSWD} \"\", /usr/bin/pkill`",
                admin.login, admin.login
            )));
        }
        if admin.look(&link, target, &format!("getent passwd {username}")).await?.status != 0 {
            return Err(
                self.needs_person(&format!("there is no login {username:?}; check the account's login name"))
            );
        }
        if admin.look(&link, target, &format!("grep -q '^{username}:' /etc/passwd")).await?.status != 0 {
            warnings.push(format!(
                "{username:?} comes from a directory, not from this server's /etc/passwd; rotate it there"
            ));
        }
        if admin.look(&link, target, "command -v pkill").await?.status != 0 {
            warnings.push("there is no pkill, so sessions cannot be ended; install procps".to_owned());
        } else if admin.sudo() && admin.look(&link, target, "sudo -n -l /usr/bin/pkill").await?.status != 0 {
            warnings.push(format!(
                "{:?} may not run /usr/bin/pkill by sudo, so sessions cannot be ended",
                admin.login
            ));
        }
        link.close().await;
        let looked =
            |fault: Fault| fault.nothing_changed(target, "the ways to log in could not be looked at", &[]);
        let mut fresh = Link::open(target).await.map_err(looked)?;
        match fresh.offered(username).await.map_err(looked)? {
            None => warnings.push(format!("the server lets {username:?} in without a password")),
            Some(offered) => {
                let names: Vec<&str> = offered.iter().map(<&str>::from).collect();
                if !names.contains(&"password") && !names.contains(&"keyboard-interactive") {
                    warnings.push(format!(
                        "the server takes no password of {username:?} over SSH (only {}), so none can be proved; see \
                         PasswordAuthentication and AllowUsers in sshd_config",
                        names.join(", ")
                    ));
                }
            }
        }
        fresh.close().await;
        Ok(Probe { target: said(&system, []), warnings })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let Attempt { username, new, .. } = *attempt;
        check_name(&self.target, username)?;
        if new.expose_secret().is_empty() || new.expose_secret().contains(['\n', '\r', '\0']) {
            return Err(Failure::not_applied(
                Class::Policy,
                format!("{}: a password is one line that is not empty", self.target),
            ));
        }
        let link = self.admin.open(&self.target).await?;
        let line = Zeroizing::new(format!("{username}:{}\n", new.expose_secret()));
        let ran = link.run(&self.admin.as_root(CHPASSWD), line.as_bytes()).await.map_err(|fault| {
            let words = fault.words([new, self.admin.secret()].into_iter().chain(attempt.old));
            let target = &self.target;
            if fault.may_have_run() {
                let says = format!(
                    "{target}: the password of {username:?} may or may not have been changed: {words}"
                );
                return Failure::unknown(Class::Transient, says);
            }
            Failure::not_applied(
                Class::Transient,
                format!("{target}: the password of {username:?} was not changed: {words}"),
            )
        })?;
        if ran.status != 0 {
            return Err(self.refused_change(&ran, attempt));
        }
        link.close().await;
        Ok(Receipt { method: "chpasswd, the password on its standard input".to_owned() })
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        check_name(&self.target, username)?;
        if secret.expose_secret().is_empty() || secret.expose_secret().contains(['\n', '\0']) {
            return Ok(Verdict::Refused);
        }
        let what = format!("the login of {username:?} could not be tried");
        let failed = |fault: Fault| fault.nothing_changed(&self.target, &what, &[secret]);
        let mut link = Link::open(&self.target).await.map_err(failed)?;
        let login = link.login(username, &Credential::Password(secret.clone())).await.map_err(failed)?;
        link.close().await;
        match login {
            Login::In => Ok(Verdict::Works),
            Login::Refused => Ok(Verdict::Refused),
            Login::NotOffered(methods) => Err(self.needs_person(&format!(
                "{username:?} cannot be tried, since the server takes no passwords (only {methods}); see \
                 PasswordAuthentication in sshd_config"
            ))),
            Login::Asks(prompt) => Err(self.needs_person(&format!(
                "{username:?} cannot be tried, since the server asks for something else than the password: {prompt}"
            ))),
        }
    }

    async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
        check_name(&self.target, username)?;
        let count = self.admin.end_sessions(&self.target, username).await?;
        Ok(SessionsEnded { count: Some(count) })
    }
}
