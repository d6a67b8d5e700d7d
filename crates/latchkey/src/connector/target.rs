//! From options to a connector and the login to try it on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use latchkey_kernel::{Clock, Entropy, OsEntropy, SystemClock};
use latchkey_rotators::recipe::{CodeSource, OneTimeCode};
use latchkey_rotators::{AnyConnector, Kind};
use latchkey_vault::totp::Totp;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::options::{Check, Common, Passwords, Server};
use super::secret::Source;
use super::web::{Reach, Recipe};

/// All that a check needs.
pub(super) struct Trial {
    pub(super) connector: AnyConnector,
    pub(super) login: String,
    pub(super) old: SecretString,
    pub(super) new: SecretString,
    pub(super) keep_sessions: bool,
    /// For targets that can tell a repeated request; another one each time, since each check is meant.
    pub(super) key: String,
    /// Where a picture of a failure goes.
    pub(super) screenshot: Option<PathBuf>,
}

impl Trial {
    pub(super) fn new(check: &Check) -> anyhow::Result<Self> {
        match check {
            Check::Postgres(options) => {
                let url = admin_url(
                    &options.admin_url,
                    &["postgres", "postgresql"],
                    "postgres://admin@host/database",
                )?;
                let mut config = url.config(&["sslmode"])?;
                config["database"] = json!(url.database);
                config["verify_database"] = json!(options.verify_database);
                config["ca_pem"] = json!(pem(options.ca_file.as_deref())?);
                let admin = options.admin.source();
                url.trial(Kind::Postgres, config, admin, &options.passwords)
            }
            Check::Mysql(options) => {
                let url = admin_url(&options.admin_url, &["mysql", "mariadb"], "mysql://admin@host")?;
                let mut config = url.config(&["sslmode"])?;
                config["ca_pem"] = json!(pem(options.ca_file.as_deref())?);
                if !options.user_hosts.is_empty() {
                    config["hosts"] = json!(options.user_hosts);
                }
                if options.send_plain {
                    config["password_sent"] = json!("plain");
                }
                let admin = options.admin.source();
                url.trial(Kind::Mysql, config, admin, &options.passwords)
            }
            Check::Ldap(options) => {
                let config = json!({
                    "url": options.url,
                    "starttls": options.starttls.then_some(true),
                    "admin": options.bind_dn,
                    "user_dn": options.user_dn,
                    "ca_pem": pem(options.ca_file.as_deref())?,
                });
                let admin = Source::new(
                    "bind DN's password",
                    options.bind_password_file.as_deref(),
                    options.bind_password_env.as_deref(),
                );
                with_passwords(Kind::Ldap, config, admin, None, &options.passwords)
            }
            Check::ActiveDirectory(options) => {
                let config = json!({
                    "url": options.url,
                    "admin": options.admin,
                    "base_dn": options.base_dn,
                    "mind_history": options.mind_history,
                    "ca_pem": pem(options.ca_file.as_deref())?,
                });
                with_passwords(
                    Kind::ActiveDirectory,
                    config,
                    options.password.source(),
                    None,
                    &options.passwords,
                )
            }
            Check::Unix(options) => {
                let config = server(&options.server, Some(&options.admin));
                with_passwords(Kind::Unix, config, options.server.credential(), None, &options.passwords)
            }
            Check::SshKey(options) => {
                let config = server(&options.server, options.admin.as_deref());
                let old = Source::new("old key", Some(&options.old_key_file), None);
                let new = Source::new("new key", Some(&options.new_key_file), None);
                let admin = options.server.credential();
                assemble(Kind::SshKey, config, [admin, old, new], None, &options.login, &options.common)
            }
            Check::Http(options) => {
                let mut config = recipe(&options.recipe)?;
                config["network"]["ca_certificates"] = json!(pem(options.ca_file.as_deref())?);
                let admin = options.admin.source();
                with_recipe(Kind::Http, config, admin, &options.recipe)
            }
            Check::Browser(options) => {
                let mut config = recipe(&options.recipe)?;
                config["chromium"] = json!(options.chromium);
                let none = Source::new("admin secret", None, None);
                let trial = with_recipe(Kind::Browser, config, none, &options.recipe)?;
                Ok(Self { screenshot: options.screenshot.clone(), ..trial })
            }
            Check::Webhook(options) => {
                let mut config = json!({
                    "url": options.url,
                    "delivery": match &options.receiver_key {
                        Some(key) => json!({ "sealed_to": key }),
                        None => json!("in_clear"),
                    },
                    "network": network(&options.reach),
                });
                config["network"]["ca_certificates"] = json!(pem(options.ca_file.as_deref())?);
                let signing = Source::new(
                    "signing secret",
                    options.signing_secret_file.as_deref(),
                    options.signing_secret_env.as_deref(),
                );
                with_passwords(Kind::Webhook, config, signing, None, &options.passwords)
            }
        }
    }
}

impl Server {
    fn credential(&self) -> Source<'_> {
        match &self.admin_key_file {
            Some(file) => Source::new("admin login's key", Some(file), None),
            None => self.password.source(),
        }
    }
}

fn server(options: &Server, admin: Option<&str>) -> Value {
    json!({
        "host": options.host,
        "port": options.port,
        "host_keys": options.host_keys,
        "admin": admin,
        "sudo": options.sudo,
    })
}

fn network(reach: &Reach) -> Value {
    json!({ "allow": reach.networks, "plain_http_on_loopback": reach.plain_http_on_loopback })
}

fn recipe(options: &Recipe) -> anyhow::Result<Value> {
    let file = &options.recipe;
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the recipe from {}", file.display()))?;
    Ok(json!({ "recipe": text, "hosts": options.hosts, "network": network(&options.reach) }))
}

/// With the one-time codes of the login, if its seed is given.
fn with_recipe(kind: Kind, config: Value, admin: Source<'_>, options: &Recipe) -> anyhow::Result<Trial> {
    let seed = Source::new("TOTP seed", options.totp_file.as_deref(), None);
    let passwords = &options.passwords;
    one_from_stdin(&[admin, passwords.old(), passwords.new_one(), seed])?;
    let seed = seed.read()?;
    let trial = with_passwords(kind, config, admin, None, passwords)?;
    let Some(seed) = seed else { return Ok(trial) };
    // The error names the part that is wrong and never the seed.
    let totp = Arc::new(Totp::parse(seed.expose_secret()).context("the TOTP seed cannot be read")?);
    let codes: CodeSource = Arc::new(move || {
        let code = totp.code(SystemClock.now());
        let valid_for = Duration::from_secs(code.seconds_left.into());
        Box::pin(std::future::ready(Ok(OneTimeCode { code: code.code, valid_for })))
    });
    Ok(Trial { connector: trial.connector.with_codes(codes), ..trial })
}

fn one_from_stdin(sources: &[Source<'_>]) -> anyhow::Result<()> {
    if sources.iter().filter(|source| source.is_stdin()).count() > 1 {
        bail!("only one secret can come from standard input; name files for the others");
    }
    Ok(())
}

fn with_passwords(
    kind: Kind,
    config: Value,
    admin: Source<'_>,
    in_url: Option<SecretString>,
    passwords: &Passwords,
) -> anyhow::Result<Trial> {
    let sources = [admin, passwords.old(), passwords.new_one()];
    assemble(kind, config, sources, in_url, &passwords.login, &passwords.common)
}

fn assemble(
    kind: Kind,
    mut config: Value,
    sources: [Source<'_>; 3],
    in_url: Option<SecretString>,
    login: &str,
    common: &Common,
) -> anyhow::Result<Trial> {
    one_from_stdin(&sources)?;
    let [admin, old, new] = sources;
    let admin = admin.read()?.or(in_url);
    config["timeout_seconds"] = json!(common.timeout);
    if let Some(fields) = config.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    let connector = AnyConnector::from_config(kind, &config, admin)
        .with_context(|| format!("these options make no {kind} connector"))?;
    Ok(Trial {
        connector,
        login: login.to_owned(),
        old: old.required()?,
        new: new.required()?,
        keep_sessions: common.keep_sessions,
        key: format!("connector-check-{:x}", u128::from_be_bytes((&OsEntropy as &dyn Entropy).bytes())),
        screenshot: None,
    })
}

/// The parts of an admin URL.
struct AdminUrl {
    host: String,
    port: Option<u16>,
    admin: Option<String>,
    password: Option<SecretString>,
    database: Option<String>,
    options: Vec<(String, String)>,
}

/// Reads an admin URL. Its errors never show it, since a password may stand in it.
fn admin_url(text: &str, schemes: &[&str], example: &str) -> anyhow::Result<AdminUrl> {
    let wrong = || anyhow::anyhow!("--admin-url must be a URL as {example}");
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !schemes.contains(&url.scheme()) {
        return Err(wrong());
    }
    let decoded = |part: &str| {
        percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| wrong())
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(AdminUrl {
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: url.port(),
        admin: some(decoded(url.username())?),
        password: url.password().map(decoded).transpose()?.and_then(some).map(SecretString::from),
        database: some(decoded(url.path().trim_start_matches('/'))?),
        options: url.query_pairs().into_owned().collect(),
    })
}

impl AdminUrl {
    fn config(&self, known: &[&str]) -> anyhow::Result<Value> {
        let mut config = json!({ "host": self.host, "port": self.port, "admin": self.admin });
        for (name, value) in &self.options {
            if !known.contains(&name.as_str()) {
                bail!("--admin-url: there is no option {name:?}; there is {}", known.join(", "));
            }
            config[name] = json!(value);
        }
        Ok(config)
    }

    fn trial(
        self,
        kind: Kind,
        config: Value,
        admin: Source<'_>,
        passwords: &Passwords,
    ) -> anyhow::Result<Trial> {
        with_passwords(kind, config, admin, self.password, passwords)
    }
}

fn pem(file: Option<&std::path::Path>) -> anyhow::Result<Option<String>> {
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read --ca-file {}", path.display()))
    };
    file.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    const SCHEMES: &[&str] = &["postgres", "postgresql"];

    #[test]
    fn an_admin_url_is_taken_apart_and_decoded() {
        let url = admin_url("postgres://rot%40ator:p%3A%2F%C3%BC@db:6432/app?sslmode=require", SCHEMES, "e")
            .unwrap();
        assert_eq!((url.host.as_str(), url.port, url.admin.as_deref()), ("db", Some(6432), Some("rot@ator")));
        assert_eq!(url.password.as_ref().unwrap().expose_secret(), "p:/ü");
        assert_eq!(url.database.as_deref(), Some("app"));
        assert_eq!(url.config(&["sslmode"]).unwrap()["sslmode"], "require");
        let url = admin_url("postgresql://[::1]", SCHEMES, "e").unwrap();
        assert_eq!((url.host.as_str(), url.admin, url.database), ("::1", None, None));
    }

    #[test]
    fn errors_never_show_the_url() {
        for wrong in [
            "mysql://a:canary@h",
            "postgres:canary",
            "canary",
            "postgres://a:canary@h:x",
            "postgres://a:canary@",
        ] {
            let error = admin_url(wrong, SCHEMES, "e").map(drop).unwrap_err();
            assert!(!format!("{error:#}").contains("canary"), "{error:#}");
        }
        let url = admin_url("postgres://h?canari=canary", SCHEMES, "e").unwrap();
        assert!(!url.config(&["sslmode"]).unwrap_err().to_string().contains("canary"));
    }
}
