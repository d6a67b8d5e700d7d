//! What `latchkey connector check` takes for targets on the web.

use std::path::PathBuf;

use clap::Args;

use super::options::{AdminPassword, Passwords};

/// What may be reached beyond public addresses over https.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// Network that may be reached though it is not public, as 10.20.0.0/16; may be repeated
    #[arg(long = "allow-network", value_name = "NETWORK")]
    pub(crate) networks: Vec<String>,
    /// Speak to this machine without TLS
    #[arg(long)]
    pub(crate) plain_http_on_loopback: bool,
}

/// A recipe, and where its hosts are.
#[derive(Debug, Args)]
pub(crate) struct Recipe {
    /// The recipe, as TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) recipe: PathBuf,
    /// Host in place of the one that the recipe lists; once for each, in its order
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    /// File with the TOTP seed of the login, in base32 or as an otpauth address; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) totp_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct Http {
    #[command(flatten)]
    pub(crate) recipe: Recipe,
    #[command(flatten)]
    pub(crate) admin: AdminPassword,
    /// File with the authority of the server's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Browser {
    #[command(flatten)]
    pub(crate) recipe: Recipe,
    /// The Chromium to start [default: the one on PATH]
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) chromium: Option<PathBuf>,
    /// Where a picture of the page is put when a step fails, every field blanked
    #[arg(long, value_name = "FILE")]
    pub(crate) screenshot: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Webhook {
    /// Where the receiver listens
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// The receiver's X25519 public key, in base64, that secrets are sealed to
    #[arg(long, value_name = "KEY", required_unless_present = "in_clear")]
    pub(crate) receiver_key: Option<String>,
    /// Send secrets in clear within TLS instead
    #[arg(long, conflicts_with = "receiver_key")]
    pub(crate) in_clear: bool,
    /// File that holds the signing secret, whsec_…; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "signing_secret_env")]
    pub(crate) signing_secret_file: Option<PathBuf>,
    /// Environment variable that holds it instead
    #[arg(long, value_name = "NAME", conflicts_with = "signing_secret_file")]
    pub(crate) signing_secret_env: Option<String>,
    /// File with the authority of the receiver's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}
