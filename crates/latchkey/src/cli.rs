//! The command line: a contract that scripts, tests and container images rely on.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use latchkey_vault::KeySource;

/// Keeps who may use shared logins in step with the company's directory.
///
/// Start with `latchkey demo`: it plays the whole story on a sample company. Then run
/// `latchkey serve`, make a workspace with `latchkey admin workspace create`, and paste the
/// Tenant URL and a token into your directory.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Answer in JSON on standard output, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play the story on a sample company: provision, grant, disable, reactivate
    Demo(Demo),
    /// Serve SCIM and the management API
    Serve(Serve),
    /// Manage workspaces and tokens on this host, beside a running server
    #[command(subcommand)]
    Admin(Admin),
    /// Check the audit log
    #[command(subcommand)]
    Audit(Audit),
    /// Look at the keys that secrets are sealed under, and replace them
    #[command(subcommand)]
    Vault(Vault),
    /// Change an account's password at the real system, and prove it
    Rotate(crate::rotate::Rotate),
    /// Say how passwords are changed at each target, and try it on one login
    #[command(subcommand)]
    Connector(crate::connector::Connector),
    /// Report on a member who left, or would
    #[command(subcommand)]
    Offboarding(crate::offboarding::Offboarding),
    /// Provision people and groups from a directory to a SCIM application
    #[command(subcommand)]
    Provision(crate::provision::Provision),
    /// Keep people and groups in a workspace's own directory, which provisioning jobs read
    #[command(subcommand)]
    Directory(crate::directory::Directory),
    /// Look for what is wrong with this installation, and say what to do
    Doctor(Doctor),
    /// Bring accounts in from another password manager's export
    Import(Import),
    /// Write the accounts that a member owns, with their passwords, into a file
    Export(Export),
    /// Write everything, as it is at one instant, into one sealed file, while a server runs
    Backup(Backup),
    /// Restore a backup into an empty installation, on either database, or try whether it can be
    Restore(Restore),
}

/// Where rows and keys are kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// Folder for the keys and, without a database URL, the embedded database
    #[arg(long, env = "LATCHKEY_DATA", value_name = "DIR", default_value = "latchkey-data")]
    pub(crate) data: PathBuf,
    /// PostgreSQL to use instead of the embedded database, as postgres://user:password@host/name
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// Where the key comes from that wraps all others: file, file:/PATH, env:NAME, credential:NAME, passphrase (in LATCHKEY_PASSPHRASE) or transit:https://HOST:PORT#KEY
    #[arg(long, env = "LATCHKEY_KEY_SOURCE", value_name = "SOURCE", default_value = "file")]
    pub(crate) key_source: KeySource,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Listen {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "LATCHKEY_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where clients reach this server, if a proxy stands in front, as `https://latchkey.example.com`
    #[arg(long, env = "LATCHKEY_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub(crate) public_url: Option<String>,
}

/// How mail about provisioning jobs is sent.
#[derive(Debug, Clone, Args)]
pub(crate) struct Smtp {
    /// Mail server for messages about provisioning jobs, as smtps://user:password@mail.example.com
    #[arg(
        long,
        env = "LATCHKEY_SMTP_URL",
        value_name = "URL",
        hide_env_values = true,
        requires = "smtp_from"
    )]
    pub(crate) smtp_url: Option<String>,
    /// Whom mail is from, as "Latchkey <latchkey@example.com>"
    #[arg(long, env = "LATCHKEY_SMTP_FROM", value_name = "ADDRESS")]
    pub(crate) smtp_from: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Data folder to use; must be new or an earlier demo's [default: a fresh folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Your own people instead of the sample company: a CSV or JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) people: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// End when the story is told instead of serving on
    #[arg(long)]
    pub(crate) exit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) listen: Listen,
    #[command(flatten)]
    pub(crate) smtp: Smtp,
    /// Connections to PostgreSQL
    #[arg(long, env = "LATCHKEY_DATABASE_CONNECTIONS", value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..=500))]
    pub(crate) database_connections: u16,
    /// What to log, as `info` or `latchkey=debug,warn`
    #[arg(long, env = "LATCHKEY_LOG", value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
    /// Write the log as JSON, one object a line
    #[arg(long, env = "LATCHKEY_LOG_JSON")]
    pub(crate) log_json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Workspaces
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Tokens with which a directory writes to a workspace
    #[command(subcommand)]
    ScimToken(ScimToken),
    /// Tokens with which a member's programs use the management API
    #[command(subcommand)]
    ApiToken(ApiToken),
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkspaceCommand {
    /// Make a workspace with its first Owner
    Create {
        /// Name of the workspace, unique on this installation
        name: String,
        /// Mail address of the first Owner; becomes a member
        #[arg(long, value_name = "EMAIL")]
        owner: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the workspaces
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Give an ownerless workspace an Owner again
    Recover {
        /// Name of the workspace
        name: String,
        /// User name or mail address of an active member, or of a new one, who becomes Owner
        #[arg(long, value_name = "EMAIL")]
        owner: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScimToken {
    /// Make a token and print it, alone, on standard output
    Create {
        /// Name of the workspace
        #[arg(long, value_name = "NAME")]
        workspace: String,
        /// What to call the token
        #[arg(long, value_name = "NAME", default_value = "Directory")]
        name: String,
        /// Requests a second that it may make; without it there is no limit
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        rate_limit: Option<u32>,
        #[command(flatten)]
        place: Place,
    },
    /// Make a new token in the place of one and print it, alone, on standard output
    Regenerate {
        /// Name of the workspace
        #[arg(long, value_name = "NAME")]
        workspace: String,
        /// Id of the token; not needed where there is only one valid
        #[arg(value_name = "TOKEN_ID")]
        token: Option<String>,
        /// Hours for which the old one stays valid, so that the directory does not fail in between
        #[arg(long, value_name = "HOURS", default_value_t = 0.0, value_parser = grace_hours)]
        grace_hours: f64,
        #[command(flatten)]
        place: Place,
    },
    /// End a token at once
    Revoke {
        /// Name of the workspace
        #[arg(long, value_name = "NAME")]
        workspace: String,
        /// Id of the token; not needed where there is only one valid
        #[arg(value_name = "TOKEN_ID")]
        token: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List the tokens with their last use; never their text
    List {
        /// Name of the workspace
        #[arg(long, value_name = "NAME")]
        workspace: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApiToken {
    /// Make a token and print it, alone, on standard output; it cannot be shown again
    Create {
        /// Name of the workspace
        #[arg(long, value_name = "NAME")]
        workspace: String,
        /// User name or mail address of the member whose token it is
        #[arg(long, value_name = "EMAIL")]
        member: String,
        /// What to call the token
        #[arg(long, value_name = "NAME", default_value = "API")]
        name: String,
        /// What it may do, as `members:read`; may be repeated [default: all that the role may]
        #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
        scopes: Vec<latchkey_access::Scope>,
        /// Days for which it is valid; without it there is no end
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3_660))]
        days: Option<u32>,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Recompute the hash chain and tell any record that was altered, removed or moved
    Verify {
        /// Name of the workspace [default: all]
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Vault {
    /// Show each workspace's keys and how many secrets are sealed under each
    Status {
        /// Name of the workspace [default: all]
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Replace the workspaces' keys and seal every secret anew, beside a running server
    ///
    /// May be stopped at any time: run it again, or leave the rest to the server.
    RotateKeys {
        /// Name of the workspace [default: all]
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        /// Make no new key: only go on with what was left unfinished
        #[arg(long)]
        resume: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print the routes that `serve` answers, with the token that each needs, and end
    #[arg(long)]
    pub(crate) routes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What was exported, or a KeePass database; its format is told from its content
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Name of the workspace
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: String,
    /// User name or mail address of the member who becomes the owner
    #[arg(long, value_name = "EMAIL")]
    pub(crate) owner: String,
    /// Show what would be made, and write nothing
    #[arg(long)]
    pub(crate) preview: bool,
    /// Format of the file: 1pux, 1password-csv, bitwarden-json, bitwarden-csv, lastpass-csv, kdbx, keepass-csv, chrome-csv, latchkey-json or latchkey-csv
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<latchkey_interchange::Format>,
    /// File whose first line is the password of a locked export or database
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Key file of a KeePass database
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Name of the workspace
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: String,
    /// User name or mail address of the member who owns the accounts
    #[arg(long, value_name = "EMAIL")]
    pub(crate) member: String,
    /// File to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Format of the file: csv or json
    #[arg(long, value_name = "FORMAT", default_value = "json", value_parser = ["csv", "json"])]
    pub(crate) format: String,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// File with the recovery kit, where the keys are lost
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_kit: Option<PathBuf>,
    /// Restore into a folder that is thrown away, and only say how it went
    #[arg(long)]
    pub(crate) verify_only: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

fn public_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or("it must begin with https:// (or http:// on a private network)")?;
    if rest.is_empty() || rest.contains(['?', '#', ' ']) {
        return Err("give scheme, host and, if any, port and path".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn scope(text: &str) -> Result<latchkey_access::Scope, String> {
    latchkey_access::Scope::from_word(text).ok_or_else(|| {
        let known: Vec<_> = latchkey_access::Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("there is no such scope; there are {}", known.join(", "))
    })
}

fn grace_hours(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(hours) if (0.0..=72.0).contains(&hours) => Ok(hours),
        _ => Err("give hours from 0 to 72".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn public_urls_lose_their_last_slash_and_need_a_scheme() {
        assert_eq!(public_url("https://a.example/").as_deref(), Ok("https://a.example"));
        for wrong in ["a.example", "https://", "ftp://a", "https://a?b", "https://a b"] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
