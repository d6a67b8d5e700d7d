//! A SCIM provider as a source: what comes out, and that nobody is missed or told of twice.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use latchkey_directory::{AnySource, Options, Reading};
use latchkey_expr::Surroundings;
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::jobfile::{Directory, SecretFrom};
use latchkey_provisioning::{Entry, EntryId, Kind, ObjectMapping, Presence, defaults, desired};
use serde_json::{Value as Json, json};

/// A provider, as far as reading goes (RFC 7644 §3.4.2).
#[derive(Debug, Default)]
struct Provider {
    users: Vec<Json>,
    groups: Vec<Json>,
    filters: bool,
    cursors: bool,
    /// It says that it filters, and gives everything all the same.
    ignores_filters: bool,
    /// What the next answers are instead.
    trouble: VecDeque<(u16, Option<&'static str>, &'static str)>,
    /// Is done after the next so many answers.
    meanwhile: Option<(usize, Act)>,
    asked: Vec<String>,
}

type Shared = Arc<Mutex<Provider>>;
type Act = fn(&mut Provider);

fn provider(shared: Shared) -> Router {
    let list = |State(shared): State<Shared>,
                Path(kind): Path<String>,
                headers: HeaderMap,
                Query(query): Query<HashMap<String, String>>| async move {
        answer(&shared, &headers, &kind, None, &query)
    };
    let one = |State(shared): State<Shared>, Path((kind, id)): Path<(String, String)>, headers: HeaderMap| async move {
        answer(&shared, &headers, &kind, Some(&id), &HashMap::new())
    };
    Router::new().route("/scim/{kind}", get(list)).route("/scim/{kind}/{id}", get(one)).with_state(shared)
}

fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    kind: &str,
    id: Option<&str>,
    query: &HashMap<String, String>,
) -> Response {
    let mut provider = shared.lock().expect("the provider");
    let sorted: BTreeMap<_, _> = query.iter().collect();
    provider.asked.push(format!("{kind} {sorted:?}"));
    if let Some((left, act)) = provider.meanwhile.take() {
        if left == 0 { act(&mut provider) } else { provider.meanwhile = Some((left - 1, act)) }
    }
    if let Some((status, after, body)) = provider.trouble.pop_front() {
        let status = StatusCode::from_u16(status).expect("a status");
        let after: Vec<(&str, &str)> = after.into_iter().map(|after| ("retry-after", after)).collect();
        return (status, axum::response::AppendHeaders(after), body.to_owned()).into_response();
    }
    let error = |status: StatusCode, detail: &str| {
        (
            status,
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": detail}).to_string(),
        )
            .into_response()
    };
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some("Bearer secret-token") {
        return error(StatusCode::UNAUTHORIZED, "no such token");
    }
    let all = match kind {
        "ServiceProviderConfig" => {
            return json!({"filter": {"supported": provider.filters}, "pagination": {"cursor": provider.cursors}}).to_string().into_response();
        }
        "Users" => &provider.users,
        "Groups" => &provider.groups,
        _ => return error(StatusCode::NOT_FOUND, "no such endpoint"),
    };
    if let Some(id) = id {
        let one = all.iter().find(|one| one["id"] == id);
        return one
            .map_or_else(|| error(StatusCode::NOT_FOUND, "gone"), |one| one.to_string().into_response());
    }
    let mut found: Vec<&Json> = all.iter().collect();
    if let Some(filter) = query.get("filter") {
        if !provider.filters {
            return error(StatusCode::BAD_REQUEST, "no filters here");
        }
        let (path, rest) = filter.split_once(' ').expect("a filter");
        let (operator, value) = rest.split_once(' ').expect("a filter");
        let value = value.trim_matches('"');
        let path = if path == "emails.value" {
            "/emails/0/value".to_owned()
        } else {
            format!("/{}", path.replace('.', "/"))
        };
        if !provider.ignores_filters {
            found.retain(|one| {
                let own = one.pointer(&path).and_then(Json::as_str).unwrap_or_default();
                match operator {
                    "gt" => own.parse::<jiff::Timestamp>().expect("a time") > value.parse().expect("a time"),
                    _ => own.eq_ignore_ascii_case(value),
                }
            });
        }
    }
    let count: usize = query["count"].parse().expect("a number");
    let start = match query.get("cursor") {
        Some(cursor) => cursor.parse().unwrap_or(0),
        None => query.get("startIndex").map_or(0, |start| start.parse::<usize>().expect("a number") - 1),
    };
    let alone = query.get("attributes").is_some_and(|names| names == "id");
    let page: Vec<Json> = found
        .iter()
        .skip(start)
        .take(count)
        .map(|one| if alone { json!({"id": one["id"]}) } else { (*one).clone() })
        .collect();
    let mut body = json!({"totalResults": found.len(), "Resources": page});
    if query.contains_key("cursor") && start + page.len() < found.len() {
        body["nextCursor"] = json!((start + page.len()).to_string());
    }
    body.to_string().into_response()
}

fn user(number: usize) -> Json {
    json!({
        "id": format!("u{number}"), "userName": format!("p{number}@corp.example"), "active": !number.is_multiple_of(10),
        "name": {"givenName": format!("Given{number}"), "familyName": "Tal"}, "title": "Surveyor",
        "emails": [{"value": format!("old{number}@corp.example"), "type": "home"}, {"value": format!("p{number}@corp.example"), "type": "work"}],
        "externalId": format!("nick{number}"),
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Geology", "manager": {"value": format!("u{}", number / 10)}},
        "entitlements": if number == 3 { json!([{"value": "portal"}]) } else { json!([]) },
        "meta": {"lastModified": "2026-03-01T12:00:00.5Z"},
    })
}

struct Case {
    shared: Shared,
    options: Options,
}

impl Case {
    async fn new(people: usize, change: impl FnOnce(&mut Provider)) -> Self {
        let members: Vec<Json> = (0..3).map(|number| json!({"value": format!("u{number}")})).collect();
        let mut started = Provider {
            users: (0..people).map(user).collect(),
            groups: vec![
                json!({"id": "g1", "displayName": "Geology", "members": members, "meta": {"lastModified": "2026-03-01T12:00:00Z"}}),
                json!({"id": "u1", "displayName": "All", "members": [{"value": "g1", "type": "Group"}, {"value": "u1", "$ref": "../Groups/u1"}, {"value": "u2"}],
                       "meta": {"lastModified": "2026-03-01T12:00:00Z"}}),
            ],
            filters: true,
            ..Provider::default()
        };
        change(&mut started);
        let shared = Arc::new(Mutex::new(started));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let router = provider(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
        let names = |mapping: ObjectMapping| -> Vec<String> {
            mapping.source_attributes().into_iter().map(str::to_owned).collect()
        };
        let mut users = names(defaults::users());
        users.extend(
            ["objectId", "accountEnabled", "name.familyName", "emails[type eq \"home\"].value"]
                .map(str::to_owned),
        );
        let directory = Directory::Scim {
            url: format!("http://127.0.0.1:{port}/scim/"),
            token: SecretFrom::Environment("unused".to_owned()),
            assigned_entitlement: None,
            ca_file: None,
        };
        let wanted = Wanted { users: Some(users), groups: Some(names(defaults::groups())) };
        let secret = Some("secret-token\n".to_owned().into());
        let options =
            Options { directory, base: ".".into(), source_dir: None, wanted, sync_all: true, secret };
        Self { shared, options }
    }

    fn source(&self) -> AnySource {
        AnySource::open(self.options.clone()).expect("a source")
    }

    fn change<T>(&self, change: impl FnOnce(&mut Provider) -> T) -> T {
        change(&mut self.shared.lock().expect("the provider"))
    }
}

async fn drain(mut reading: Reading) -> Result<(Vec<Change>, Watermark), SourceError> {
    let mut all = Vec::new();
    while let Some(page) = reading.next().await? {
        assert!(!page.is_empty() && page.len() <= 1_000);
        all.extend(page);
    }
    Ok((all, reading.watermark()))
}

async fn read(source: &AnySource, since: Option<&Watermark>) -> (Vec<Change>, Watermark) {
    drain(source.read(since).await.expect("a reading")).await.expect("a whole reading")
}

fn entry<'c>(changes: &'c [Change], id: &str) -> &'c Entry {
    let of = |change: &'c Change| match change {
        Change::Present { entry, .. } if entry.id.0 == id => Some(&**entry),
        _ => None,
    };
    changes.iter().find_map(of).unwrap_or_else(|| panic!("no {id}"))
}

fn members(changes: &[Change], id: &str) -> Vec<String> {
    let of = |change: &Change| match change {
        Change::Present { entry, members: Some(Members::Whole(members)) } if entry.id.0 == id => {
            Some(members.iter().map(|member| member.0.clone()).collect())
        }
        _ => None,
    };
    changes.iter().find_map(of).unwrap_or_else(|| panic!("no members of {id}"))
}

#[tokio::test]
async fn all_are_told_whole_and_the_default_mappings_give_back_what_was_read() {
    for cursors in [false, true] {
        let case = Case::new(1_203, |provider| provider.cursors = cursors).await;
        let reading = case.source().read(None).await.unwrap();
        assert!(reading.is_full());
        assert_eq!(reading.expected(), Some(1_205));
        let (changes, _) = drain(reading).await.unwrap();
        let ids: BTreeSet<&EntryId> = changes.iter().map(Change::id).collect();
        assert_eq!((ids.len(), changes.len()), (1_205, 1_205), "ids of people and groups are apart");
        let person = entry(&changes, "user:u27");
        assert_eq!(person.manager, Some(EntryId("user:u2".to_owned())));
        assert!(person.enabled && !entry(&changes, "user:u20").enabled);
        for (name, value) in [
            ("objectId", "u27"),
            ("name.familyName", "Tal"),
            ("surname", "Tal"),
            ("mail", "p27@corp.example"),
            ("emails[type eq \"home\"].value", "old27@corp.example"),
        ] {
            assert_eq!(person.attributes[name], value, "{name}");
        }
        assert_eq!(entry(&changes, "user:u20").attributes["accountEnabled"], false);
        let resource = desired(person, &defaults::users(), false, &Surroundings::fixed()).unwrap().resource();
        let resource = Json::Object(resource);
        let read = user(27);
        for path in ["/userName", "/title", "/name/givenName", "/externalId"] {
            assert_eq!(resource.pointer(path), read.pointer(path), "{path}");
        }
        assert_eq!(members(&changes, "group:g1"), ["user:u0", "user:u1", "user:u2"]);
        assert_eq!(members(&changes, "group:u1"), ["group:g1", "group:u1", "user:u2"]);
    }
}

#[tokio::test]
async fn a_second_reading_tells_what_changed_and_who_left() {
    let case = Case::new(1_203, |_| {}).await;
    let source = case.source();
    let (_, mark) = read(&source, None).await;
    case.change(|provider| {
        provider.users.retain(|one| one["id"] != "u7");
        for (number, time) in [(9, "2026-03-02T09:00:00Z"), (10, "2026-03-02T09:00:01+00:00")] {
            provider.users[number]["title"] = json!("Geologist");
            provider.users[number]["meta"]["lastModified"] = json!(time);
        }
        let mut new = user(5_000);
        new["meta"]["lastModified"] = json!("2026-03-02T09:00:00Z");
        provider.users.push(new);
        provider.groups.remove(0);
    });
    let (changes, mark) = read(&source, Some(&mark)).await;
    // Within the overlap all are told again; what is new of them is told in any case.
    assert_eq!(entry(&changes, "user:u10").attributes["jobTitle"], "Geologist");
    entry(&changes, "user:u5000");
    let left: Vec<&Change> = changes.iter().filter(|change| matches!(change, Change::Left { .. })).collect();
    let gone =
        |id: &str, kind| Change::Left { id: EntryId(id.to_owned()), kind, presence: Presence::Deleted };
    assert_eq!(left, [&gone("user:u7", Kind::User), &gone("group:g1", Kind::Group)]);

    case.change(|provider| provider.users[0]["meta"]["lastModified"] = json!("2026-03-02T10:00:00Z"));
    let (changes, mark) = read(&source, Some(&mark)).await;
    let told: BTreeSet<&str> = changes.iter().map(|change| change.id().0.as_str()).collect();
    assert_eq!(
        told,
        BTreeSet::from(["user:u0", "user:u10", "user:u11", "user:u5000"]),
        "and who left is not told again"
    );
    let (changes, _) = read(&source, Some(&mark)).await;
    assert_eq!(changes.len(), 1, "the latest, within the overlap");
}

#[tokio::test]
async fn a_provider_that_cannot_say_what_changed_is_read_whole() {
    let no_filters: fn(&mut Provider) = |provider| provider.filters = false;
    let ignored: fn(&mut Provider) = |provider| {
        provider.ignores_filters = true;
        provider.users[4]["meta"] = json!({"lastModified": "2025-01-01T00:00:00Z"});
    };
    let undated: fn(&mut Provider) = |provider| provider.users[3]["meta"] = json!({});
    for unable in [no_filters, ignored, undated] {
        let case = Case::new(20, unable).await;
        let source = case.source();
        let (_, mark) = read(&source, None).await;
        case.change(|provider| provider.users[0]["meta"] = json!({"lastModified": "2026-04-01T00:00:00Z"}));
        let reading = source.read(Some(&mark)).await.unwrap();
        assert!(reading.is_full());
        assert_eq!(drain(reading).await.unwrap().0.len(), 22);
    }
}

#[tokio::test]
async fn nobody_is_missed_where_the_list_moves_while_it_is_read() {
    let removed: fn(&mut Provider) = |provider| drop(provider.users.remove(3));
    let exchanged: fn(&mut Provider) = |provider| {
        provider.users.remove(3);
        provider.users.push(user(9_999));
    };
    let emptied: fn(&mut Provider) = |provider| provider.users.clear();
    for moves in [removed, exchanged, emptied] {
        // The first answer is about the provider, the second the first page of people, the third of groups.
        let case = Case::new(1_203, |provider| provider.meanwhile = Some((3, moves))).await;
        let mut reading = case.source().read(None).await.unwrap();
        let error = loop {
            match reading.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("taken for a whole reading"),
                Err(error) => break error,
            }
        };
        assert!(error.message.contains("moved while it was read"), "{error}");
        assert_eq!(reading.next().await, Err(error), "it stays so");
        let mark = reading.watermark();
        assert_eq!(case.source().read(Some(&mark)).await.unwrap_err().kind, SourceErrorKind::Expired);
    }
    let case = Case::new(0, |_| {}).await;
    let error = case.source().read(None).await.unwrap_err();
    assert!(error.message.contains("lists no people at all"), "{error}");
}

#[tokio::test]
async fn a_provider_that_asks_for_time_gets_it() {
    let case = Case::new(600, |provider| {
        provider.trouble = [(429, Some("1"), ""), (503, Some("0"), ""), (502, None, "<html>")].into();
    })
    .await;
    let began = std::time::Instant::now();
    assert_eq!(read(&case.source(), None).await.0.len(), 602);
    assert!(began.elapsed() >= std::time::Duration::from_secs(2));
    case.change(|provider| provider.trouble = [(429, Some("3600"), "")].into());
    let error = case.source().read(None).await.unwrap_err();
    let hour = std::time::Duration::from_secs(3_600);
    assert_eq!(error.kind, SourceErrorKind::Throttled(Some(hour)), "{error}");
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_to_do() {
    let mut case = Case::new(5, |_| {}).await;
    let said = case.source().test().await.unwrap();
    assert!(said.contains("5 people; 2 groups; changes are found by meta.lastModified"), "{said}");
    for (status, body, kind, words) in [
        (200, "<!doctype html>", SourceErrorKind::Malformed, "with a web page instead of JSON"),
        (200, "{}", SourceErrorKind::Malformed, "has no totalResults"),
        (
            200,
            r#"{"totalResults": 1, "Resources": {}}"#,
            SourceErrorKind::Malformed,
            "Resources that are no list",
        ),
        (
            200,
            r#"{"totalResults": 1, "Resources": [{"userName": "x"}]}"#,
            SourceErrorKind::Malformed,
            "lists x without an id",
        ),
        (
            403,
            r#"{"detail": "not you"}"#,
            SourceErrorKind::Refused,
            "403: not you; the credential is valid but may not read",
        ),
        (302, "", SourceErrorKind::Malformed, "name the address itself"),
        (500, "", SourceErrorKind::Unreachable, "the service failed"),
    ] {
        let config = (200, None, "{}");
        case.change(|provider| provider.trouble = [config, (status, None, body)].into());
        let error = case.source().test().await.unwrap_err();
        assert!(error.message.contains(words), "{body}: {error}");
        assert_eq!(error.kind, kind, "{error}");
    }
    case.options.secret = Some("other".to_owned().into());
    let error = case.source().test().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Refused);
    assert!(error.message.contains("401: no such token") && !error.message.contains("other"), "{error}");
    let Directory::Scim { url, .. } = &mut case.options.directory else { panic!("this is SCIM") };
    *url = "http://127.0.0.1:1/scim".to_owned();
    let error = case.source().test().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable, "{error}");
}

#[tokio::test]
async fn some_are_fetched_found_and_assigned() {
    let mut case = Case::new(20, |_| {}).await;
    case.options.sync_all = false;
    let error = AnySource::open(case.options.clone()).unwrap_err();
    assert!(error.message.contains("name assigned_entitlement"), "{error}");
    let Directory::Scim { assigned_entitlement, .. } = &mut case.options.directory else {
        panic!("this is SCIM")
    };
    *assigned_entitlement = Some("portal".to_owned());
    let source = case.source();
    let (changes, _) = read(&source, None).await;
    let assigned = changes
        .iter()
        .filter(|change| matches!(change, Change::Present { entry, .. } if !entry.assignments.is_empty()));
    assert_eq!(assigned.map(|change| change.id().0.as_str()).collect::<Vec<_>>(), ["user:u3"]);

    let ids = ["user:u4", "user:none", "group:u1", "user:../Groups/u1"].map(|id| EntryId(id.to_owned()));
    let found = source.fetch(Kind::User, &ids).await.unwrap();
    entry(&found, "user:u4");
    assert!(found[1..].iter().all(|change| matches!(change, Change::Left { .. })), "{found:?}");
    for (kind, text, id) in [
        (Kind::User, "P4@corp.example", Some("user:u4")),
        (Kind::User, "u4", Some("user:u4")),
        (Kind::User, "nobody", None),
        (Kind::User, "old4@corp.example", Some("user:u4")),
        (Kind::Group, "geology", Some("group:g1")),
    ] {
        let found = source.search(kind, text).await.unwrap();
        assert_eq!(found.first().map(|change| change.id().0.as_str()), id, "{text}");
    }
}
