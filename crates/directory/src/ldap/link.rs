//! A connection to a directory, and what is asked over it.

use std::sync::Arc;
use std::time::Duration;

use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use ldap3::controls::{ControlParser, ControlType, PagedResults};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many entries a page has: Active Directory gives no more than 1,000.
const PAGE: i32 = 500;

/// Where a directory is, and who asks.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) bind_dn: String,
    pub(super) password: SecretString,
    pub(super) tls: Arc<ClientConfig>,
}

/// An open connection; closed on drop.
#[derive(Debug)]
pub(super) struct Link {
    ldap: Ldap,
    driving: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driving.abort();
    }
}

/// A page of entries, and how the next is asked for; empty after the last.
pub(super) struct Page {
    pub(super) entries: Vec<SearchEntry>,
    pub(super) cookie: Vec<u8>,
}

/// What is asked for: below which entry, which ones, and what of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'q> {
    pub(super) base: &'q str,
    pub(super) filter: &'q str,
    pub(super) attributes: &'q [String],
}

impl Link {
    /// Connects and signs in. Passwords cross a network under TLS only; on this machine `ldap://`
    /// does without.
    pub(super) async fn open(target: &Target) -> Result<Self, SourceError> {
        let url = &target.url;
        let place = url.split_once("://").map_or(url.as_str(), |(_, place)| place);
        let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
        let here = ["localhost", "127.0.0.1", "[::1]"].contains(&host.trim_end_matches('/'));
        let starttls = url.starts_with("ldap://") && !here;
        let settings = LdapConnSettings::new().set_starttls(starttls).set_config(target.tls.clone());
        let connecting = Box::pin(LdapConnAsync::with_settings(settings, url));
        let connected = tokio::time::timeout(PATIENCE, connecting).await;
        let connected = connected.map_err(|_| unreachable(url, "it does not answer"))?;
        let (connection, ldap) = connected.map_err(|error| no_connection(url, &error))?;
        let driving = tokio::spawn(async move { drop(connection.drive().await) });
        let mut link = Self { ldap, driving };
        let binding =
            link.ldap.with_timeout(PATIENCE).simple_bind(&target.bind_dn, target.password.expose_secret());
        let bound = Box::pin(binding).await.map_err(|error| broke(url, &error))?;
        match bound.rc {
            0 => Ok(link),
            _ => Err(refused(&bound, &format!("{url} does not let {} in", target.bind_dn))),
        }
    }

    /// One page of what is below an entry.
    pub(super) async fn page(&self, query: Query<'_>, cookie: Vec<u8>) -> Result<Page, SourceError> {
        // A handle of its own, so that many can be asked for at once.
        let mut ldap = self.ldap.clone();
        ldap.with_timeout(PATIENCE).with_controls(PagedResults { size: PAGE, cookie });
        let searching = ldap.search(query.base, Scope::Subtree, query.filter, query.attributes.to_vec());
        let found = Box::pin(searching).await.map_err(|error| broke(query.base, &error))?;
        if found.1.rc != 0 {
            return Err(refused(&found.1, &format!("reading {} below {}", query.filter, query.base)));
        }
        let paged = found.1.ctrls.iter().find(|one| matches!(one.0, Some(ControlType::PagedResults)));
        let paged = paged.and_then(|one| one.1.val.as_deref());
        let paged = paged.map(|value| readable(query.base, || PagedResults::parse(value))).transpose()?;
        // Referrals to other directories and such are no entries.
        let entries = found.0.into_iter().filter(|one| !one.is_ref() && !one.is_intermediate());
        Ok(Page {
            entries: readable(query.base, || entries.map(SearchEntry::construct).collect())?,
            cookie: paged.map(|paged| paged.cookie).unwrap_or_default(),
        })
    }

    /// All entries, given to `each` as they come.
    pub(super) async fn all(
        &self,
        query: Query<'_>,
        mut each: impl FnMut(SearchEntry) -> Result<(), SourceError> + Send,
    ) -> Result<(), SourceError> {
        let mut cookie = Vec::new();
        loop {
            let page = self.page(query, cookie).await?;
            page.entries.into_iter().try_for_each(&mut each)?;
            if page.cookie.is_empty() {
                return Ok(());
            }
            cookie = page.cookie;
        }
    }

    /// One entry, if it is there, may be seen and passes the filter.
    pub(super) async fn entry(&self, query: Query<'_>) -> Result<Option<SearchEntry>, SourceError> {
        let mut ldap = self.ldap.clone();
        ldap.with_timeout(PATIENCE);
        let searching = ldap.search(query.base, Scope::Base, query.filter, query.attributes.to_vec());
        let found = Box::pin(searching).await.map_err(|error| broke(query.base, &error))?;
        match found.1.rc {
            0 => {
                let entry = found.0.into_iter().find(|one| !one.is_ref());
                readable(query.base, || entry.map(SearchEntry::construct))
            }
            // noSuchObject, referral, and a name that is none: nothing of ours.
            32 | 10 | 34 => Ok(None),
            _ => Err(refused(&found.1, &format!("reading {}", query.base))),
        }
    }

    /// A handle for a question of its own.
    pub(super) fn ldap(&self) -> Ldap {
        self.ldap.clone()
    }
}

/// The time that one answer may take, for those who ask by themselves.
pub(super) const fn patience() -> Duration {
    PATIENCE
}

/// Reads what came from the network. The driver's parsers panic at what they cannot read, and say so.
pub(super) fn readable<T>(what: &str, parse: impl FnOnce() -> T) -> Result<T, SourceError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(parse)).map_err(|_| {
        let message = format!(
            "{what}: the directory answers with what is no LDAP; see its log, and what stands between"
        );
        SourceError::new(SourceErrorKind::Malformed, message)
    })
}

fn unreachable(what: &str, why: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Unreachable,
        format!("{what}: {why}; check the host, its port and the network; it is tried again"),
    )
}

fn no_connection(url: &str, error: &LdapError) -> SourceError {
    let tls = |why: &str| {
        let advice = "check the server's certificate, and name its authority in ca_file if this machine does not know it";
        SourceError::new(SourceErrorKind::Refused, format!("{url}: no TLS came about: {why}; {advice}"))
    };
    match error {
        LdapError::LdapResult { result } => tls(&format!("the directory refuses StartTLS ({})", result.text)),
        LdapError::Rustls { source } => tls(&source.to_string()),
        LdapError::DNSName { .. } => tls("the host's name cannot stand in a certificate"),
        LdapError::Io { source } if source.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            tls(&source.to_string())
        }
        LdapError::Io { source } => unreachable(url, &source.to_string()),
        _ => unreachable(url, "the connection was lost while it was made"),
    }
}

/// The driver's own sentences may quote what was on the wire.
pub(super) fn broke(what: &str, error: &LdapError) -> SourceError {
    match error {
        LdapError::FilterParsing => SourceError::new(
            SourceErrorKind::Malformed,
            format!("{what}: a filter of the job file is none (RFC 4515)"),
        ),
        LdapError::Timeout { .. } => unreachable(what, "no answer came in time"),
        _ => unreachable(what, "the connection was lost"),
    }
}

pub(super) fn refused(result: &LdapResult, what: &str) -> SourceError {
    let (kind, advice) = match result.rc {
        3 | 4 | 11 => (
            SourceErrorKind::Refused,
            "the directory gives no more to this login; raise its limits (OpenLDAP: `limits dn.exact=… size=unlimited`)",
        ),
        8 | 13 => {
            (SourceErrorKind::Refused, "the directory wants TLS; use ldaps://, or ldap:// for StartTLS")
        }
        32 => {
            (SourceErrorKind::Malformed, "there is no such entry, or this login may not see it; check base")
        }
        34 => (SourceErrorKind::Malformed, "this is no name of an entry; write it as cn=reader,dc=example"),
        48 | 49 | 50 | 53 => (SourceErrorKind::Refused, "check bind_dn, its password, and what it may read"),
        51 | 52 => (SourceErrorKind::Throttled(None), "the directory is busy; it is tried again"),
        4096 => (SourceErrorKind::Expired, "all is read anew"),
        _ => (SourceErrorKind::Malformed, "see the directory's log"),
    };
    let text = result.text.trim_end_matches('\0').trim();
    let text = if text.is_empty() { String::new() } else { format!("{text}, ") };
    SourceError::new(kind, format!("{what}: {text}result {}; {advice}", result.rc))
}
