//! A tenant of Entra ID as Microsoft Graph shows it: delta queries, throttling, tokens and the bin,
//! as Microsoft's documentation describes them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value as Json, json};

pub(crate) type Shared = Arc<Mutex<Tenant>>;

/// The id of a person or group for people who read tests.
pub(crate) fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

#[derive(Debug, Default)]
pub(crate) struct Tenant {
    base: String,
    pub(crate) users: BTreeMap<String, Map<String, Json>>,
    pub(crate) groups: BTreeMap<String, Map<String, Json>>,
    pub(crate) members: BTreeMap<String, BTreeSet<String>>,
    pub(crate) bin: BTreeMap<String, Map<String, Json>>,
    pub(crate) assignments: Vec<Json>,
    /// What happened, as delta queries tell it: kind and item.
    log: Vec<(&'static str, Json)>,
    /// What the rounds that are under way tell, and how much of the log that was.
    rounds: Vec<(Vec<Json>, usize)>,
    pub(crate) page: usize,
    /// Each round tells everything twice, backwards, with an empty page in the middle.
    pub(crate) disorder: bool,
    /// Copies that a query for an object still gives.
    pub(crate) stale: HashMap<String, Map<String, Json>>,
    /// What the next answers are instead.
    pub(crate) trouble: VecDeque<Trouble>,
    /// How many calls a token is good for.
    pub(crate) token_lasts: Option<usize>,
    token: Option<(String, usize)>,
    pub(crate) tokens_given: usize,
    pub(crate) asked: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    Fine,
    Status(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// A page whose links lead elsewhere, or nowhere.
    Page(Json),
}

impl Tenant {
    pub(crate) async fn start(self) -> (Shared, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Mutex::new(Self { base: base.clone(), ..self }));
        let router = Router::new()
            .route("/{tenant}/oauth2/v2.0/token", post(token))
            .route("/v1.0/{*path}", get(graph))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
        (shared, base)
    }

    /// Puts an object in, or changes some of its properties; the log tells no more than these.
    pub(crate) fn set(&mut self, kind: &'static str, id: &str, properties: Json) {
        let all = if kind == "users" { &mut self.users } else { &mut self.groups };
        let object = all.entry(id.to_owned()).or_default();
        let mut told = Map::from_iter([("id".to_owned(), json!(id))]);
        for (name, value) in properties.as_object().expect("properties") {
            object.insert(name.clone(), value.clone());
            if name == "manager" {
                let manager = json!([{"@odata.type": "#microsoft.graph.user", "id": value["id"]}]);
                told.insert("manager@delta".to_owned(), manager);
            } else {
                told.insert(name.clone(), value.clone());
            }
        }
        object.insert("id".to_owned(), json!(id));
        self.log.push((kind, Json::Object(told)));
    }

    pub(crate) fn member(&mut self, group: &str, member: &str, comes: bool) {
        let mut one = json!({"@odata.type": self.type_of(member), "id": member});
        if !comes {
            one["@removed"] = json!({"reason": "deleted"});
        }
        let members = self.members.entry(group.to_owned()).or_default();
        if comes {
            members.insert(member.to_owned())
        } else {
            members.remove(member)
        };
        self.log.push(("groups", json!({"id": group, "members@delta": [one]})));
    }

    /// Into the bin, or, with `purge`, out of it for good.
    pub(crate) fn remove(&mut self, kind: &'static str, id: &str, purge: bool) {
        let all = if kind == "users" { &mut self.users } else { &mut self.groups };
        if let Some(object) = all.remove(id) {
            self.bin.insert(id.to_owned(), object);
            self.log.push((kind, json!({"id": id, "@removed": {"reason": "changed"}})));
        }
        if purge {
            self.bin.remove(id);
            self.log.push((kind, json!({"id": id, "@removed": {"reason": "deleted"}})));
        }
    }

    pub(crate) fn restore(&mut self, id: &str) {
        let object = self.bin.remove(id).expect("it is in the bin");
        self.set("users", id, Json::Object(object));
    }

    fn type_of(&self, id: &str) -> &'static str {
        if self.users.contains_key(id) || self.bin.contains_key(id) {
            "#microsoft.graph.user"
        } else if self.groups.contains_key(id) {
            "#microsoft.graph.group"
        } else {
            "#microsoft.graph.device"
        }
    }

    /// All that a first round tells: objects whole, members in slices that stand far apart.
    fn first_round(&self, kind: &str, select: &str) -> Vec<Json> {
        let all = if kind == "users" { &self.users } else { &self.groups };
        let (mut items, mut slices) = (Vec::new(), Vec::new());
        for (id, object) in all {
            let mut item = selected(object, select);
            if let Some(manager) =
                object.get("manager").filter(|_| select.split(',').any(|name| name == "manager"))
            {
                item.remove("manager");
                let manager = json!([{"@odata.type": "#microsoft.graph.user", "id": manager["id"]}]);
                item.insert("manager@delta".to_owned(), manager);
            }
            let members: Vec<&String> = self.members.get(id).into_iter().flatten().collect();
            for (at, some) in members.chunks(3).enumerate().filter(|_| kind == "groups") {
                let some: Vec<Json> = some
                    .iter()
                    .map(|member| json!({"@odata.type": self.type_of(member), "id": member}))
                    .collect();
                if at == 0 {
                    item.insert("members@delta".to_owned(), json!(some));
                } else {
                    slices.push(json!({"id": id, "members@delta": some}));
                }
            }
            items.push(Json::Object(item));
        }
        items.extend(slices);
        items
    }

    fn delta(&mut self, kind: &str, query: &HashMap<String, String>) -> Response {
        let (round, offset) = match (query.get("$skiptoken"), query.get("$deltatoken")) {
            (Some(token), _) => {
                let (round, offset) = token.split_once('-').expect("a token of ours");
                (round.parse().expect("a number"), offset.parse().expect("a number"))
            }
            (None, token) => {
                assert!(
                    token.is_some() != query.contains_key("$select"),
                    "parameters are baked into the link"
                );
                let mut items = match token {
                    None => self.first_round(kind, &query["$select"]),
                    Some(since) => {
                        let since: usize = since.parse().expect("a number");
                        self.log[since..]
                            .iter()
                            .filter(|(one, _)| *one == kind)
                            .map(|(_, item)| item.clone())
                            .collect()
                    }
                };
                if self.disorder {
                    let again = items.clone();
                    items.extend(again);
                    items.reverse();
                }
                self.rounds.push((items, self.log.len()));
                (self.rounds.len() - 1, 0)
            }
        };
        let (items, at) = &mut self.rounds[round];
        if offset + self.page >= items.len() {
            // What changed since the round began may be told in it already.
            let since = self.log[*at..].iter().filter(|(one, _)| *one == kind).map(|(_, item)| item.clone());
            items.extend(since);
            *at = self.log.len();
        }
        let end = (offset + self.page).min(items.len());
        // A page may be empty and have a next one all the same.
        let is_empty = self.disorder && offset == self.page && !query.contains_key("empty");
        let link = |token: String| json!(format!("{}/v1.0/{kind}/delta?{token}", self.base));
        let mut body = json!({"value": if is_empty { &[] } else { &items[offset..end] }});
        if is_empty {
            body["@odata.nextLink"] = link(format!("$skiptoken={round}-{offset}&empty=seen"));
        } else if end < items.len() {
            body["@odata.nextLink"] = link(format!("$skiptoken={round}-{end}"));
        } else {
            body["@odata.deltaLink"] = link(format!("$deltatoken={at}"));
        }
        body.to_string().into_response()
    }

    /// Objects by a filter that names ids, or what people call them.
    fn find(&self, kind: &str, query: &HashMap<String, String>) -> Response {
        let all = if kind == "users" { &self.users } else { &self.groups };
        let filter = &query["$filter"];
        let wanted: HashSet<&str> = filter.split('\'').skip(1).step_by(2).collect();
        assert!(!filter.starts_with("id in") || wanted.len() <= 15, "at most 15 values");
        let is_meant = |id: &String, object: &Map<String, Json>| {
            if filter.starts_with("id in") {
                return wanted.contains(id.as_str());
            }
            filter.split(" or ").any(|clause| {
                let value = clause.split('\'').nth(1).expect("a value").to_lowercase();
                let text =
                    |name: &str| object.get(name).and_then(Json::as_str).unwrap_or_default().to_lowercase();
                match clause.split_once(" eq ") {
                    Some((name, _)) => text(name) == value,
                    None => text("userPrincipalName").starts_with(&value),
                }
            })
        };
        let found = all.iter().filter(|(id, object)| is_meant(id, object));
        let values: Vec<Json> = found
            .map(|(id, object)| {
                let object = self.stale.get(id).unwrap_or(object);
                let mut one = selected(object, &query["$select"]);
                if query.get("$expand").is_some_and(|expand| expand == "manager($select=id)") {
                    one.extend(object.get("manager").map(|manager| ("manager".to_owned(), manager.clone())));
                }
                Json::Object(one)
            })
            .collect();
        json!({"value": values}).to_string().into_response()
    }
}

fn selected(object: &Map<String, Json>, select: &str) -> Map<String, Json> {
    let names: HashSet<&str> = select.split(',').collect();
    object
        .iter()
        .filter(|(name, _)| names.contains(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn error(status: u16, code: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, json!({"error": {"code": code, "message": format!("{code} happened")}}).to_string())
        .into_response()
}

async fn token(State(shared): State<Shared>, Path(tenant): Path<String>, body: String) -> Response {
    let mut state = shared.lock().expect("the tenant");
    let good = tenant == "quarry.example"
        && body.contains("grant_type=client_credentials")
        && body.contains("client_id=the-app")
        && body.contains("client_secret=s%26cret")
        && body.contains("%2F.default");
    if !good {
        let body = json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."});
        return (StatusCode::UNAUTHORIZED, body.to_string()).into_response();
    }
    state.tokens_given += 1;
    let token = format!("token-{}", state.tokens_given);
    let lasts = state.token_lasts.unwrap_or(usize::MAX);
    state.token = Some((token.clone(), lasts));
    json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}).to_string().into_response()
}

async fn graph(
    State(shared): State<Shared>,
    Path(path): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let mut state = shared.lock().expect("the tenant");
    state.asked.push(format!("{path}?{}", uri.query().unwrap_or_default()));
    let shown =
        headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    match &mut state.token {
        Some((token, lasts)) if *lasts > 0 && shown == format!("Bearer {token}") => *lasts -= 1,
        _ => return error(401, "InvalidAuthenticationToken"),
    }
    match state.trouble.pop_front() {
        None | Some(Trouble::Fine) => {}
        Some(Trouble::Status(status, headers, body)) => {
            let status = StatusCode::from_u16(status).expect("a status");
            return (status, AppendHeaders(headers), body.to_owned()).into_response();
        }
        Some(Trouble::Page(page)) => return page.to_string().into_response(),
    }
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        [kind @ ("users" | "groups"), "delta"] => state.delta(kind, &query),
        [kind @ ("users" | "groups"), "$count"] => {
            assert_eq!(headers.get("consistencylevel").expect("a header"), "eventual");
            let count = if kind == "users" { state.users.len() } else { state.groups.len() };
            format!("\u{feff}{count}").into_response()
        }
        [kind @ ("users" | "groups")] => state.find(kind, &query),
        ["groups", group, "members"] => {
            if !state.groups.contains_key(group) {
                return error(404, "Request_ResourceNotFound");
            }
            let all = state.members.get(group).into_iter().flatten();
            let values: Vec<Json> = all.map(|member| json!({"@odata.type": state.type_of(member), "id": member})).collect();
            json!({"value": values}).to_string().into_response()
        }
        ["directory", "deletedItems", one] => {
            if state.bin.contains_key(one) { json!({"id": one}).to_string().into_response() } else { error(404, "Request_ResourceNotFound") }
        }
        ["servicePrincipals", "servicePrincipals(appId='the-portal')" | "portal"] | ["servicePrincipals(appId='the-portal')"] => {
            json!({"id": id(900), "appRoles": [{"id": id(901), "value": "auditor", "displayName": "Auditor"}]}).to_string().into_response()
        }
        ["servicePrincipals", one, "appRoleAssignedTo"] if one == id(900) => {
            json!({"value": state.assignments}).to_string().into_response()
        }
        _ => error(404, "Request_ResourceNotFound"),
    }
}
