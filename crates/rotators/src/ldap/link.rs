//! A connection to a directory: TLS, bind, and what its errors mean.

use std::sync::Arc;

use latchkey_rotation::{Class, Failure};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, SearchEntry};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;

use super::ppolicy;
use crate::config::{self, ConfigError};
use crate::limit::{Limit, TimedOut};
use crate::said::said;
use crate::tls::{self, Check};

/// Where a directory is, and how to talk to it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    url: String,
    starttls: bool,
    tls: Arc<ClientConfig>,
    pub(crate) limit: Limit,
}

impl Target {
    /// A directory at `ldaps://host[:port]`, or at `ldap://host[:port]` with StartTLS. Without TLS only on
    /// this machine, and only where `plain_on_loopback`.
    pub(crate) fn new(
        url: &str,
        starttls: Option<bool>,
        ca_pem: Option<&str>,
        timeout_seconds: Option<u64>,
        plain_on_loopback: bool,
    ) -> Result<Self, ConfigError> {
        let wrong =
            || ConfigError::new("url", "must be ldaps://host[:port], or ldap://host[:port] for StartTLS");
        let (scheme, place) = url.split_once("://").ok_or_else(wrong)?;
        let place = place.trim_end_matches('/');
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (place, None),
        };
        config::host("url", host.trim_start_matches('[').trim_end_matches(']')).map_err(|_| wrong())?;
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(wrong());
        }
        let starttls = match (scheme, starttls) {
            ("ldaps", Some(true)) => {
                return Err(ConfigError::new(
                    "starttls",
                    "is for ldap:// only; ldaps:// is TLS from the first byte",
                ));
            }
            ("ldaps", _) => false,
            ("ldap", None) => !(plain_on_loopback && config::is_loopback(host)),
            ("ldap", Some(true)) => true,
            ("ldap", Some(false)) if plain_on_loopback && config::is_loopback(host) => false,
            ("ldap", Some(false)) => {
                return Err(ConfigError::new(
                    "starttls",
                    "may not be false here: passwords would cross the network in plain; use ldaps:// or StartTLS",
                ));
            }
            _ => return Err(wrong()),
        };
        Ok(Self {
            url: format!("{scheme}://{place}"),
            starttls,
            tls: Arc::new(tls::client(Check::Whole, ca_pem)?),
            limit: Limit::seconds(timeout_seconds)?,
        })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.url)
    }
}

/// What went wrong with a connection or an operation.
#[derive(Debug)]
pub(crate) enum Fault {
    /// No answer, or none that can be read. Whatever was asked may have been done.
    Lost(String),
    /// It was never asked.
    NotSent(String),
    /// The certificate, or that TLS is not to be had.
    Tls(String),
    /// The directory's answer.
    Answer(LdapResult),
}

/// An open connection; closed on drop.
pub(crate) struct Link {
    ldap: Ldap,
    driving: JoinHandle<()>,
    limit: Limit,
}

impl Link {
    pub(crate) async fn open(target: &Target) -> Result<Self, Fault> {
        let settings = LdapConnSettings::new().set_starttls(target.starttls).set_config(target.tls.clone());
        let connecting = Box::pin(LdapConnAsync::with_settings(settings, &target.url));
        let opened = target.limit.on(connecting).await.map_err(Fault::from)?;
        let (connection, ldap) = opened.map_err(|error| match error {
            LdapError::LdapResult { result } => {
                Fault::Tls(format!("the directory refuses StartTLS: {}", said(&result.text, [])))
            }
            LdapError::Rustls { source } => Fault::Tls(source.to_string()),
            LdapError::DNSName { .. } => {
                Fault::Tls("the host's name cannot stand in a certificate".to_owned())
            }
            LdapError::Io { source } => {
                let tls = source.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
                if tls { Fault::Tls(source.to_string()) } else { Fault::NotSent(source.to_string()) }
            }
            _ => Fault::NotSent("the connection was lost while it was made".to_owned()),
        })?;
        let driving = tokio::spawn(async move { drop(connection.drive().await) });
        Ok(Self { ldap, driving, limit: target.limit })
    }

    /// Logs in. An answer other than success is a [`Fault::Answer`].
    pub(crate) async fn bind(&mut self, dn: &str, password: &SecretString) -> Result<LdapResult, Fault> {
        self.ldap.with_controls(ppolicy::request());
        let binding = self.ldap.simple_bind(dn, password.expose_secret());
        let result = self.limit.on(Box::pin(binding)).await??;
        if result.rc == 0 { Ok(result) } else { Err(Fault::Answer(result)) }
    }

    /// Performs one operation.
    pub(crate) async fn ask<T>(
        &mut self,
        operation: impl AsyncFnOnce(&mut Ldap) -> Result<T, LdapError>,
    ) -> Result<T, Fault> {
        let limit = self.limit;
        Ok(limit.on(Box::pin(operation(&mut self.ldap))).await??)
    }

    /// One entry with these attributes, if it is there and may be seen.
    pub(crate) async fn entry(
        &mut self,
        dn: &str,
        attributes: &[&str],
    ) -> Result<Option<SearchEntry>, Fault> {
        let attributes = attributes.to_vec();
        let found = self
            .ask(async |ldap| ldap.search(dn, ldap3::Scope::Base, "(objectClass=*)", attributes).await)
            .await?;
        match found.1.rc {
            0 => Ok(found.0.into_iter().next().map(SearchEntry::construct)),
            32 => Ok(None),
            _ => Err(Fault::Answer(found.1)),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driving.abort();
    }
}

impl From<TimedOut> for Fault {
    fn from(timed_out: TimedOut) -> Self {
        Self::Lost(timed_out.to_string())
    }
}

impl From<LdapError> for Fault {
    fn from(error: LdapError) -> Self {
        match error {
            LdapError::OpSend { .. } => Self::NotSent("the connection was closed".to_owned()),
            LdapError::LdapResult { result } => Self::Answer(result),
            // The driver's other sentences may quote what was on the wire.
            _ => Self::Lost("the connection was lost before the answer".to_owned()),
        }
    }
}

impl Fault {
    /// In words, without these secrets.
    pub(crate) fn words<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretString>) -> String {
        match self {
            Self::Lost(words) | Self::NotSent(words) | Self::Tls(words) => said(words, secrets),
            Self::Answer(result) => {
                let text = said(&result.text, secrets);
                let name = code_name(result.rc);
                if text.is_empty() { name } else { format!("{text} ({name})") }
            }
        }
    }

    /// Why no connection came about, or why a look failed. Nothing was changed.
    pub(crate) fn nothing_changed(&self, target: &Target, what: &str, secrets: &[&SecretString]) -> Failure {
        let (class, advice) = match self {
            Self::Lost(_) | Self::NotSent(_) => {
                (Class::Transient, "check host, port and firewall; it is tried again")
            }
            Self::Tls(_) => (Class::NeedsPerson, "check the server's certificate, `ca_pem` and `starttls`"),
            Self::Answer(result) => match result.rc {
                49 | 34 | 48 => (Class::Auth, "check the admin login and its password"),
                8 | 13 => (Class::NeedsPerson, "the directory wants TLS; use ldaps:// or StartTLS"),
                3 | 51 | 52 => (Class::Transient, "it is tried again"),
                _ => (Class::NeedsPerson, "see the directory's log"),
            },
        };
        let words = self.words(secrets.iter().copied());
        Failure::not_applied(class, format!("{target}: {what}: {words}; {advice}"))
    }
}

/// The standard's name of a result.
fn code_name(code: u32) -> String {
    let name = match code {
        2 => "protocolError",
        8 => "strongerAuthRequired",
        10 => "referral",
        13 => "confidentialityRequired",
        16 => "noSuchAttribute",
        19 => "constraintViolation",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        _ => return format!("result {code}"),
    };
    format!("{name}, {code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_cross_a_network_under_tls_only() {
        let target = |url: &str, starttls| Target::new(url, starttls, None, None, true);
        for (url, starttls, uses) in [
            ("ldaps://dc.corp.example", None, false),
            ("ldap://dc.corp.example:1389", None, true),
            ("ldap://dc.corp.example", Some(true), true),
            ("ldap://127.0.0.1:1389/", None, false),
            ("ldap://localhost", Some(true), true),
        ] {
            assert_eq!(target(url, starttls).unwrap().starttls, uses, "{url}");
        }
        for (url, starttls, field) in [
            ("ldap://dc.corp.example", Some(false), "starttls"),
            ("ldaps://dc.corp.example", Some(true), "starttls"),
            ("http://dc.corp.example", None, "url"),
            ("dc.corp.example", None, "url"),
            ("ldap://u:p@dc.corp.example", None, "url"),
            ("ldap://dc.corp.example:x", None, "url"),
            ("ldap://dc.corp.example/dc=corp", None, "url"),
        ] {
            assert_eq!(target(url, starttls).unwrap_err().field, field, "{url}");
        }
        assert!(Target::new("ldap://127.0.0.1", Some(false), None, None, false).is_err());
    }
}
