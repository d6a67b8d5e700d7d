//! All that a workspace holds, as one value to compare before and after.

use latchkey_testkit::{Client, Workspace};
use serde_json::{Value, json};

use super::scim::{ids, read};
use super::{api, list};

/// What must not change when a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) users: Vec<Value>,
    pub(crate) groups: Vec<Value>,
    /// How many records somebody's requests have written; what the server does by itself goes on.
    pub(crate) audit: usize,
}

impl State {
    /// Reads it.
    pub(crate) async fn of(workspace: &Workspace) -> Self {
        let scim = workspace.scim();
        Self {
            users: everything(&scim, "/Users").await,
            groups: everything(&scim, "/Groups").await,
            audit: api::audit_of_requests(&workspace.api()).await.len(),
        }
    }

    /// Fails with what is different, and only that.
    pub(crate) fn assert_same(&self, before: &Self, after_what: &str) {
        for (kind, now, then) in
            [("user", &self.users, &before.users), ("group", &self.groups, &before.groups)]
        {
            if let Some(value) = now.iter().find(|value| !then.contains(value)) {
                let old = then.iter().find(|old| old["id"] == value["id"]);
                panic!("{after_what} changed a {kind}\nbefore: {}\nafter:  {value}", json!(old));
            }
            assert_eq!(now.len(), then.len(), "{after_what} removed a {kind}");
        }
        assert_eq!(self.audit, before.audit, "{after_what} wrote to the audit log");
    }
}

/// Every resource of an endpoint, in id order, each as a GET of the list shows it.
pub(crate) async fn everything(scim: &Client, path: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let page = read(scim, &format!("{path}?startIndex={}&count=100", all.len() + 1)).await;
        let total = page["totalResults"].as_u64().unwrap_or_else(|| panic!("no totalResults: {page}"));
        let resources = list(&page, "/Resources");
        all.extend(resources.iter().cloned());
        if resources.is_empty() || all.len() as u64 >= total {
            let mut seen = ids(&json!({"Resources": all}));
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), all.len(), "{path} gave a resource twice");
            return all;
        }
    }
}
