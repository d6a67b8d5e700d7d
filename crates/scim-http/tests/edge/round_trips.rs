//! How often a request waits for PostgreSQL: once to read what a decision rests on, and once to commit.

use latchkey_access::grants::Wish;
use latchkey_access::{GrantObject, OffboardingRotation, Permission, Policy, Role, Sensitivity};
use latchkey_engine::accounts::{self, NewAccount};
use latchkey_engine::collections;
use latchkey_engine::grants::{self, To};
use latchkey_engine::members::{self, NewMember};
use latchkey_engine::workspaces;
use latchkey_kernel::id::{CollectionId, MemberId};
use serde_json::{Value, json};

use crate::{Edge, patch, user};

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// What is asked, in order; a later one may rest on what an earlier one made. `{user}`, `{other}`
/// and `{group}` stand for ids.
fn requests(n: usize, user_id: &str, other: &str, group: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let members = json!([{"value": user_id}]);
    let named = |name: String| json!({"schemas": [GROUP], "displayName": name});
    let with = |name: String| json!({"schemas": [GROUP], "displayName": name, "members": members});
    let add = patch(json!([{"op": "add", "path": "members", "value": members}]));
    let remove = patch(json!([{"op": "remove", "path": format!("members[value eq \"{user_id}\"]")}]));
    let active = |on: bool| patch(json!([{"op": "replace", "path": "active", "value": on}]));
    let given = patch(json!([{"op": "replace", "path": "name.givenName", "value": format!("G{n}")}]));
    let renamed = patch(json!([{"op": "replace", "path": "displayName", "value": format!("R{n}")}]));
    let me = format!("/Users/{user_id}");
    let team = format!("/Groups/{group}");
    vec![
        ("POST", "/Users".to_owned(), Some(user(&format!("new{n}@corp.example")))),
        ("GET", me.clone(), None),
        ("GET", "/Users?filter=userName%20eq%20%22ida@corp.example%22".to_owned(), None),
        ("PUT", me.clone(), Some(user(&format!("ida{n}@corp.example")))),
        ("PATCH", me.clone(), given),
        ("PATCH", me.clone(), active(false)),
        ("PATCH", me.clone(), active(true)),
        ("PUT", me, Some(user("ida@corp.example"))),
        ("POST", "/Groups".to_owned(), Some(named(format!("Empty {n}")))),
        ("GET", team.clone(), None),
        ("GET", format!("{team}?excludedAttributes=members"), None),
        ("PATCH", team.clone(), add.clone()),
        ("PATCH", team.clone(), remove),
        ("PATCH", format!("{team}?attributes=members"), add),
        ("PATCH", team.clone(), renamed),
        ("PUT", team.clone(), Some(with(format!("Again {n}")))),
        ("DELETE", team, None),
        ("DELETE", format!("/Users/{other}"), None),
    ]
}

/// Lists of all kinds; of a few users and groups, and of pages that are full and not full.
const LISTS: &[&str] = &[
    "/Users",
    "/Users?count=2",
    "/Users?count=0",
    "/Users?startIndex=3&count=2",
    "/Users?count=2&excludedAttributes=groups",
    "/Users?filter=active%20eq%20true&count=2",
    "/Users?filter=active%20eq%20true&startIndex=2&count=2",
    "/Users?filter=emails.value%20eq%20%22ida@corp.example%22",
    "/Users?filter=title%20eq%20%22Smith%22",
    "/Users?filter=name.familyName%20eq%20%22Holm%22&startIndex=2&count=2",
    "/Users?sortBy=name.familyName&count=2",
    "/Users?cursor=&count=2",
    "/Users?sortBy=userName&cursor=&count=2",
    "/Groups",
    "/Groups?count=1",
    "/Groups?startIndex=2&count=1",
    "/Groups?excludedAttributes=members&count=1",
    "/Groups?filter=displayName%20eq%20%22Listed%201%22",
    "/Groups?filter=displayName%20sw%20%22Listed%22&count=1",
    "/Groups?filter=meta.created%20gt%20%222020-01-01T00:00:00Z%22",
    "/Groups?sortBy=displayName&count=1",
    "/Groups?cursor=&count=1",
];

/// What requests cost, in the order in which they were first made: the least counts, because at
/// first statements are prepared, and a login may grow old at any time.
#[derive(Default)]
struct Least(Vec<(String, u64)>);

impl Least {
    async fn ask(&mut self, edge: &Edge, name: &str, method: &str, path: &str, body: Option<Value>) -> Value {
        let before = edge.engine.store().round_trips();
        let answer = edge.ask(method, path, body).await;
        let trips = edge.engine.store().round_trips() - before;
        assert!(answer.status.is_success(), "{method} {path}: {}", answer.text);
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, least)) => *least = trips.min(*least),
            None => self.0.push((name.to_owned(), trips)),
        }
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    #[track_caller]
    fn is_two_at_most(&self) {
        let more: Vec<_> = self.0.iter().filter(|(_, trips)| *trips > 2 || *trips == 0).collect();
        assert!(more.is_empty(), "{more:#?}");
    }
}

#[tokio::test]
async fn no_request_waits_for_postgres_more_than_twice() {
    let edge = Edge::on_postgres().await;
    let ida = edge.user("ida@corp.example").await;
    let mut least = Least::default();
    for n in 0..3 {
        let other = edge.user(&format!("other{n}@corp.example")).await;
        let body = json!({"schemas": [GROUP], "displayName": format!("Sales {n}")});
        let made = edge.ask("POST", "/Groups", Some(body)).await.json();
        let group = made["id"].as_str().unwrap();
        for (at, (method, path, body)) in requests(n, &ida, &other, group).into_iter().enumerate() {
            let path_without_ids = path.replace(&ida, "…").replace(&other, "…").replace(group, "…");
            least.ask(&edge, &format!("{at}: {method} {path_without_ids}"), method, &path, body).await;
        }
    }
    assert!(least.0.iter().any(|(_, trips)| *trips == 1), "{:?}", least.0);
    least.is_two_at_most();
}

#[tokio::test]
async fn no_list_waits_for_postgres_more_than_twice() {
    let edge = Edge::on_postgres().await;
    let mut ids = vec![edge.user("ida@corp.example").await];
    for n in 0..6 {
        ids.push(edge.user(&format!("user{n}@corp.example")).await);
    }
    for n in 0..3 {
        let members: Vec<Value> = ids[n..].iter().map(|id| json!({ "value": id })).collect();
        let body = json!({"schemas": [GROUP], "displayName": format!("Listed {n}"), "members": members});
        assert_eq!(edge.ask("POST", "/Groups", Some(body)).await.status, 201);
    }
    let mut least = Least::default();
    for _ in 0..3 {
        for path in LISTS {
            let mut listed = least.ask(&edge, path, "GET", path, None).await;
            if let Some(cursor) = listed["nextCursor"].take().as_str() {
                let next = path.replace("cursor=", &format!("cursor={cursor}"));
                least.ask(&edge, &format!("{path}, the next page"), "GET", &next, None).await;
            }
        }
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "userName sw \"user\"", "sortBy": "displayName", "count": 2});
        least.ask(&edge, "a search", "POST", "/Users/.search", Some(search)).await;
    }
    least.is_two_at_most();
}

/// Somebody who leaves by the directory's word, with all that makes a leaving costly.
#[derive(Debug, Clone, Copy)]
enum Leaver {
    /// Uses privileged accounts, by a grant and by a team: their passwords are rotated.
    Uses,
    /// Owns accounts that a successor, a co-owner, a team of co-owners and nobody can take.
    Owns,
    /// Is an Owner, and owns and uses the like.
    Owner,
}

struct Company<'a> {
    edge: &'a Edge,
    heir: MemberId,
    folder: CollectionId,
}

impl Company<'_> {
    async fn account(
        &self,
        name: &str,
        owner: Option<MemberId>,
        successor: Option<MemberId>,
        inside: bool,
    ) -> GrantObject {
        let new = NewAccount {
            name: name.to_owned(),
            app: "App".to_owned(),
            url: None,
            username: None,
            sensitivity: Sensitivity::Privileged,
            offboarding_rotation: OffboardingRotation::Auto,
            collection_id: inside.then_some(self.folder),
            owner_id: owner,
            successor_id: successor,
        };
        let made = accounts::create(&self.edge.engine, &self.edge.by, &new).await.unwrap();
        GrantObject::Account(made.id)
    }

    async fn give(&self, to: To, object: GrantObject, permission: Permission) {
        let wish = Wish { object, permission, starts_at: None, ends_at: None, reason: None };
        grants::give(&self.edge.engine, &self.edge.by, to, &wish).await.unwrap();
    }

    async fn leaver(&self, kind: Leaver, name: &str) -> MemberId {
        let (engine, by) = (&self.edge.engine, &self.edge.by);
        let new = NewMember {
            user_name: format!("{kind:?}.{name}@corp.example"),
            display_name: None,
            work_email: None,
            role: if matches!(kind, Leaver::Owner) { Role::Owner } else { Role::User },
        };
        let id = members::add(engine, by, &new).await.unwrap().id;
        if !matches!(kind, Leaver::Owns) {
            let used = self.account("used", None, None, false).await;
            self.give(To::Member(id), used, Permission::Use).await;
        }
        if !matches!(kind, Leaver::Uses) {
            self.account("with a successor", Some(id), Some(self.heir), false).await;
            self.account("in the heir's folder", Some(id), None, true).await;
            let shared = self.account("with a co-owner", Some(id), None, false).await;
            self.give(To::Member(self.heir), shared, Permission::Own).await;
            self.account("of nobody else", Some(id), None, false).await;
        }
        id
    }
}

#[tokio::test]
async fn no_offboarding_waits_for_postgres_more_than_twice() {
    let edge = Edge::on_postgres().await;
    let (engine, by) = (&edge.engine, &edge.by);
    let heir: MemberId = edge.user("heir@corp.example").await.parse().unwrap();
    let next: MemberId = edge.user("next@corp.example").await.parse().unwrap();
    workspaces::set_policy(engine, by, Policy { successor: Some(next), ..Policy::default() }).await.unwrap();
    let folder = collections::create(engine, by, "Folder", None).await.unwrap().id;
    let company = Company { edge: &edge, heir, folder };
    company.give(To::Member(heir), GrantObject::Collection(folder), Permission::Own).await;
    let mut least = Least::default();
    for n in 0..3 {
        for kind in [Leaver::Uses, Leaver::Owns, Leaver::Owner] {
            for (way, method) in [("disabled", "PATCH"), ("replaced", "PUT"), ("deleted", "DELETE")] {
                let id = company.leaver(kind, &format!("{way}{n}")).await;
                let path = format!("/Users/{id}");
                let body = match method {
                    "PATCH" => patch(json!([{"op": "replace", "path": "active", "value": false}])),
                    "PUT" => {
                        let mut body = user(&format!("{kind:?}.{way}{n}@corp.example"));
                        body["active"] = json!(false);
                        Some(body)
                    }
                    _ => None,
                };
                least.ask(&edge, &format!("{kind:?} {way}"), method, &path, body).await;
            }
        }
    }
    least.is_two_at_most();
}
