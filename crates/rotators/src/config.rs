//! Reading a connector's configuration: an error names the field and what is allowed, never a value.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What is wrong with a connector's configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ConfigError {
    /// The field, as `ca_pem`.
    pub field: String,
    /// What is wrong with it, and what is allowed.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// Words for secrets that people look for a field of.
const SECRETS: &[&str] = &["password", "passwd", "secret", "bind_password", "admin_password", "private_key"];

/// Reads a configuration, which is JSON of exactly these fields.
pub(crate) fn read<C: DeserializeOwned>(config: &Value) -> Result<C, ConfigError> {
    if let Some(field) = SECRETS.iter().find(|word| config.get(**word).is_some()) {
        return Err(ConfigError::new(
            *field,
            "secrets are no part of the configuration; give this one apart, as the admin credential",
        ));
    }
    serde_path_to_error::deserialize(config).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner().to_string();
        // serde's sentences name what they found, which may be anything.
        if let Some((_, expected)) = inner.split_once(", expected ")
            && (inner.starts_with("invalid type") || inner.starts_with("invalid value"))
        {
            return ConfigError::new(path, format!("must be {expected}"));
        }
        let quoted = || inner.split('`').nth(1).unwrap_or_default().to_owned();
        if inner.starts_with("unknown field") {
            let known = inner.split_once(", expected ").map_or("none", |(_, known)| known);
            return ConfigError::new(quoted(), format!("there is no such field; there are {known}"));
        }
        if inner.starts_with("missing field") {
            return ConfigError::new(quoted(), "is missing");
        }
        if inner.starts_with("unknown variant") {
            let known = inner.split_once(", expected ").map_or("none", |(_, known)| known);
            return ConfigError::new(path, format!("must be {known}"));
        }
        ConfigError::new(if path == "." { "the configuration".to_owned() } else { path }, inner)
    })
}

/// Refuses what cannot be a host's name or address.
pub(crate) fn host(field: &str, host: &str) -> Result<(), ConfigError> {
    let whole = !host.is_empty()
        && host.len() <= 253
        && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c));
    if whole { Ok(()) } else { Err(ConfigError::new(field, "give a host's name or address, without port")) }
}

/// Whether a host is this machine, so that what is sent in plain passes no network.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde only")]
    struct Sample {
        host: String,
        #[serde(default)]
        port: u16,
        #[serde(default)]
        mode: Option<Mode>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Fast,
        Slow,
    }

    #[test]
    fn errors_name_the_field_and_what_is_allowed_and_no_value() {
        for (config, expected) in [
            (
                json!({ "host": "h", "prot": 1 }),
                "prot: there is no such field; there are one of `host`, `port`, `mode`",
            ),
            (json!({ "port": 1 }), "host: is missing"),
            (json!({ "host": "h", "port": "canary" }), "port: must be u16"),
            (json!({ "host": "h", "mode": "canary" }), "mode: must be `fast` or `slow`"),
        ] {
            let error = read::<Sample>(&config).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
        let error = read::<Sample>(&json!({ "host": "h", "password": "canary" })).unwrap_err().to_string();
        assert!(error.contains("admin credential") && !error.contains("canary"), "{error}");
        assert!(read::<Sample>(&json!({ "host": "h", "mode": "slow", "port": 9 })).is_ok());
        let _ = (Mode::Fast, Mode::Slow);
    }

    #[test]
    fn hosts_have_neither_ports_paths_nor_users() {
        for good in ["db", "db.corp.example", "10.0.0.1", "::1", "fe80::1"] {
            assert!(host("host", good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "u@h", "a\nb"] {
            assert!(host("host", bad).is_err(), "{bad}");
        }
        assert!(
            is_loopback("127.0.0.1")
                && is_loopback("::1")
                && is_loopback("localhost")
                && is_loopback("127.8.8.8")
        );
        assert!(!is_loopback("localhost.evil.example") && !is_loopback("10.0.0.1"));
    }
}
