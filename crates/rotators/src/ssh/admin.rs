//! The login that acts for others on a server: root, or one that may run some commands by `sudo`.

use latchkey_rotation::{Class, Failure};
use secrecy::SecretString;

use super::{Credential, Link, Login, Ran, Target};
use crate::config::ConfigError;

/// Who acts for others.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) login: String,
    credential: Credential,
    secret: SecretString,
    sudo: bool,
}

impl Admin {
    /// `sudo` is yes if it is not named, except for root.
    pub(crate) fn new(login: String, secret: SecretString, sudo: Option<bool>) -> Result<Self, ConfigError> {
        let credential = Credential::from_secret(&secret)
            .map_err(|what| ConfigError::new("admin", format!("its credential {what}")))?;
        let sudo = sudo.unwrap_or(login != "root");
        Ok(Self { login, credential, secret, sudo })
    }

    pub(crate) const fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(crate) const fn sudo(&self) -> bool {
        self.sudo
    }

    /// The command as root runs it.
    pub(crate) fn as_root(&self, command: &str) -> String {
        if self.sudo { format!("LC_ALL=C sudo -n {command}") } else { format!("LC_ALL=C {command}") }
    }

    /// A connection that is logged in.
    pub(crate) async fn open(&self, target: &Target) -> Result<Link, Failure> {
        let what = format!("the admin login {:?} cannot log in", self.login);
        let failed = |fault: super::Fault| fault.nothing_changed(target, &what, &[&self.secret]);
        let mut link = Link::open(target).await.map_err(failed)?;
        let says = match link.login(&self.login, &self.credential).await.map_err(failed)? {
            Login::In => return Ok(link),
            Login::Refused => "the server refuses its password or key; check both there".to_owned(),
            Login::NotOffered(methods) => {
                format!("the server takes only {methods}; set it up for that or allow this")
            }
            Login::Asks(prompt) => {
                format!("the server asks for more than its password ({prompt}); use a key")
            }
        };
        Err(Failure::not_applied(Class::Auth, format!("{target}: {what}: {says}")))
    }

    /// Runs something that only looks.
    pub(crate) async fn look(&self, link: &Link, target: &Target, command: &str) -> Result<Ran, Failure> {
        let what = "the server could not be looked at";
        link.run(command, b"").await.map_err(|fault| fault.nothing_changed(target, what, &[&self.secret]))
    }

    /// Ends the SSH sessions of a login; how many there were.
    pub(crate) async fn end_sessions(&self, target: &Target, username: &str) -> Result<u64, Failure> {
        let link = self.open(target).await?;
        let failed = |says: String| {
            Failure::not_applied(
                Class::NeedsPerson,
                format!("{target}: the sessions of {username:?} were not ended: {says}"),
            )
        };
        // The process that serves a session names its login in its title; its end hangs the shell up.
        let name = username.replace('.', r"\.");
        let command = self.as_root(&format!("pkill -KILL -c -f '^sshd(-session)?: {name}@'"));
        let ran = link.run(&command, b"").await.map_err(|fault| {
            let what = format!("the sessions of {username:?} were not ended");
            fault.nothing_changed(target, &what, &[&self.secret])
        })?;
        link.close().await;
        match ran.status {
            // 1: there was none to end.
            0 | 1 if ran.output.trim().parse::<u64>().is_ok() => Ok(ran.output.trim().parse().unwrap_or(0)),
            127 => Err(failed("there is no pkill; install procps there".to_owned())),
            _ => Err(failed(format!(
                "{}; let the admin login run /usr/bin/pkill by sudo without a password",
                crate::said::said(&ran.errors, [&self.secret])
            ))),
        }
    }
}

/// Refuses names that no system would have, and with them all that a shell, a pattern or `chpasswd` would read
/// otherwise.
pub(crate) fn check_name(target: &Target, username: &str) -> Result<(), Failure> {
    let mut letters = username.chars();
    let whole = letters.next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        && username.len() <= 32;
    if whole {
        return Ok(());
    }
    Err(Failure::not_applied(
        Class::NeedsPerson,
        format!(
            "{target}: {username:?} is no login name that can be rotated (letters, digits, `_`, `.`, `-`, at most 32); \
             check the account's login name"
        ),
    ))
}
