//! Secrets that are fed into every path that fails, and looked for in all that comes back.

use latchkey_rotators::{AnyConnector, Attempt, ConfigError, Kind, Rotate};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const OLD: &str = "canary-old-7f3a";
const NEW: &str = "canary-new-7f3a";
const ADMIN: &str = "canary-admin-7f3a";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

fn assert_clean(text: &str, where_from: &str) {
    assert!(!text.contains("canary"), "{where_from}: {text}");
}

/// A configuration of each kind, for a target at this port.
fn configurations(port: u16) -> Vec<(Kind, Value)> {
    let here = "127.0.0.1";
    let kinds = vec![
        (Kind::Postgres, json!({ "host": here, "port": port, "admin": "a", "timeout_seconds": 1 })),
        (Kind::Mysql, json!({ "host": here, "port": port, "admin": "a", "timeout_seconds": 1 })),
        (
            Kind::Ldap,
            json!({ "url": format!("ldap://{here}:{port}"), "admin": "cn=a", "timeout_seconds": 1 }),
        ),
        (
            Kind::ActiveDirectory,
            json!({ "url": format!("ldaps://{here}:{port}"), "admin": "a@b", "timeout_seconds": 1 }),
        ),
        (
            Kind::Unix,
            json!({ "host": here, "port": port, "admin": "a", "host_keys": [KEY], "timeout_seconds": 1 }),
        ),
        (
            Kind::SshKey,
            json!({ "host": here, "port": port, "admin": "a", "host_keys": [KEY], "timeout_seconds": 1 }),
        ),
    ];
    kinds
}

/// A server that answers each connection with these bytes, and with whatever it was sent.
async fn parrot(greeting: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.write_all(greeting).await;
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    let _ = stream.write_all(&buffer[..read]).await;
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn no_failure_and_no_debug_text_holds_a_secret() {
    let secret = |text: &str| SecretString::from(text);
    // What a target says when it has lost its mind: the very secret that it may know by then.
    let greetings: [&'static [u8]; 6] = [
        b"",
        b"canary-admin-7f3a\r\n",
        b"E\x00\x00\x00\x2eSFATAL\0C28P01\0Mno: canary-admin-7f3a\0\0",
        b"\x24\x00\x00\x00\xff\x15\x04#28000no: canary-admin-7f3a.....",
        b"SSH-2.0-canary-admin-7f3a\r\n",
        b"\x30\x20\x02\x01\x01\x61\x1b\x0a\x01\x31\x04\x00\x04\x14no canary-admin-7f3a",
    ];
    let mut targets = Vec::new();
    for greeting in greetings {
        let port = parrot(greeting).await;
        for (kind, config) in configurations(port) {
            let connector = AnyConnector::from_config(kind, &config, Some(secret(ADMIN))).unwrap();
            assert_clean(&format!("{connector:?}"), kind.as_str());
            targets.push((kind, connector));
        }
    }
    // Most of them wait for an answer until their time is up; so all at once.
    let looks = targets.iter().map(async |(kind, connector)| {
        let (old, new) = (secret(OLD), secret(NEW));
        let attempt = Attempt { username: "app", old: Some(&old), new: &new, idempotency_key: "k" };
        assert_clean(&format!("{attempt:?}"), kind.as_str());
        let failures = [
            connector.probe("app").await.map(drop),
            connector.change(&attempt).await.map(drop),
            connector.verify("app", &new).await.map(drop),
            connector.end_sessions("app").await.map(drop),
        ];
        for failure in failures.into_iter().filter_map(Result::err) {
            assert_clean(&format!("{failure} {failure:?}"), kind.as_str());
        }
    });
    futures_util::future::join_all(looks).await;
}

#[test]
fn no_error_of_a_configuration_holds_what_stood_in_it() {
    for (kind, config) in configurations(1) {
        let reads = |config: &Value| AnyConnector::from_config(kind, config, Some(SecretString::from(ADMIN)));
        for field in config.as_object().unwrap().keys() {
            let mut wrong = config.clone();
            wrong[field] = json!({ "canary": "canary" });
            let error: ConfigError = reads(&wrong).unwrap_err();
            assert!(error.field.starts_with(field.as_str()), "{kind}: {error} does not name {field}");
            assert_clean(&error.problem, kind.as_str());
        }
        let mut unknown = config.clone();
        unknown["surprise"] = json!("canary");
        let error = reads(&unknown).unwrap_err();
        assert_eq!(error.field, "surprise", "{kind}");
        assert!(error.problem.contains("`admin`"), "{kind}: what is allowed is not named: {error}");
        unknown["password"] = json!("canary");
        assert_eq!(reads(&unknown).unwrap_err().field, "password", "{kind}");
    }
}
