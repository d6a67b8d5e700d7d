//! No plaintext anywhere (V1): a password goes through everything that is done with one, and is then
//! looked for in all that is written, in every form in which it could have got there.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use latchkey_practice::{Fault, Options, Service, recipes};
use latchkey_testkit::{Client, Server, on_both};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::kills::over;
use crate::support::{api, text};

const CANARY: &str = "xK7+c4nary/Q2w9~Zz";
const NOTE: &str = "n0te?c4nary&in=here";

on_both! {
    async fn v1_a_password_is_written_nowhere_in_no_form(server: &mut Server) {
        let service = Service::start(Options::default()).await.expect("a port is free");
        let gate = Gate::before(service.address()).await;
        service.add_user("shop", CANARY, None);
        // A crash is to leave what it can leave: only the server itself may turn cores off.
        let cores = Rlimit { current: getrlimit(Resource::Core).maximum, ..getrlimit(Resource::Core) };
        setrlimit(Resource::Core, cores).expect("the soft limit may be raised");
        server.stop().await;
        server.restart().await;
        let workspace = server.workspace("canary").await;
        let api = workspace.api();
        let mut written = Written::default();

        let body = json!({
            "name": "Shop", "kind": "http", "admin": service.admin_token(),
            "limits": {"failed_login_every_seconds": 0, "first_pause_seconds": 1, "settles_within_seconds": 2},
            "config": {"recipe": recipes::ADMIN, "hosts": [format!("127.0.0.1:{}", gate.port)],
                       "network": {"plain_http_on_loopback": true, "allow": ["127.0.0.0/8"]}},
        });
        let connector = api::make(&api, "/connectors", body).await;
        let body = json!({"name": "Shop", "app": "Shop", "username": "shop", "sensitivity": "critical"});
        let account = api::make(&api, "/accounts", body).await;
        let secrets = format!("/accounts/{account}/secrets");
        let secret = json!({"kind": "password", "label": "Password", "value": CANARY});
        let secret = api::secret(&api, &account, secret).await;
        let note = api::make(&api, &secrets, json!({"kind": "note", "label": "Note", "value": NOTE})).await;
        api.put(&format!("/accounts/{account}/rotation"), &json!({"connector_id": connector})).await.expect(200);

        // Shown, copied, refused, misspelt: only what was asked for holds it.
        for way in ["reveal", "copy", "fill", "read"] {
            let shown = api.post(&format!("{secrets}/{secret}/{way}"), &json!({})).await.expect(200).json();
            assert_eq!(text(&shown, "/value"), CANARY);
        }
        let again = json!({"kind": "password", "label": "Password", "value": CANARY});
        written.answer("a second password", api.post(&secrets, &again).await.body);
        written.answer("the same value", api.put(&format!("{secrets}/{secret}/value"), &json!({"value": CANARY})).await.body);
        written.answer("a wrong field", api.post(&secrets, &json!({"kind": "totp", "label": CANARY, "value": CANARY})).await.body);
        let broken = format!("{{\"kind\":\"note\",\"value\":\"{CANARY}\" x}}");
        written.answer("broken JSON", api.send("POST", &secrets, &[], broken).await.body);
        written.answer("an export refused", api.post(&format!("{secrets}/{note}/export"), &json!({})).await.body);

        // Changed: well, refused, half, and with the server crashing while it is under way.
        let mut canaries = vec![CANARY.to_owned(), NOTE.to_owned(), service.admin_token().to_owned()];
        canaries.push(rotated(server, &api, (&account, &secret)).await);
        service.fault(Fault::TooManyRequests);
        let failing = rotate(&api, &account).await;
        failed(&api, &failing).await;
        service.fault(Fault::ErrorAfter);
        tokio::time::sleep(Duration::from_secs(2)).await;
        service.fault(Fault::None);
        over(server, &api, &failing).await;
        canaries.push(current(&api, (&account, &secret)).await);
        gate.close_after(1);
        let crashing = rotate(&api, &account).await;
        gate.closed().await;
        crash(server).await;
        gate.open();
        server.restart().await;
        over(server, &api, &crashing).await;
        canaries.push(current(&api, (&account, &secret)).await);

        for path in ["/audit", "/flights", "/outbox", "/rotations", "/tasks", "/connectors", "/members"] {
            written.answer(path, api.get(path).await.body);
        }
        for rotation in api::all(&api, "/rotations").await {
            written.answer("a rotation", api.get(&format!("/rotations/{}", text(&rotation, "/id"))).await.body);
        }
        written.answer("the secret's history", api.get(&format!("{secrets}/{secret}")).await.body);
        written.answer("metrics", server.client().get("/metrics").await.body);
        for args in [&["doctor", "--json"][..], &["rotate", "Shop", "--dry-run", "--json"], &["audit", "verify", "--json"]] {
            let said = server.cli(args).await;
            written.answer(&args.join(" "), format!("{}{}", said.stdout, said.stderr).into_bytes());
        }
        written.answer("the log", server.log().into_bytes());
        written.answer("addresses at the target", service.requests().join("\n").into_bytes());
        server.stop().await;
        written.folder(server.data());
        if let Some(url) = server.database_url() {
            written.database(url).await;
        }
        assert!(written.0.len() > 20, "there is much to look at: {}", written.0.len());
        for canary in &canaries {
            assert!(canary.len() >= 12, "it is long enough to be found by no accident");
            for (form, bytes) in forms(canary) {
                for (place, content) in &written.0 {
                    let found = content.windows(bytes.len()).any(|window| window == bytes);
                    assert!(!found, "{place} holds a secret, {form}");
                }
            }
        }
    }
}

/// All that was written: where, and what.
#[derive(Default)]
struct Written(Vec<(String, Vec<u8>)>);

impl Written {
    fn answer(&mut self, what: &str, body: impl AsRef<[u8]>) {
        self.0.push((what.to_owned(), body.as_ref().to_vec()));
    }

    fn folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).expect("the folder can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.folder(&path);
            } else {
                assert!(!path.ends_with("core"), "a core dump: {}", path.display());
                self.answer(&path.display().to_string(), std::fs::read(&path).expect("it can be read"));
            }
        }
    }

    /// Every row of every table, as text.
    async fn database(&mut self, url: &str) {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("it is let in");
        tokio::spawn(connection);
        let tables = "select quote_ident(tablename) from pg_tables where schemaname = current_schema()";
        for table in client.query(tables, &[]).await.expect("it answers") {
            let table: String = table.get(0);
            let rows =
                client.query(&format!("select t::text from {table} t"), &[]).await.expect("it answers");
            let all: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            self.answer(&table, all.join("\n"));
        }
    }
}

/// The forms in which a text gets into files: as it is, in hexadecimal, as UTF-16, in a URL, in JSON,
/// and in base64 wherever in it the text begins.
fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let url: String = crate::support::enc(text);
    let mut forms = vec![
        ("plain", text.as_bytes().to_vec()),
        ("in hexadecimal", hex.clone().into_bytes()),
        ("in capital hexadecimal", hex.to_uppercase().into_bytes()),
        ("as UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("as UTF-16, big end first", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("URL-encoded", url.clone().into_bytes()),
        ("URL-encoded in small letters", url.to_lowercase().into_bytes()),
        ("in JSON", text.replace('/', "\\/").into_bytes()),
    ];
    for start in 0..3 {
        // Whole groups of three bytes only: what stands beside it changes the others.
        let whole = &text.as_bytes()[start..];
        let whole = &whole[..whole.len() / 3 * 3];
        forms.push(("in base64", STANDARD_NO_PAD.encode(whole).into_bytes()));
        forms.push(("in base64 for URLs", URL_SAFE_NO_PAD.encode(whole).into_bytes()));
    }
    forms
}

async fn rotate(api: &Client, account: &str) -> String {
    let asked = api.post(&format!("/accounts/{account}/rotate"), &json!({})).await.expect(202).json();
    text(&asked, "/id").to_owned()
}

async fn current(api: &Client, (account, secret): (&str, &str)) -> String {
    let shown = api.post(&format!("/accounts/{account}/secrets/{secret}/reveal"), &json!({})).await;
    text(&shown.expect(200).json(), "/value").to_owned()
}

async fn rotated(server: &Server, api: &Client, place: (&str, &str)) -> String {
    let id = rotate(api, place.0).await;
    let ended = over(server, api, &id).await;
    assert_eq!(ended["state"], "done", "{ended}\n{}", server.log());
    current(api, place).await
}

/// Waits until an act of a rotation has failed.
async fn failed(api: &Client, rotation: &str) -> Value {
    for _ in 0..300 {
        let seen = api.get(&format!("/rotations/{rotation}")).await.expect(200).json();
        if seen["last_failure"].is_string() {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing fails");
}

/// The server ends as by a fault of its own, with what it does in its memory.
async fn crash(server: &mut Server) {
    let pid = server.pid().expect("it runs").to_string();
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("it runs");
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).expect("it is listed");
    let values: Vec<_> = cores.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "core dumps are off in the server: {cores}");
    let sent = Command::new("kill").args(["-ABRT", &pid]).status().expect("kill runs");
    assert!(sent.success());
    // It is gone when it is reaped.
    server.kill().await;
}
