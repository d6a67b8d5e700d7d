//! SSH connections to a server whose host key is pinned.

pub(crate) mod admin;
mod pin;

use std::sync::{Arc, OnceLock};

use latchkey_rotation::{Class, Failure};
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg};
use russh::{ChannelMsg, MethodKind, MethodSet, Preferred};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::limit::{Limit, TimedOut};
use crate::said::said;
pub(crate) use pin::Pins;

/// Output of a command that is kept; more tells no more.
const OUTPUT_KEPT: usize = 64 * 1024;

/// Where a server is.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) pins: Pins,
    pub(crate) limit: Limit,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SSH at {}:{}", self.host, self.port)
    }
}

/// What went wrong with a connection.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nothing was asked yet.
    NotSent(String),
    /// Lost after a command was sent, which may have run.
    Lost(String),
    /// The server shows another host key: this one.
    HostKey(String),
}

/// With what somebody logs in.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    Password(SecretString),
    Key(Arc<PrivateKey>),
}

impl Credential {
    /// A private key if it looks like one, else a password.
    pub(crate) fn from_secret(secret: &SecretString) -> Result<Self, &'static str> {
        if secret.expose_secret().contains("-----BEGIN ") {
            private_key(secret).map(|key| Self::Key(Arc::new(key)))
        } else {
            Ok(Self::Password(secret.clone()))
        }
    }
}

/// A private key without a passphrase.
pub(crate) fn private_key(secret: &SecretString) -> Result<PrivateKey, &'static str> {
    let key = russh::keys::decode_secret_key(secret.expose_secret(), None)
        .map_err(|_| "is no private key in OpenSSH's format without a passphrase")?;
    if key.is_encrypted() {
        return Err("is a private key with a passphrase; give it without");
    }
    if key.algorithm().is_rsa() {
        return Err("is an RSA key, which is not supported; use Ed25519 or ECDSA");
    }
    Ok(key)
}

/// What came of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    In,
    Refused,
    /// The server takes no such login, whatever the secret: it takes these.
    NotOffered(String),
    /// It asks for something else than the secret.
    Asks(String),
}

/// An open connection; closed on drop.
pub(crate) struct Link {
    handle: Handle<pin::Checker>,
    limit: Limit,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: u32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Link {
    pub(crate) async fn open(target: &Target) -> Result<Self, Fault> {
        let mut preferred = Preferred::DEFAULT;
        if let Some(algorithms) = target.pins.algorithms() {
            preferred.key = algorithms;
        }
        let config = client::Config {
            preferred,
            nodelay: true,
            inactivity_timeout: Some(target.limit.duration() * 4),
            ..client::Config::default()
        };
        let shown = Arc::new(OnceLock::new());
        let checker = pin::Checker { pins: target.pins.clone(), shown: shown.clone() };
        let connecting = client::connect(Arc::new(config), (target.host.as_str(), target.port), checker);
        match target.limit.on(Box::pin(connecting)).await {
            Ok(Ok(handle)) => Ok(Self { handle, limit: target.limit }),
            Ok(Err(russh::Error::UnknownKey)) => {
                Err(Fault::HostKey(shown.get().cloned().unwrap_or_default()))
            }
            Ok(Err(error)) => Err(Fault::NotSent(error.to_string())),
            Err(timed_out) => Err(Fault::from(timed_out)),
        }
    }

    /// The ways to log in that the server offers, without trying any.
    pub(crate) async fn offered(&mut self, username: &str) -> Result<Option<MethodSet>, Fault> {
        match self.limit.on(self.handle.authenticate_none(username)).await?.map_err(lost)? {
            AuthResult::Success => Ok(None),
            AuthResult::Failure { remaining_methods, .. } => Ok(Some(remaining_methods)),
        }
    }

    pub(crate) async fn login(&mut self, username: &str, credential: &Credential) -> Result<Login, Fault> {
        let Some(offered) = self.offered(username).await? else { return Ok(Login::In) };
        let has = |method| offered.contains(&method);
        match credential {
            Credential::Key(key) if has(MethodKind::PublicKey) => {
                let key = PrivateKeyWithHashAlg::new(key.clone(), None);
                let trying = self.handle.authenticate_publickey(username, key);
                Ok(judged(&self.limit.on(Box::pin(trying)).await?.map_err(lost)?))
            }
            Credential::Password(password) if has(MethodKind::Password) => {
                let trying = self.handle.authenticate_password(username, password.expose_secret());
                Ok(judged(&self.limit.on(Box::pin(trying)).await?.map_err(lost)?))
            }
            Credential::Password(password) if has(MethodKind::KeyboardInteractive) => {
                self.answer_prompts(username, password).await
            }
            _ => {
                let names: Vec<&str> = offered.iter().map(<&str>::from).collect();
                Ok(Login::NotOffered(names.join(", ")))
            }
        }
    }

    /// Answers one hidden prompt with the password; what asks for more asks for something else.
    async fn answer_prompts(&mut self, username: &str, password: &SecretString) -> Result<Login, Fault> {
        let starting = self.handle.authenticate_keyboard_interactive_start(username, None);
        let mut response = self.limit.on(Box::pin(starting)).await?.map_err(lost)?;
        let mut answered = false;
        loop {
            response = match response {
                KeyboardInteractiveAuthResponse::Success => return Ok(Login::In),
                KeyboardInteractiveAuthResponse::Failure { partial_success: true, .. } => {
                    return Ok(Login::In);
                }
                KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(Login::Refused),
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    let answers = match prompts.as_slice() {
                        [] => Vec::new(),
                        [prompt] if !prompt.echo && !answered => {
                            answered = true;
                            vec![password.expose_secret().to_owned()]
                        }
                        prompts => {
                            let asked: Vec<&str> =
                                prompts.iter().map(|prompt| prompt.prompt.trim()).collect();
                            return Ok(Login::Asks(said(&asked.join(" / "), [password])));
                        }
                    };
                    let answering = self.handle.authenticate_keyboard_interactive_respond(answers);
                    self.limit.on(Box::pin(answering)).await?.map_err(lost)?
                }
            };
        }
    }

    /// Runs a command with this on its standard input. Neither is to hold a secret in `command`: others on the
    /// machine can read it.
    pub(crate) async fn run(&self, command: &str, input: &[u8]) -> Result<Ran, Fault> {
        let opening = self.limit.on(Box::pin(self.handle.channel_open_session())).await?;
        let mut channel = opening.map_err(lost)?;
        let running = async {
            let sent = |_| Fault::Lost("the connection was lost while a command was sent".to_owned());
            channel.exec(true, command).await.map_err(sent)?;
            if !input.is_empty() {
                let copy = Zeroizing::new(input.to_vec());
                channel.data(copy.as_slice()).await.map_err(sent)?;
            }
            channel.eof().await.map_err(sent)?;
            let (mut status, mut output, mut errors) = (None, Vec::new(), Vec::new());
            while let Some(message) = channel.wait().await {
                let (kept, data) = match message {
                    ChannelMsg::Data { data } => (&mut output, data),
                    ChannelMsg::ExtendedData { data, .. } => (&mut errors, data),
                    ChannelMsg::ExitStatus { exit_status } => {
                        status = Some(exit_status);
                        continue;
                    }
                    ChannelMsg::Failure => {
                        return Err(Fault::NotSent("the server runs no commands for this login".to_owned()));
                    }
                    _ => continue,
                };
                let room = OUTPUT_KEPT - kept.len();
                kept.extend_from_slice(&data[..data.len().min(room)]);
            }
            let status = status
                .ok_or_else(|| Fault::Lost("the connection was lost before the command ended".to_owned()))?;
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            Ok(Ran { status, output: text(output), errors: text(errors) })
        };
        self.limit
            .on(Box::pin(running))
            .await
            .unwrap_or_else(|timed_out| Err(Fault::Lost(timed_out.to_string())))
    }

    pub(crate) async fn close(self) {
        let _ = self.limit.on(self.handle.disconnect(russh::Disconnect::ByApplication, "", "en")).await;
    }
}

fn judged(result: &AuthResult) -> Login {
    match result {
        // The first of several factors was right.
        AuthResult::Success | AuthResult::Failure { partial_success: true, .. } => Login::In,
        AuthResult::Failure { .. } => Login::Refused,
    }
}

fn lost(error: russh::Error) -> Fault {
    Fault::NotSent(format!("the connection was lost: {error}"))
}

impl From<TimedOut> for Fault {
    fn from(timed_out: TimedOut) -> Self {
        Self::NotSent(timed_out.to_string())
    }
}

impl Fault {
    pub(crate) const fn may_have_run(&self) -> bool {
        matches!(self, Self::Lost(_))
    }

    pub(crate) fn words<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretString>) -> String {
        match self {
            Self::NotSent(words) | Self::Lost(words) => said(words, secrets),
            Self::HostKey(shown) => format!("its host key is none of `host_keys`: it shows {shown}"),
        }
    }

    /// For what changed nothing.
    pub(crate) fn nothing_changed(&self, target: &Target, what: &str, secrets: &[&SecretString]) -> Failure {
        let (class, advice) = match self {
            Self::HostKey(_) => (
                Class::NeedsPerson,
                "if the server was set up anew, compare the key there and pin it; else somebody stands in between",
            ),
            Self::NotSent(_) | Self::Lost(_) => {
                (Class::Transient, "check host, port and firewall; it is tried again")
            }
        };
        let words = self.words(secrets.iter().copied());
        Failure::not_applied(class, format!("{target}: {what}: {words}; {advice}"))
    }
}
