//! No secret in any output (V1): strings that must not come out are sent in by every way, and
//! looked for in logs, flights, audit, errors, metrics, and the files on disk.

use latchkey_testkit::{Server, on_both};
use serde_json::json;

use crate::support::scim::{BULK, PATCH_OP, USER, patch, user};
use crate::support::{api, enc, text};

const CANARY: &str = "xK7canaryQ2w9";

on_both! {
    async fn passwords_and_tokens_come_out_nowhere(server: &Server) {
        let workspace = server.workspace("canaries").await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let mut outputs: Vec<(String, String)> = Vec::new();
        let mut keep = |what: &str, answer: latchkey_testkit::Answer| {
            outputs.push((
                what.to_owned(),
                format!("{:?}\n{}", answer.headers, String::from_utf8_lossy(&answer.body)),
            ));
        };
        // In by every way that a password may come.
        let made =
            scim.post("/Users", &user("ida@corp.example", json!({"password": CANARY}))).await.expect(201);
        let path = format!("/Users/{}", made.id());
        keep("create", made);
        keep("read", scim.get(&format!("{path}?attributes=password")).await);
        keep("put", scim.put(&path, &user("ida@corp.example", json!({"password": CANARY}))).await);
        for operation in [
            json!({"op": "replace", "path": "password", "value": CANARY}),
            json!({"op": "replace", "value": {"password": CANARY}}),
            json!({"op": "add", "path": "password", "value": [CANARY]}),
            json!({"op": "replace", "path": "password", "value": {"value": CANARY}}),
            json!({"op": "replace", "path": format!("{USER}:password"), "value": CANARY}),
        ] {
            keep("patch", scim.patch(&path, &patch(operation)).await);
        }
        keep(
            "filter",
            scim.get(&format!("/Users?filter={}", enc(&format!("password eq \"{CANARY}\"")))).await,
        );
        keep(
            "search",
            scim.post("/Users/.search", &json!({"filter": format!("password sw \"{CANARY}\"")})).await,
        );
        keep("bulk", scim.post("/Bulk", &json!({"schemas": [BULK], "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "x", "data": {"schemas": [USER], "userName": "bo@corp.example", "password": CANARY}},
            {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "password", "value": CANARY}]}},
        ]})).await);
        let broken = format!(
            "{{\"schemas\":[\"{USER}\"],\"userName\":\"eva@corp.example\",\"password\":\"{CANARY}\",\"active\":\"Nope\"}}"
        );
        keep("bad value", scim.send("POST", "/Users", &[], broken).await);
        let broken = format!("{{\"schemas\":[\"{USER}\"],\"password\":\"{CANARY}\" \"x\"}}");
        keep("bad JSON", scim.send("POST", "/Users", &[], broken).await);
        let typed = format!(
            "{{\"schemas\":[\"{USER}\"],\"userName\":\"eva@corp.example\",\"password\":[\"{CANARY}\",\"{CANARY}\"]}}"
        );
        keep("bad password", scim.send("POST", "/Users", &[], typed).await);
        // Tokens, in headers right and wrong, and where they do not belong.
        let wrong = format!("lk_scim_{CANARY}");
        keep(
            "wrong token",
            scim.send("GET", "/Users", &[("authorization", &format!("Bearer {wrong}"))], "").await,
        );
        keep(
            "wrong scheme",
            scim.send("GET", "/Users", &[("authorization", &format!("Basic {CANARY}"))], "").await,
        );
        keep("token in URL", scim.get(&format!("/Users?access_token={CANARY}&count=0")).await);
        keep("API token to SCIM", scim.clone().with_token(&workspace.api_token).get("/Users").await);
        keep("SCIM token to API", api.clone().with_token(&workspace.scim_token).get("/members").await);
        let made = api.post("/scim-tokens", &json!({"name": "Entra"})).await.expect(201).json();
        let shown_once = text(&made, "/token").to_owned();
        scim.clone().with_token(&shown_once).get("/Users?count=0").await.expect(200);

        // Out by every way that there is.
        let client = server.client();
        for path in ["/metrics", "/healthz", "/readyz"] {
            keep(path, client.get(path).await);
        }
        for path in [
            "/audit",
            "/flights",
            "/outbox",
            "/scim-tokens",
            "/api-tokens",
            "/members",
            "/workspace",
            "/openapi.json",
        ] {
            keep(path, api.get(path).await);
        }
        for flight in api::all(&api, "/flights").await {
            keep("one flight", api.get(&format!("/flights/{}", text(&flight, "/id"))).await);
        }
        for args in [
            &["doctor", "--json"][..],
            &["audit", "verify", "--json"],
            &["admin", "workspace", "list", "--json"],
        ] {
            let said = server.cli(args).await;
            outputs.push((args.join(" "), format!("{}{}", said.stdout, said.stderr)));
        }
        outputs.push(("the log".to_owned(), server.log()));
        let secrets = [CANARY, &workspace.scim_token, &workspace.api_token, &shown_once];
        for (what, output) in &outputs {
            for secret in secrets {
                assert!(!output.contains(secret), "{what} holds {secret}:\n{output}");
            }
        }
        // Nor on the disk: the password is dropped, the tokens are hashed and sealed.
        if server.database_url().is_none() {
            for entry in std::fs::read_dir(server.data()).expect("the data folder").flatten() {
                let Ok(bytes) = std::fs::read(entry.path()) else { continue };
                for secret in secrets {
                    let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                    assert!(!found, "{} holds {secret}", entry.path().display());
                }
            }
        }
    }
}
