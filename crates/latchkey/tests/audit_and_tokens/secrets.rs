//! V1: secrets go in and come out by every way of the API, and are in nothing else: no log, no
//! audit record, no flight, no metric, no error, and no file of the database, in any spelling.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_testkit::{Answer, Server, on_both};
use serde_json::json;

use crate::support::{api, list, text};

/// With characters that URLs and JSON write otherwise.
const PASSWORD: &str = "xK7/canary Q2+w9\"é";
const NEXT: &str = "yL8/canary R3+v0\"ü";
const CODE: &str = "canary-code-7731";
/// In base32, as seeds are.
const SEED: &str = "CANARYSEEDGEZDGNBVGY3TQOJQ";
const FILE: &str = "canary file \u{1}\u{2} bytes";

/// Every spelling in which a secret might stand somewhere.
fn spellings(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let url = |space: &str| -> String {
        let one = |byte: &u8| match *byte {
            b' ' => space.to_owned(),
            byte if unreserved(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        bytes.iter().map(one).collect()
    };
    let quoted = json!(secret).to_string();
    let mut all = vec![
        ("plain", bytes.to_vec()),
        ("JSON", quoted.trim_matches('"').as_bytes().to_vec()),
        ("debug", format!("{secret:?}").trim_matches('"').as_bytes().to_vec()),
        ("hex", hex.clone().into_bytes()),
        ("HEX", hex.to_uppercase().into_bytes()),
        ("URL", url("%20").into_bytes()),
        ("form", url("+").into_bytes()),
        ("UTF-16LE", secret.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", secret.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ];
    // Base64 of the secret within something longer depends on where it starts: without its ends.
    for shift in 0..3 {
        let encoded = STANDARD.encode([&vec![b'x'; shift], bytes].concat());
        let from = if shift == 0 { 0 } else { 4 };
        let whole = encoded.trim_end_matches('=').len();
        all.push(("base64", encoded.as_bytes()[from..whole - 2].to_vec()));
    }
    all
}

fn search(what: &str, haystack: &[u8], secrets: &[&str]) {
    for secret in secrets {
        for (spelling, needle) in spellings(secret) {
            let found = haystack.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{what} holds a secret in {spelling}: {secret:?}");
        }
    }
}

fn search_folder(folder: &Path, secrets: &[&str]) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the data folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files += search_folder(&path, secrets);
        } else if let Ok(bytes) = std::fs::read(&path) {
            search(&path.display().to_string(), &bytes, secrets);
            files += 1;
        }
    }
    files
}

/// Every row of every table, as the server writes rows as text.
async fn search_postgres(url: &str, secrets: &[&str]) {
    let client = latchkey_testkit::postgres::connect(url).await.expect("the database");
    let tables = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace";
    for table in client.query(tables, &[]).await.expect("the tables") {
        let table: String = table.get(0);
        for row in client.query(&format!("select t::text from {table} t"), &[]).await.expect("the rows") {
            search(&table, row.get::<_, String>(0).as_bytes(), secrets);
        }
    }
}

#[test]
fn the_search_finds_each_spelling() {
    for (at, (spelling, needle)) in spellings(PASSWORD).into_iter().enumerate() {
        let haystack = [b"before ", &needle[..], b" after"].concat();
        let found = std::panic::catch_unwind(|| search("it", &haystack, &[PASSWORD]));
        assert!(found.is_err(), "{at} {spelling}");
    }
    search("it", b"nothing of it", &[PASSWORD]);
}

on_both! {
    async fn secrets_are_in_no_output_and_on_no_disk(server: &Server) {
        let workspace = server.workspace("secret-canaries").await;
        let api = workspace.api();
        let mut outputs: Vec<(String, Vec<u8>)> = Vec::new();
        let mut keep = |what: &str, answer: Answer| {
            outputs.push((what.to_owned(), [format!("{:?}\n", answer.headers).as_bytes(), &answer.body].concat()));
        };
        let account = api::account(&api, "Instagram", "privileged").await;
        let base = format!("/accounts/{account}/secrets");
        let password = api::secret(&api, &account, json!({"kind": "password", "value": PASSWORD})).await;
        let add = async |body| {
            let made = api.post(&base, &body).await.expect(201);
            let id = text(&made.json(), "/id").to_owned();
            (id, made)
        };
        let (codes, made) = add(json!({"kind": "recovery_codes", "value": format!("{CODE}\nother-code-1")})).await;
        keep("codes added", made);
        let (seed, made) = add(json!({"kind": "totp", "value": SEED})).await;
        keep("seed added", made);
        let (file, made) =
            add(json!({"kind": "attachment", "label": "a.bin", "value_base64": STANDARD.encode(FILE)})).await;
        keep("file added", made);
        let one = |id: &str, act: &str| format!("{base}/{id}/{act}");

        // Out by the ways that are for it.
        let shown = api.post(&one(&password, "reveal"), &json!({})).await.expect(200);
        assert_eq!(text(&shown.json(), "/value"), PASSWORD);
        assert_eq!(shown.headers["cache-control"], "no-store");
        for act in ["copy", "fill", "read"] {
            let shown = api.post(&one(&password, act), &json!({})).await.expect(200);
            assert_eq!(text(&shown.json(), "/value"), PASSWORD, "{act}");
        }
        let shown = api.post(&one(&file, "reveal"), &json!({})).await.expect(200).json();
        assert_eq!(text(&shown, "/value_base64"), STANDARD.encode(FILE));
        let code = api.post(&one(&seed, "totp-code"), &json!({})).await.expect(200);
        assert_eq!(text(&code.json(), "/code").len(), 6);
        keep("code", code);
        let burned = api.post(&one(&codes, "recovery-code"), &json!({"number": 0})).await.expect(200).json();
        assert_eq!((text(&burned, "/code"), burned["left"].as_u64()), (CODE, Some(1)));
        keep("burned twice", api.post(&one(&codes, "recovery-code"), &json!({"number": 0})).await.expect(409));
        let set = api.put(&one(&password, "value"), &json!({"value": NEXT})).await.expect(200);
        assert_eq!(set.json()["version"], 2);
        keep("set", set);
        keep("used before", api.put(&one(&password, "value"), &json!({"value": PASSWORD})).await.expect(409));
        keep("restored", api.post(&one(&password, "restore"), &json!({"version": 1})).await.expect(200));
        keep("export refused", api.post(&one(&password, "export"), &json!({})).await.expect(403));
        keep("nothing handed out", api.post(&one(&password, "hand-out"), &json!({})).await.expect(409));

        // In by every way that is wrong.
        let value = format!("{base}/{password}/value");
        for (what, body) in [
            ("a list", json!({"value": [PASSWORD]}).to_string()),
            ("an object", json!({"value": {PASSWORD: PASSWORD}}).to_string()),
            ("an unknown field", json!({"value": "x", PASSWORD: 1}).to_string()),
            ("both", json!({"value": PASSWORD, "value_base64": STANDARD.encode(PASSWORD)}).to_string()),
            ("no base64", json!({"value_base64": PASSWORD}).to_string()),
            ("cut JSON", format!("{{\"value\": {} \"x\"", json!(PASSWORD))),
            ("bare text", json!(PASSWORD).to_string()),
        ] {
            keep(what, api.send("PUT", &value, &[("content-type", "application/json")], body).await.expect(400));
        }
        let draft = |kind: &str| json!({"kind": kind, "value": PASSWORD, "label": "x".repeat(300)});
        for kind in ["totp", "note", PASSWORD] {
            keep("a bad secret", api.post(&base, &draft(kind)).await.expect(400));
        }
        let bad_seed = json!({"kind": "totp", "value": format!("otpauth://totp/x?secret={SEED}&digits=99")});
        keep("a bad seed", api.post(&base, &bad_seed).await.expect(400));
        keep("second password", api.post(&base, &json!({"kind": "password", "value": NEXT})).await.expect(409));
        let large = json!({"kind": "attachment", "value": PASSWORD.repeat(100_000)}).to_string();
        keep("too large", api.send("POST", &base, &[("content-type", "application/json")], large).await);

        // Everything else that the server tells.
        for path in ["/metrics", "/healthz", "/readyz"] {
            keep(path, server.client().get(path).await);
        }
        let me = api.get("/me").await.expect(200).json();
        for path in [
            "/audit?limit=500".to_owned(), "/flights".to_owned(), "/outbox".to_owned(), "/workspace".to_owned(),
            "/workspace/keys".to_owned(), base.clone(), format!("{base}/{password}"), "/me/seen".to_owned(),
            format!("/accounts/{account}"), format!("/accounts/{account}/knowledge"),
            format!("/accounts/{account}/ledger"), format!("/accounts/{account}/exposures"),
            format!("/members/{}/seen", text(&me, "/member_id")),
        ] {
            keep(&path, api.get(&path).await.expect(200));
        }
        let seen = api::all(&api, "/me/seen").await;
        let kinds: Vec<_> = seen.iter().rev().map(|one| text(one, "/kind").to_owned()).collect();
        for kind in ["creator", "reveal", "copy", "fill", "api_read", "totp_code", "recovery_code"] {
            assert!(kinds.iter().any(|seen| seen == kind), "{kind} is in the ledger: {kinds:?}");
        }
        let known = api.get(&format!("/accounts/{account}/knowledge")).await.expect(200).json();
        assert_eq!(list(&known, "/known").len(), 1, "{known}");
        for args in [
            &["doctor", "--json"][..], &["audit", "verify", "--json"], &["vault", "status", "--json"],
            &["vault", "rotate-keys", "--json"], &["vault", "status"],
        ] {
            let said = server.cli(args).await;
            outputs.push((args.join(" "), format!("{}{}", said.success().stdout, said.stderr).into_bytes()));
        }
        outputs.push(("the log".to_owned(), server.log().into_bytes()));
        let secrets = [PASSWORD, NEXT, CODE, SEED, FILE];
        for (what, output) in &outputs {
            search(what, output, &secrets);
        }
        match server.database_url() {
            Some(url) => search_postgres(url, &secrets).await,
            None => assert!(search_folder(server.data(), &secrets) > 2, "the database and the keys were searched"),
        }
        let shown = api.post(&one(&password, "reveal"), &json!({})).await.expect(200).json();
        assert_eq!(text(&shown, "/value"), PASSWORD, "and with the new key it opens as before");
    }
}
