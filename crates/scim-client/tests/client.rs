//! The client against servers that behave, that fail in each way, and that ask for time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use latchkey_kernel::SeededEntropy;
use latchkey_provisioning::jobfile::Dialect;
use latchkey_provisioning::{Difference, Kind, TargetPath};
use latchkey_scim_client::{Client, Credential, FailureKind, Found, Options};
use secrecy::SecretString;
use serde_json::{Map, Value as Json, json};

/// One answer of the script: status, headers, body.
type Scripted = (u16, Vec<(&'static str, &'static str)>, String);

struct Script {
    answers: Mutex<Vec<Scripted>>,
    seen: Mutex<Vec<(Method, String, String, String)>>,
    at: AtomicUsize,
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let token =
        parts.headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    script.seen.lock().expect("no test panics here").push((parts.method, parts.uri.to_string(), token, text));
    let at = script.at.fetch_add(1, Ordering::SeqCst);
    let answers = script.answers.lock().expect("no test panics here");
    let Some((status, headers, body)) = answers.get(at).or_else(|| answers.last()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().expect("it is a header"));
    }
    (StatusCode::from_u16(*status).expect("it is a status"), map, body.clone()).into_response()
}

/// A server that gives these answers in turn, the last one for ever.
async fn server(answers: Vec<Scripted>) -> (String, Arc<Script>) {
    let script =
        Arc::new(Script { answers: Mutex::new(answers), seen: Mutex::default(), at: AtomicUsize::new(0) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}/scim/v2"), script)
}

fn client(base: &str, dialect: Dialect, credential: Credential) -> Client {
    let options = Options {
        base: base.parse().expect("it is a URL"),
        credential,
        dialect,
        concurrency: 4,
        requests_per_second: None,
        timeout: Duration::from_secs(2),
        authorities: None,
    };
    Client::new(options).expect("nothing has to be read")
}

fn token() -> Credential {
    Credential::Bearer(SecretString::from("canary-token"))
}

fn ok(body: Json) -> Scripted {
    (200, vec![], body.to_string())
}

fn list(resources: Json) -> Scripted {
    let count = resources.as_array().map_or(0, Vec::len);
    ok(json!({ "totalResults": count, "Resources": resources }))
}

fn name() -> TargetPath {
    "userName".parse().expect("it is a path")
}

#[tokio::test]
async fn a_search_finds_nobody_one_or_several() {
    let one = json!([{ "id": "7", "userName": "MIRA" }]);
    let two = json!([{ "id": "7", "userName": "mira" }, { "id": "8", "userName": "mira" }]);
    let (base, script) =
        server(vec![list(json!([])), ok(json!({ "totalResults": 0 })), list(one), list(two)]).await;
    let client = client(&base, Dialect::Rfc, token());
    let mut trail = Vec::new();
    for expected in [0, 0, 1, 2] {
        let found = client.find(Kind::User, &name(), "mira", &mut trail).await.expect("it answers");
        let count = match found {
            Found::None => 0,
            Found::One(id, _) => {
                assert_eq!(id, "7");
                1
            }
            Found::Several(count) => count,
        };
        assert_eq!(count, expected);
    }
    let seen = script.seen.lock().expect("no test panics here");
    assert_eq!(seen[0].1, "/scim/v2/Users?filter=userName+eq+%22mira%22");
    assert_eq!(seen[0].2, "Bearer canary-token");
    assert_eq!((trail.len(), trail[0].status), (4, Some(200)));
    assert!(!format!("{trail:?} {client:?}").contains("canary"));
}

#[tokio::test]
async fn a_target_that_does_not_filter_is_found_out() {
    let (base, _) = server(vec![list(json!([{ "id": "1", "userName": "somebody.else" }]))]).await;
    let client = client(&base, Dialect::Rfc, token());
    let failure =
        client.find(Kind::User, &name(), "mira", &mut Vec::new()).await.expect_err("it ignores the filter");
    assert_eq!(failure.kind, FailureKind::IncompatibleFiltering);
}

#[tokio::test]
async fn a_target_that_asks_for_time_gets_it_and_no_failure_is_seen() {
    let later = (429, vec![("retry-after", "0")], String::new());
    let dated =
        vec![("retry-after", "Tue, 24 Nov 2026 10:00:00 GMT"), ("date", "Tue, 24 Nov 2026 10:00:00 GMT")];
    let busy = (503, dated, String::new());
    let (base, script) = server(vec![later, busy, (201, vec![], json!({ "id": "9" }).to_string())]).await;
    let client = client(&base, Dialect::Rfc, token());
    let mut trail = Vec::new();
    let resource: Map<String, Json> = [("userName".to_owned(), json!("m"))].into_iter().collect();
    let id = client.create(Kind::User, resource, &mut trail).await.expect("the third time it is made");
    assert_eq!(id, "9");
    assert_eq!(trail.iter().map(|it| it.status).collect::<Vec<_>>(), [Some(429), Some(503), Some(201)]);
    assert_eq!(script.at.load(Ordering::SeqCst), 3);
    assert!(client.pace().window() < 4, "it goes slower from then on");
}

#[tokio::test]
async fn what_refusals_mean() {
    let scim =
        json!({ "status": "409", "scimType": "uniqueness", "detail": "userName is taken" }).to_string();
    for (status, body, kind, words) in [
        (400, String::new(), FailureKind::BadRequest, "refuses the request (400)"),
        (401, String::new(), FailureKind::Unauthorized, "refuses the token"),
        (403, String::new(), FailureKind::Forbidden, "may not do this"),
        (404, String::new(), FailureKind::NotFound, "no such object"),
        (409, scim, FailureKind::Conflict, "it says (409): uniqueness: userName is taken"),
        (500, "<html>".to_owned(), FailureKind::ServerError, "a web page"),
        (501, String::new(), FailureKind::NotImplemented, "does not do this"),
        (302, String::new(), FailureKind::Incompatible, "redirects"),
        (201, "<html>".to_owned(), FailureKind::Incompatible, "a web page and no JSON"),
        (201, "{}".to_owned(), FailureKind::Incompatible, "has no id"),
        (201, "[]".to_owned(), FailureKind::Incompatible, "no object"),
    ] {
        let (base, _) = server(vec![(status, vec![], body)]).await;
        let client = client(&base, Dialect::Rfc, token());
        let failure = client.create(Kind::User, Map::new(), &mut Vec::new()).await.expect_err("it refuses");
        assert_eq!(failure.kind, kind, "{status}");
        assert!(failure.message.contains(words), "{status}: {}", failure.message);
    }
}

#[tokio::test]
async fn deleting_what_is_gone_is_done() {
    let (base, _) = server(vec![(404, vec![], String::new())]).await;
    let client = client(&base, Dialect::Rfc, token());
    client.delete(Kind::User, "7", &mut Vec::new()).await.expect("it is gone");
    let read = client.read(Kind::User, "7", &mut Vec::new()).await.expect("it answers");
    assert_eq!(read, None);
}

#[tokio::test]
async fn a_target_that_wants_entras_words_gets_them_from_then_on() {
    let refuses = (400, vec![], json!({ "scimType": "invalidSyntax", "detail": "op" }).to_string());
    let (base, script) =
        server(vec![refuses, (204, vec![], String::new()), (204, vec![], String::new())]).await;
    let client = client(&base, Dialect::Auto, token());
    let change = [Difference {
        path: "active".parse().expect("a path"),
        old: Some(json!(true)),
        new: Some(json!(false)),
        redacted: false,
    }];
    for _ in 0..2 {
        client
            .change(Kind::User, "7", (&change, &Map::new()), &mut Vec::new())
            .await
            .expect("the second words do");
    }
    let seen = script.seen.lock().expect("no test panics here");
    let ops: Vec<bool> = seen.iter().map(|(.., body)| body.contains("\"Replace\"")).collect();
    assert_eq!(ops, [false, true, true]);
}

fn change(path: &str, old: Json, new: Json) -> Difference {
    let some = |value: Json| (!value.is_null()).then_some(value);
    Difference { path: path.parse().expect("a path"), old: some(old), new: some(new), redacted: false }
}

fn refuses(detail: &str) -> Scripted {
    (400, vec![], json!({ "scimType": "invalidValue", "detail": detail }).to_string())
}

#[tokio::test]
async fn a_change_that_the_target_refuses_does_not_hold_up_the_others() {
    let done = || (204, vec![], String::new());
    let (base, script) =
        server(vec![refuses("a mail is needed"), refuses("a mail is needed"), done(), done()]).await;
    let client = client(&base, Dialect::Rfc, token());
    let changes = [
        change("emails[type eq \"work\"].value", json!("m@x.example"), Json::Null),
        change("active", json!(true), json!(false)),
        change("name.givenName", json!("Mira"), json!("Myra")),
    ];
    let failure = client
        .change(Kind::User, "7", (&changes, &Map::new()), &mut Vec::new())
        .await
        .expect_err("one is refused");
    assert_eq!(failure.kind, FailureKind::BadRequest);
    assert!(failure.message.starts_with("emails[type eq \"work\"].value: "), "{}", failure.message);
    let seen = script.seen.lock().expect("no test panics here");
    let counts: Vec<usize> = seen.iter().map(|(.., body)| body.matches("\"op\"").count()).collect();
    assert_eq!(counts, [3, 1, 1, 1]);
    assert!(seen[2].3.contains("active"), "the leaver is out");
}

/// A group that takes so many members at once, and some not at all; how many came in each request.
async fn group(most: usize, refuses: &'static [&'static str]) -> (Client, Arc<Mutex<Vec<usize>>>) {
    let counts: Arc<Mutex<Vec<usize>>> = Arc::default();
    let seen = Arc::clone(&counts);
    let router = Router::new().fallback(move |body: String| async move {
        let sent = body.matches("\"value\":\"m").count();
        seen.lock().expect("no test panics here").push(sent);
        let refused = sent > most || refuses.iter().any(|id| body.contains(&format!("\"{id}\"")));
        if refused { StatusCode::BAD_REQUEST } else { StatusCode::NO_CONTENT }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let base = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (client(&base, Dialect::Rfc, token()), counts)
}

#[tokio::test]
async fn a_target_that_takes_few_members_at_once_gets_few_from_then_on() {
    let (client, counts) = group(100, &[]).await;
    let ids: Vec<String> = (0..300).map(|at| format!("m{at}")).collect();
    for _ in 0..2 {
        client.change_members("g", (&ids, &[]), &mut Vec::new()).await.expect("portions are taken");
    }
    let counts = counts.lock().expect("no test panics here");
    assert_eq!(counts[..7], [300, 150, 75, 75, 150, 75, 75]);
    assert_eq!(counts[7..], [75; 4]);
}

#[tokio::test]
async fn a_member_that_the_target_refuses_does_not_keep_the_others_out() {
    let (client, counts) = group(500, &["m5"]).await;
    let ids: Vec<String> = (0..64).map(|at| format!("m{at}")).collect();
    let failure = client.change_members("g", (&ids, &[]), &mut Vec::new()).await.expect_err("one is refused");
    assert!(failure.message.contains("the member m5 is refused"), "{failure}");
    let sent = counts.lock().expect("no test panics here").clone();
    assert!(sent.len() <= 2 * 6 + 1, "{sent:?}");
    client.change_members("g", (&ids[10..], &[]), &mut Vec::new()).await.expect("it is not about the number");
    assert_eq!(counts.lock().expect("no test panics here").last(), Some(&54));
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn schemas(ids: &[&str]) -> Scripted {
    list(ids.iter().map(|id| json!({ "id": id, "attributes": [] })).collect())
}

#[tokio::test]
async fn an_extension_that_the_target_refuses_and_does_not_list_is_left_out_and_the_log_says_so() {
    let made = || (201, vec![], json!({ "id": "9" }).to_string());
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let (base, script) = server(vec![refuses("extra inputs"), schemas(&[core]), made()]).await;
    let client = client(&base, Dialect::Rfc, token());
    let resource: Map<String, Json> =
        [("userName".to_owned(), json!("m")), (ENTERPRISE.to_owned(), json!({ "department": "Geology" }))]
            .into_iter()
            .collect();
    let mut trail = Vec::new();
    for _ in 0..2 {
        client.create(Kind::User, resource.clone(), &mut trail).await.expect("it is made without it");
    }
    let department = change(&format!("{ENTERPRISE}:department"), Json::Null, json!("Field work"));
    client
        .change(Kind::User, "9", (&[department], &Map::new()), &mut trail)
        .await
        .expect("there is nothing to send");
    let seen = script.seen.lock().expect("no test panics here");
    let sent: Vec<bool> = seen.iter().map(|(.., body)| body.contains("enterprise")).collect();
    assert_eq!(sent, [true, false, false, false], "{seen:?}");
    assert_eq!(client.unknown_extensions(), [ENTERPRISE]);
    let notes: Vec<bool> = trail.iter().map(|exchange| exchange.note.is_some()).collect();
    assert_eq!(notes, [false, false, true, true]);
}

#[tokio::test]
async fn an_extension_that_the_target_lists_is_never_left_out() {
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    for schemas in [schemas(&[core, ENTERPRISE]), schemas(&[]), (404, vec![], String::new())] {
        let (base, _) = server(vec![refuses("no such department"), schemas]).await;
        let client = client(&base, Dialect::Rfc, token());
        let resource = [(ENTERPRISE.to_owned(), json!({ "department": "Geology" }))].into_iter().collect();
        let failure = client.create(Kind::User, resource, &mut Vec::new()).await.expect_err("it refuses");
        assert!(failure.message.contains("no such department"), "{failure}");
        assert_eq!(client.unknown_extensions(), [""; 0]);
    }
}

#[tokio::test]
async fn entras_flags_in_the_url_choose_the_words_and_are_not_sent() {
    let (base, script) = server(vec![list(json!([]))]).await;
    for (flag, dialect) in
        [("?aadOptscim062020", Dialect::EntraCompliant), ("?AzureAdScimPatch2017=1&x=y", Dialect::Entra)]
    {
        let client = client(&format!("{base}/{flag}"), Dialect::Rfc, token());
        assert_eq!(client.dialect(), dialect);
        client.find(Kind::User, &name(), "m", &mut Vec::new()).await.expect("it answers");
    }
    let seen = script.seen.lock().expect("no test panics here");
    assert_eq!(seen[0].1, "/scim/v2/Users?filter=userName+eq+%22m%22");
    assert_eq!(seen[1].1, "/scim/v2/Users?x=y&filter=userName+eq+%22m%22");
}

#[tokio::test]
async fn a_token_that_is_fetched_is_kept_and_renewed_when_it_is_refused() {
    let token = ok(json!({ "access_token": "first", "expires_in": 3600 }));
    let again = ok(json!({ "access_token": "second", "expires_in": "3600" }));
    let (base, script) = server(vec![
        token,
        list(json!([])),
        list(json!([])),
        (401, vec![], String::new()),
        again,
        list(json!([])),
    ])
    .await;
    let credential = Credential::ClientCredentials {
        token_url: format!("{base}/token").parse().expect("it is a URL"),
        client_id: "latchkey".to_owned(),
        client_secret: SecretString::from("s"),
        scope: Some("scim".to_owned()),
    };
    let client = client(&base, Dialect::Rfc, credential);
    for _ in 0..3 {
        client.find(Kind::User, &name(), "m", &mut Vec::new()).await.expect("it answers");
    }
    let seen = script.seen.lock().expect("no test panics here");
    let tokens: Vec<&str> = seen.iter().map(|(_, _, token, _)| token.as_str()).collect();
    assert_eq!(tokens[0], "Basic bGF0Y2hrZXk6cw==");
    assert_eq!(tokens[1..], ["Bearer first", "Bearer first", "Bearer first", tokens[0], "Bearer second"]);
    assert_eq!(seen[0].3, "grant_type=client_credentials&scope=scim");
}

#[tokio::test]
async fn a_test_of_the_connection_says_what_is_wrong_in_each_way() {
    let entropy = SeededEntropy::new(1);
    let matching = [(Kind::User, name())];
    let page = (200, vec![], "<!doctype html><title>Sign in</title>".to_owned());
    for (answers, ok, words) in [
        (vec![list(json!([])), ok_config()], true, "as it should be"),
        (vec![(401, vec![], String::new())], false, "refuses the token"),
        (vec![(403, vec![], String::new())], false, "give it the right to provision"),
        (vec![(404, vec![], String::new())], false, "where an empty list is due"),
        (vec![page], false, "a web page and no JSON"),
        (vec![ok(json!({ "Resources": [] }))], false, "no totalResults"),
        (vec![ok(json!({ "totalResults": 3 }))], false, "no Resources"),
        (vec![list(json!([{ "id": "1", "userName": "x" }]))], false, "ignores filters"),
        (vec![(302, vec![("location", "/login")], String::new())], false, "redirects"),
    ] {
        let (base, _) = server(answers).await;
        let diagnosis = client(&base, Dialect::Rfc, token()).test(&matching, &entropy).await;
        assert_eq!(diagnosis.ok, ok, "{diagnosis:?}");
        assert!(diagnosis.checks[0].message.contains(words), "{diagnosis:?}");
    }
    for (base, words) in [
        ("http://no-such-host.invalid/scim", "there is no host"),
        ("http://127.0.0.1:1/scim", "nobody answers"),
    ] {
        let diagnosis = client(base, Dialect::Rfc, token()).test(&matching, &entropy).await;
        assert!(!diagnosis.ok && diagnosis.checks[0].message.contains(words), "{diagnosis:?}");
    }
}

fn ok_config() -> Scripted {
    ok(json!({ "patch": { "supported": true }, "bulk": { "supported": false } }))
}
