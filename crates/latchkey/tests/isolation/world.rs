//! A workspace with one of everything.

use latchkey_testkit::{Answer, Client, Server, Workspace};
use serde_json::{Value, json};

use crate::support::scim::{group_id, set_active, user_id};
use crate::support::{api, text};

pub(crate) struct World {
    pub(crate) workspace: Workspace,
    pub(crate) scim: Client,
    pub(crate) api: Client,
    pub(crate) user: String,
    pub(crate) returned: String,
    pub(crate) team: String,
    pub(crate) local_team: String,
    pub(crate) account: String,
    pub(crate) secret: String,
    pub(crate) collection: String,
    pub(crate) grant: String,
    pub(crate) job: String,
}

/// The lists whose items have ids.
const LISTS: &[&str] = &[
    "/members",
    "/teams",
    "/accounts",
    "/collections",
    "/grants",
    "/offboardings",
    "/outbox",
    "/scim-tokens",
    "/api-tokens",
    "/flights",
    "/audit",
    "/directory/people",
    "/directory/groups",
];

impl World {
    /// `mark` is in every name, so that a leak shows.
    pub(crate) async fn new(server: &Server, mark: &str) -> Self {
        let workspace = server.workspace(&format!("{mark}-workspace")).await;
        let (scim, api) = (workspace.scim(), workspace.api());
        let user = user_id(&scim, &format!("{mark}.ida@corp.example")).await;
        let returned = user_id(&scim, &format!("{mark}.bo@corp.example")).await;
        let team = group_id(&scim, &format!("{mark} pushed"), &[&user, &returned]).await;
        let local_team = api::make(&api, "/teams", json!({"display_name": format!("{mark} local")})).await;
        let collection = api::make(&api, "/collections", json!({"name": format!("{mark} folder")})).await;
        let account = api::account(&api, &format!("{mark} bank"), "privileged").await;
        let grant = api::grant_member(&api, &user, &account).await;
        let secret =
            json!({"kind": "password", "label": format!("{mark} word"), "value": format!("{mark} value")});
        let secret = api::secret(&api, &account, secret).await;
        api::grant_member(&api, &returned, &account).await;
        api::grant_team(&api, &team, &account).await;
        set_active(&scim, &returned, false).await;
        set_active(&scim, &returned, true).await;
        let person = json!({"name": format!("{mark}.person@corp.example")});
        let person = api::make(&api, "/directory/people", person).await;
        let group = api::make(&api, "/directory/groups", json!({"name": format!("{mark} group")})).await;
        let seats = json!({"add": [person]});
        api.post(&format!("/directory/groups/{group}/members"), &seats).await.expect(204);
        let definition = format!(
            "[job]\nname = \"{mark} job\"\n[source]\nkind = \"embedded\"\n[target]\nurl = \"{}\"\n[users]\nmappings = \"latchkey\"\n",
            workspace.scim_url()
        );
        let job = api::make(&api, "/synchronization/jobs", json!({"definition": definition})).await;
        // Nothing changes by itself while a test compares.
        api::until_tasks(&api, 1).await;
        Self {
            workspace,
            scim,
            api,
            user,
            returned,
            team,
            local_team,
            account,
            secret,
            collection,
            grant,
            job,
        }
    }

    /// Every id that there is, with the list that it is from.
    pub(crate) async fn ids(&self) -> Vec<(&'static str, String)> {
        let mut ids = vec![("workspace", self.workspace.id.clone()), ("/secrets", self.secret.clone())];
        ids.push(("/synchronization/jobs", self.job.clone()));
        for path in LISTS {
            let items = api::all(&self.api, path).await;
            assert!(!items.is_empty(), "{path} has something in it");
            ids.extend(items.iter().take(12).map(|item| (*path, text(item, "/id").to_owned())));
        }
        ids.retain(|(_, id)| !id.is_empty());
        ids
    }

    /// All that the API lists, to compare.
    pub(crate) async fn content(&self) -> Vec<(&'static str, Vec<Value>)> {
        let mut content = Vec::new();
        // Tokens show their last use, and the flight recorder fills by looking.
        for path in LISTS.iter().filter(|path| !["/scim-tokens", "/api-tokens", "/flights"].contains(path)) {
            let mut items = api::all(&self.api, path).await;
            // A record's place in the chain comes a moment after it.
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                item.retain(|key, _| !["sequence", "hash"].contains(&key.as_str()));
            }
            content.push((*path, items));
        }
        content
    }
}

/// An answer with ids masked and without what differs from request to request.
pub(crate) fn masked(answer: &Answer) -> (u16, Vec<String>, String) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "request-id"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", mask(&String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    headers.sort();
    (answer.status, headers, mask(&answer.text()))
}

/// Every UUID becomes the same one.
fn mask(text: &str) -> String {
    let is_uuid = |at: usize| {
        text.get(at..at + 36).is_some_and(|part| {
            part.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
        })
    };
    let (mut masked, mut at) = (String::new(), 0);
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if is_uuid(at) {
            masked.push_str("<id>");
            at += 36;
        } else {
            masked.push(next);
            at += next.len_utf8();
        }
    }
    masked
}
