//! SSH keys: the new one is added to `authorized_keys`, proved, and the old one removed.

mod file;

use std::sync::Arc;

use latchkey_kernel::Entropy;
use latchkey_rotation::{Class, Failure};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::config::{self, ConfigError};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use crate::limit::Limit;
use crate::said::said;
use crate::ssh::admin::{Admin, check_name};
use crate::ssh::{self, Credential, Fault, Link, Login, Pins, Target};
use file::Words;

/// Where a server is, and who changes keys there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's name or address.
    pub host: String,
    /// Its port; 22 if it is not named.
    pub port: Option<u16>,
    /// The server's public host keys, or their fingerprints: `ssh-ed25519 AAAA…`, `SHA256:…`.
    pub host_keys: Vec<String>,
    /// The login that changes others' keys: root, or one that may run `sh` as the login by sudo without a
    /// password. Without one, a login changes its own with the old key.
    pub admin: Option<String>,
    /// Whether the admin login needs sudo; yes if it is not named, except for root.
    pub sudo: Option<bool>,
    /// How long each step may take.
    pub timeout_seconds: Option<u64>,
}

/// A new Ed25519 key without a passphrase, in OpenSSH's format: the secret that this connector takes.
#[must_use]
pub fn generate(entropy: &dyn Entropy) -> SecretString {
    let pair = Ed25519Keypair::from_seed(&entropy.bytes());
    let text = PrivateKey::from(pair).to_openssh(LineEnding::LF);
    SecretString::from(text.expect("a key without a passphrase is encoded").as_str())
}

/// The connector. Its secrets are private keys in OpenSSH's format.
#[derive(Debug)]
pub struct SshKey {
    target: Target,
    admin: Option<Admin>,
}

impl SshKey {
    /// A connector as configured; `credential` is the admin login's password or private key.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn from_config(config: &Value, credential: Option<SecretString>) -> Result<Self, ConfigError> {
        let config: Config = config::read(config)?;
        config::host("host", &config.host)?;
        let admin = config::admin(config.admin, credential)?
            .map(|(admin, credential)| Admin::new(admin, credential, config.sudo))
            .transpose()?;
        Ok(Self {
            target: Target {
                host: config.host,
                port: config.port.unwrap_or(22),
                pins: Pins::new(&config.host_keys)?,
                limit: Limit::seconds(config.timeout_seconds)?,
            },
            admin,
        })
    }

    fn failure(&self, class: Class, says: &str) -> Failure {
        Failure::not_applied(class, format!("{}: {says}", self.target))
    }

    /// A session that may change the file: the admin's, or the login's own with the old key, or with the new
    /// one where an earlier try came so far.
    async fn changing(
        &self,
        attempt: &Attempt<'_>,
        keys: [Option<&Arc<PrivateKey>>; 2],
    ) -> Result<Link, Failure> {
        if let Some(admin) = &self.admin {
            return admin.open(&self.target).await;
        }
        let username = attempt.username;
        for key in keys.into_iter().flatten() {
            let mut link = self.connect(username).await?;
            let login = link.login(username, &Credential::Key(key.clone())).await;
            if self.judge(username, login)? == Verdict::Works {
                return Ok(link);
            }
        }
        let says = format!(
            "without an admin login the keys of {username:?} are changed with the old one, which is not known or does \
             not let it in; configure an admin login"
        );
        Err(self.failure(Class::NeedsPerson, &says))
    }

    async fn connect(&self, username: &str) -> Result<Link, Failure> {
        let what = format!("the login of {username:?} could not be tried");
        Link::open(&self.target).await.map_err(|fault| fault.nothing_changed(&self.target, &what, &[]))
    }

    fn judge(&self, username: &str, login: Result<Login, Fault>) -> Result<Verdict, Failure> {
        let what = format!("the login of {username:?} could not be tried");
        match login.map_err(|fault| fault.nothing_changed(&self.target, &what, &[]))? {
            Login::In => Ok(Verdict::Works),
            Login::Refused => Ok(Verdict::Refused),
            Login::NotOffered(methods) => Err(self.failure(
                Class::NeedsPerson,
                &format!("{what}, since the server takes no keys (only {methods}); see PubkeyAuthentication"),
            )),
            Login::Asks(prompt) => {
                Err(self.failure(Class::NeedsPerson, &format!("{what}: the server asks {prompt}")))
            }
        }
    }

    /// The command that runs a script as the login.
    fn as_login(&self, username: &str, script: &str) -> String {
        // Within single quotes only a single quote is special.
        let quoted = script.replace('\'', r"'\''");
        match &self.admin {
            None => format!("LC_ALL=C sh -c '{quoted}'"),
            Some(admin) if admin.login == username => format!("LC_ALL=C sh -c '{quoted}'"),
            Some(admin) if admin.sudo() => format!("LC_ALL=C sudo -n -H -u {username} sh -c '{quoted}'"),
            // As the login itself, so that no link in its home leads root astray.
            Some(_) => format!("LC_ALL=C runuser -u {username} -- sh -c '{quoted}'"),
        }
    }

    async fn edit(
        &self,
        link: &Link,
        attempt: &Attempt<'_>,
        script: &str,
        step: &str,
    ) -> Result<(), Failure> {
        let username = attempt.username;
        let says = |words: &str| format!("{}: {step} for {username:?}: {words}", self.target);
        let ran = link.run(&self.as_login(username, script), b"").await.map_err(|fault| {
            let words = said(&fault.words([attempt.new]), attempt.old);
            if fault.may_have_run() {
                Failure::unknown(Class::Transient, says(&format!("may or may not have been done: {words}")))
            } else {
                Failure::not_applied(Class::Transient, says(&format!("was not done: {words}")))
            }
        })?;
        if ran.status == 0 {
            return Ok(());
        }
        let words = said(&ran.errors, [attempt.new].into_iter().chain(attempt.old));
        let advice = if ran.errors.contains("sudo:") {
            "let the admin login run /bin/sh as that login by sudo without a password"
        } else {
            "check that the login owns its home, .ssh and authorized_keys"
        };
        Err(Failure::not_applied(Class::NeedsPerson, says(&format!("was not done: {words}; {advice}"))))
    }
}

impl Rotate for SshKey {
    fn abilities(&self) -> Abilities {
        Abilities {
            by_admin: self.admin.is_some(),
            ends_sessions: self.admin.is_some(),
            proves_refusal: true,
        }
    }

    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        check_name(&self.target, username)?;
        let mut warnings = Vec::new();
        let mut system = "OpenSSH server".to_owned();
        if let Some(admin) = &self.admin {
            let link = admin.open(&self.target).await?;
            system = said(&admin.look(&link, &self.target, "LC_ALL=C uname -sr").await?.output, []);
            if admin.look(&link, &self.target, &format!("getent passwd {username}")).await?.status != 0 {
                let says = format!("there is no login {username:?}; check the account's login name");
                return Err(self.failure(Class::NeedsPerson, &says));
            }
            let look = admin.look(&link, &self.target, &self.as_login(username, file::LOOK)).await?;
            let says = match look.status {
                0 => None,
                3 | 4 => {
                    warnings.push(format!("{username:?} has no .ssh/authorized_keys yet; it will be made"));
                    None
                }
                5 | 6 => Some(format!(
                    "{username:?} does not own its authorized_keys, so it cannot be renamed over"
                )),
                127 => Some("there is no runuser; install util-linux, or use sudo".to_owned()),
                _ => Some(format!(
                    "{:?} may not act as {username:?}: {}",
                    admin.login,
                    said(&look.errors, [admin.secret()])
                )),
            };
            if let Some(says) = says {
                return Err(self.failure(Class::NeedsPerson, &says));
            }
            link.close().await;
        }
        let mut fresh = self.connect(username).await?;
        let what = "the ways to log in could not be looked at";
        let offered =
            fresh.offered(username).await.map_err(|fault| fault.nothing_changed(&self.target, what, &[]))?;
        match offered {
            None => warnings.push(format!("the server lets {username:?} in without a key")),
            Some(offered) if !offered.contains(&russh::MethodKind::PublicKey) => warnings.push(format!(
                "the server takes no keys of {username:?}, so none can be proved; see PubkeyAuthentication in sshd_config"
            )),
            Some(_) => {}
        }
        fresh.close().await;
        Ok(Probe { target: system, warnings })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let Attempt { username, old, new, .. } = *attempt;
        check_name(&self.target, username)?;
        let new_key = ssh::private_key(new)
            .map(Arc::new)
            .map_err(|what| self.failure(Class::Policy, &format!("the new secret {what}")))?;
        let old_key = old.and_then(|old| ssh::private_key(old).ok()).map(Arc::new);
        let words = |key: &Arc<PrivateKey>| Words::of(key.public_key());
        let new_words = words(&new_key).ok_or_else(|| {
            self.failure(Class::Policy, "the new secret is a kind of key that is not known here")
        })?;
        let old_words = old_key.as_ref().and_then(words).filter(|old| *old != new_words);

        let link = self.changing(attempt, [old_key.as_ref(), Some(&new_key)]).await?;
        self.edit(&link, attempt, &file::append(&new_words, old_words.as_ref()), "adding the new key")
            .await?;

        // From here on the new key may work: nothing below may say that it does not.
        let fresh = async {
            let mut fresh = self.connect(username).await?;
            let login = fresh.login(username, &Credential::Key(new_key.clone())).await;
            fresh.close().await;
            self.judge(username, login)
        };
        let proved = fresh.await.map_err(|failure| Failure::unknown(failure.class, failure.message))?;
        if proved == Verdict::Refused {
            // As before, so that the file does not fill with keys that were never in force.
            let undone = self.edit(&link, attempt, &file::remove(&new_words), "removing the new key").await;
            undone.map_err(|failure| Failure::unknown(failure.class, failure.message))?;
            return Err(self.failure(
                Class::NeedsPerson,
                &format!(
                    "the server does not take the key of {username:?} that was added to its authorized_keys; see \
                     AuthorizedKeysFile and StrictModes in sshd_config, and the modes of the home and .ssh"
                ),
            ));
        }
        let Some(old_words) = old_words else {
            link.close().await;
            return Ok(Receipt {
                method: "added to authorized_keys; no old key was named to be removed".to_owned(),
            });
        };
        let removed = self.edit(&link, attempt, &file::remove(&old_words), "removing the old key").await;
        removed.map_err(|failure| Failure::unknown(failure.class, failure.message))?;
        link.close().await;
        Ok(Receipt { method: "added to authorized_keys, proved, and the old key removed".to_owned() })
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        check_name(&self.target, username)?;
        let Ok(key) = ssh::private_key(secret) else { return Ok(Verdict::Refused) };
        let mut link = self.connect(username).await?;
        let login = link.login(username, &Credential::Key(Arc::new(key))).await;
        link.close().await;
        self.judge(username, login)
    }

    async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
        check_name(&self.target, username)?;
        let Some(admin) = &self.admin else {
            return Err(
                self.failure(Class::NeedsPerson, "no admin login is configured, which ending sessions needs")
            );
        };
        let count = admin.end_sessions(&self.target, username).await?;
        Ok(SessionsEnded { count: Some(count) })
    }
}
