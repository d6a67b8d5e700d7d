//! What `latchkey connector` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::manage::ConnectorCommand;
use super::secret::Source;
use super::web::{Browser, Http, Webhook};

#[derive(Debug, Subcommand)]
pub(crate) enum Connector {
    /// Change one login's password or key for real, and prove each step
    ///
    /// Run this on a throw-away login before you trust a connector with others. It looks at the target,
    /// changes the secret, logs in afresh with the new one, checks that the old one is refused, and ends the
    /// sessions that were open. Afterwards the new secret is in force.
    ///
    /// Each step says how it went and how long it took. Ends with 0 only if all held. With --json, one
    /// object a step.
    ///
    /// Secrets come from files (- is standard input) or from environment variables, never from the command
    /// line, which every process on the machine can read.
    #[command(subcommand)]
    Check(Check),
    #[command(flatten)]
    Manage(ConnectorCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Check {
    /// A role of a PostgreSQL server
    #[command(after_help = "Example:
  latchkey connector check postgres --admin-url postgres://rotator@db.corp.example/postgres \\
    --admin-password-file rotator.txt --login app_role --old-password-file old.txt --new-password-file new.txt

The admin login needs CREATEROLE and, from PostgreSQL 16, ADMIN OPTION on the role; to end sessions,
pg_signal_backend. Without a user in the URL the role changes its own password.")]
    Postgres(Postgres),
    /// A user of a MySQL or MariaDB server, for every host that it may come from
    #[command(after_help = "Example:
  latchkey connector check mysql --admin-url mysql://rotator@db.corp.example \\
    --admin-password-file rotator.txt --login app --old-password-file old.txt --new-password-file new.txt

The admin login needs CREATE USER and SELECT on mysql.*; to end sessions, PROCESS and CONNECTION ADMIN.")]
    Mysql(Mysql),
    /// An entry of an LDAP directory
    #[command(after_help = "Example:
  latchkey connector check ldap --url ldaps://ldap.corp.example \\
    --bind-dn cn=rotator,dc=corp,dc=example --bind-password-file rotator.txt \\
    --login uid=app,ou=people,dc=corp,dc=example --old-password-file old.txt --new-password-file new.txt")]
    Ldap(Ldap),
    /// A login of an Active Directory domain
    #[command(
        visible_alias = "ad",
        alias = "active_directory",
        after_help = "Example:
  latchkey connector check ad --url ldaps://dc1.corp.example --admin svc-rotate@corp.example \\
    --admin-password-file rotator.txt --login app@corp.example --old-password-file old.txt --new-password-file new.txt

The admin login needs `Reset password` on the login, by delegation of control."
    )]
    ActiveDirectory(ActiveDirectory),
    /// The password of a Unix login, over SSH
    #[command(after_help = "Example:
  latchkey connector check unix --host web1.corp.example --host-key \"$(cat web1_host_ed25519.pub)\" \\
    --admin root --admin-key-file rotator_key --login app --old-password-file old.txt --new-password-file new.txt

An admin login that is not root needs, in sudoers: NOPASSWD: /usr/sbin/chpasswd \"\", /usr/bin/pkill")]
    Unix(Unix),
    /// The key of a Unix login, in its authorized_keys
    #[command(
        alias = "ssh_key",
        after_help = "Example:
  latchkey connector check ssh-key --host web1.corp.example --host-key SHA256:… \\
    --login app --old-key-file old_key --new-key-file new_key

Without --admin the login changes its own keys."
    )]
    SshKey(SshKey),
    /// A target whose password HTTP requests change, as a recipe declares them
    #[command(after_help = "Example:
  latchkey connector check http --recipe crm.toml \\
    --login app --old-password-file old.txt --new-password-file new.txt

The admin secret is what {{admin.secret}} in the recipe stands for.")]
    Http(Http),
    /// A target whose password is changed on its web pages, in a Chromium without a window
    #[command(after_help = "Example:
  latchkey connector check browser --recipe shop.toml --screenshot failed.png \\
    --login app@corp.example --old-password-file old.txt --new-password-file new.txt")]
    Browser(Browser),
    /// A receiver of signed webhooks that changes the password itself
    #[command(after_help = "Example:
  latchkey connector check webhook --url https://rotate.corp.example/hook \\
    --signing-secret-file whsec.txt --receiver-key \"$(cat receiver.pub)\" \\
    --login app --old-password-file old.txt --new-password-file new.txt")]
    Webhook(Webhook),
}

/// The login, and the secrets that it is to have had and to have.
#[derive(Debug, Args)]
pub(crate) struct Passwords {
    /// The login whose password is changed, as the target names it
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// File that holds the password that works now; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "old_password_env")]
    pub(crate) old_password_file: Option<PathBuf>,
    /// Environment variable that holds it instead
    #[arg(long, value_name = "NAME", conflicts_with = "old_password_file")]
    pub(crate) old_password_env: Option<String>,
    /// File that holds the password that is to work then; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "new_password_env")]
    pub(crate) new_password_file: Option<PathBuf>,
    /// Environment variable that holds it instead
    #[arg(long, value_name = "NAME", conflicts_with = "new_password_file")]
    pub(crate) new_password_env: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What every kind takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Leave the sessions open that were opened with the old secret
    #[arg(long)]
    pub(crate) keep_sessions: bool,
    /// Seconds that each step may take
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) timeout: u64,
}

/// The password of the login that changes others'.
#[derive(Debug, Args)]
pub(crate) struct AdminPassword {
    /// File that holds the admin login's password; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_password_file: Option<PathBuf>,
    /// Environment variable that holds it instead
    #[arg(long, value_name = "NAME", conflicts_with = "admin_password_file")]
    pub(crate) admin_password_env: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Postgres {
    /// The server and the admin login, as postgres://admin@host:port/database?sslmode=verify-full. A password
    /// may stand in it, but others on this machine could read it: prefer --admin-password-file
    #[arg(long, value_name = "URL")]
    pub(crate) admin_url: String,
    #[command(flatten)]
    pub(crate) admin: AdminPassword,
    /// Database to prove logins in, if not the URL's
    #[arg(long, value_name = "NAME")]
    pub(crate) verify_database: Option<String>,
    /// File with the authority of the server's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct Mysql {
    /// The server and the admin login, as mysql://admin@host:port?sslmode=verify-full. A password may stand in
    /// it, but others on this machine could read it: prefer --admin-password-file
    #[arg(long, value_name = "URL")]
    pub(crate) admin_url: String,
    #[command(flatten)]
    pub(crate) admin: AdminPassword,
    /// Host of user@host whose password is changed; may be repeated [default: all of the user's]
    #[arg(long = "user-host", value_name = "HOST")]
    pub(crate) user_hosts: Vec<String>,
    /// Send the password as it is, for servers with strict_password_validation; its logs are turned off first
    #[arg(long)]
    pub(crate) send_plain: bool,
    /// File with the authority of the server's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct Ldap {
    /// The directory, as ldaps://host, or ldap://host for StartTLS
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// StartTLS on ldap:// also on this machine; elsewhere it always is
    #[arg(long)]
    pub(crate) starttls: bool,
    /// DN that changes others' passwords; without it the entry changes its own
    #[arg(long, value_name = "DN")]
    pub(crate) bind_dn: Option<String>,
    /// File that holds its password; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) bind_password_file: Option<PathBuf>,
    /// Environment variable that holds it instead
    #[arg(long, value_name = "NAME", conflicts_with = "bind_password_file")]
    pub(crate) bind_password_env: Option<String>,
    /// Where logins stand, as uid={login},ou=people,dc=corp; without it --login is a DN
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) user_dn: Option<String>,
    /// File with the authority of the server's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct ActiveDirectory {
    /// A domain controller, as ldaps://host, or ldap://host for StartTLS
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// Login that resets others' passwords, as name@domain; without it the login changes its own
    #[arg(long, value_name = "LOGIN")]
    pub(crate) admin: Option<String>,
    #[command(flatten)]
    pub(crate) password: AdminPassword,
    /// Where logins are looked for [default: the whole domain]
    #[arg(long, value_name = "DN")]
    pub(crate) base_dn: Option<String>,
    /// Keep the domain's history and minimum age in a reset too
    #[arg(long)]
    pub(crate) mind_history: bool,
    /// File with the authority of the server's certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

/// A server over SSH and who acts for others there.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// The server's name or address
    #[arg(long, value_name = "HOST")]
    pub(crate) host: String,
    /// Its port
    #[arg(long, value_name = "PORT", default_value_t = 22)]
    pub(crate) port: u16,
    /// The server's public host key, as `ssh-ed25519 AAAA…` or SHA256:…; may be repeated
    #[arg(long = "host-key", value_name = "KEY", required = true)]
    pub(crate) host_keys: Vec<String>,
    /// File that holds the admin login's private key, without a passphrase
    #[arg(long, value_name = "FILE", conflicts_with_all = ["admin_password_file", "admin_password_env"])]
    pub(crate) admin_key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) password: AdminPassword,
    /// The admin login may act by sudo without a password [default: yes, unless it is root]
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub(crate) sudo: Option<bool>,
}

#[derive(Debug, Args)]
pub(crate) struct Unix {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Login that changes others' passwords
    #[arg(long, value_name = "LOGIN")]
    pub(crate) admin: String,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct SshKey {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Login that changes others' keys; without it the login changes its own
    #[arg(long, value_name = "LOGIN")]
    pub(crate) admin: Option<String>,
    /// The login whose key is changed
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// File with the private key that works now; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) old_key_file: PathBuf,
    /// File with the private key that is to work then; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key_file: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl Passwords {
    pub(crate) fn old(&self) -> Source<'_> {
        Source::new("old password", self.old_password_file.as_deref(), self.old_password_env.as_deref())
    }

    pub(crate) fn new_one(&self) -> Source<'_> {
        Source::new("new password", self.new_password_file.as_deref(), self.new_password_env.as_deref())
    }
}

impl AdminPassword {
    pub(crate) fn source(&self) -> Source<'_> {
        Source::new(
            "admin login's password",
            self.admin_password_file.as_deref(),
            self.admin_password_env.as_deref(),
        )
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}
