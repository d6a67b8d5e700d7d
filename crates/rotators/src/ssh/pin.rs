//! The host keys that a server may show: pinned, never learned on the way.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};

use crate::config::ConfigError;

/// A host key, whole or by its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pin {
    Key(Box<PublicKey>),
    Fingerprint(String),
}

/// The host keys of one server.
#[derive(Debug, Clone)]
pub(crate) struct Pins(Arc<[Pin]>);

impl Pins {
    /// From lines as `ssh-keyscan` prints them without the host, or fingerprints as `SHA256:…`.
    pub(crate) fn new(lines: &[String]) -> Result<Self, ConfigError> {
        let wrong = || {
            ConfigError::new(
                "host_keys",
                "must hold the server's public host keys, as `ssh-ed25519 AAAA…` (/etc/ssh/ssh_host_*_key.pub there) or \
                 `SHA256:…`; RSA is not supported",
            )
        };
        let pins: Vec<Pin> = lines
            .iter()
            .map(|line| {
                let line = line.trim();
                if line.starts_with("SHA256:") && line.len() == 50 {
                    return Ok(Pin::Fingerprint(line.to_owned()));
                }
                let mut key = PublicKey::from_openssh(line).map_err(|_| wrong())?;
                key.set_comment("");
                if key.algorithm().is_rsa() { Err(wrong()) } else { Ok(Pin::Key(Box::new(key))) }
            })
            .collect::<Result<_, _>>()?;
        if pins.is_empty() { Err(wrong()) } else { Ok(Self(pins.into())) }
    }

    /// The algorithms to ask the server for, so that it shows a key that is pinned; none means any.
    pub(super) fn algorithms(&self) -> Option<Cow<'static, [Algorithm]>> {
        let known: Option<Vec<Algorithm>> = self
            .0
            .iter()
            .map(|pin| match pin {
                Pin::Key(key) => Some(key.algorithm()),
                Pin::Fingerprint(_) => None,
            })
            .collect();
        known.map(Cow::Owned)
    }

    fn allow(&self, shown: &PublicKey) -> bool {
        self.0.iter().any(|pin| match pin {
            Pin::Key(key) => key.key_data() == shown.key_data(),
            Pin::Fingerprint(fingerprint) => shown.fingerprint(HashAlg::Sha256).to_string() == *fingerprint,
        })
    }
}

/// What a connection checks, and what it was shown.
pub(super) struct Checker {
    pub(super) pins: Pins,
    pub(super) shown: Arc<OnceLock<String>>,
}

impl russh::client::Handler for Checker {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let key = shown.public_key();
        let _ = self.shown.set(format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256)));
        Ok(self.pins.allow(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn keys_and_fingerprints_are_pinned_and_others_are_not_allowed() {
        let key = PublicKey::from_openssh(KEY).unwrap();
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        for line in [KEY.to_owned(), format!("{KEY} root@host"), fingerprint.clone()] {
            let pins = Pins::new(&[line]).unwrap();
            assert!(pins.allow(&key));
        }
        let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZK";
        assert!(!Pins::new(&[other.to_owned()]).unwrap().allow(&key));
        assert!(!Pins::new(&[fingerprint.replace(":", ":x")[..50].to_owned()]).unwrap().allow(&key));
        for wrong in ["", "ssh-ed25519", "MD5:aa:bb", "SHA256:short"] {
            assert_eq!(Pins::new(&[wrong.to_owned()]).unwrap_err().field, "host_keys", "{wrong}");
        }
        assert!(Pins::new(&[]).is_err());
    }
}
