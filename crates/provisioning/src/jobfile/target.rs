//! `[target]`: the SCIM provider that is written.

use std::time::Duration;

use super::fields::Fields;
use super::source::{SecretFrom, secret_named, url};

/// A SCIM provider and how to talk to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetConfig {
    /// Its base; may be given at the command line instead.
    pub url: Option<String>,
    /// What it is shown; may be given at the command line instead.
    pub credential: Option<Credential>,
    /// In which words changes are sent.
    pub dialect: Dialect,
    /// Requests at once at most.
    pub concurrency: u64,
    /// Requests a second at most; `None` goes as fast as the target lets it.
    pub requests_per_second: Option<u64>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Certificates of authorities to trust besides the usual ones.
    pub ca_file: Option<String>,
}

/// What a target is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A token that stays the same.
    Bearer(SecretFrom),
    /// OAuth 2.0 client credentials.
    ClientCredentials {
        /// Where tokens come from.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// Its secret.
        client_secret: SecretFrom,
        /// What is asked for.
        scope: Option<String>,
    },
}

/// In which words changes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// As RFC 7644 has it.
    Rfc,
    /// As Entra ID sends it unless told otherwise.
    Entra,
    /// As Entra ID sends it with `aadOptscim062020`.
    EntraCompliant,
    /// As RFC 7644, and as Entra ID where the target refuses that.
    Auto,
}

const DIALECTS: &[(&str, Dialect)] = &[
    ("auto", Dialect::Auto),
    ("rfc", Dialect::Rfc),
    ("entra", Dialect::Entra),
    ("entra-compliant", Dialect::EntraCompliant),
];

pub(super) fn read(fields: Fields<'_>) -> Option<TargetConfig> {
    let base = url(&fields, "url", false);
    let wrong_url = fields.has("url") && base.is_none();
    let credential = if fields.has("token_url") {
        let token_url = url(&fields, "token_url", true);
        let client_id = fields.need_text("client_id", "the client's id at the token URL").map(str::to_owned);
        let client_secret =
            secret_named(&fields, ("client_secret_file", "client_secret_env"), "ClientSecret");
        let scope = fields.text("scope").map(str::to_owned);
        Some(token_url.zip(client_id).zip(client_secret).map(|((token_url, client_id), client_secret)| {
            Credential::ClientCredentials { token_url, client_id, client_secret, scope }
        }))
    } else if fields.is_kept() || fields.has("token_file") || fields.has("token_env") {
        let _ = fields.text("token_url");
        Some(secret_named(&fields, ("token_file", "token_env"), "SecretToken").map(Credential::Bearer))
    } else {
        // So that they are known fields.
        let _ = (fields.text("token_file"), fields.text("token_env"), fields.text("token_url"));
        None
    };
    let dialect = fields.word("dialect", DIALECTS).unwrap_or(Dialect::Auto);
    let concurrency = fields.number("concurrency", 1..=256).unwrap_or(8);
    let requests_per_second = fields.number("requests_per_second", 1..=100_000);
    let timeout = fields.number("timeout_seconds", 1..=600).unwrap_or(30);
    let ca_file = fields.local("ca_file");
    fields.finish();
    let wrong_credential = matches!(credential, Some(None));
    (!wrong_url && !wrong_credential).then(|| TargetConfig {
        url: base,
        credential: credential.flatten(),
        dialect,
        concurrency,
        requests_per_second,
        timeout: Duration::from_secs(timeout),
        ca_file,
    })
}
