//! A workspace with people, and the words in which the tests of leaving are told.

use std::collections::BTreeSet;

use latchkey_testkit::{Answer, Client, Server, Workspace};
use serde_json::{Value, json};

use crate::support::scim::{self, patch, set_active, user_id};
use crate::support::{api, text};

/// A workspace and its two clients.
pub(crate) struct Scene {
    pub(crate) workspace: Workspace,
    pub(crate) scim: Client,
    pub(crate) api: Client,
}

impl Scene {
    pub(crate) async fn new(server: &Server, name: &str) -> Self {
        let workspace = server.workspace(name).await;
        Self { scim: workspace.scim(), api: workspace.api(), workspace }
    }

    /// A user who is active.
    pub(crate) async fn person(&self, name: &str) -> String {
        user_id(&self.scim, &format!("{name}@corp.example")).await
    }

    pub(crate) async fn group(&self, name: &str, members: &[&str]) -> String {
        scim::group_id(&self.scim, name, members).await
    }

    pub(crate) async fn disable(&self, id: &str) -> Answer {
        set_active(&self.scim, id, false).await
    }

    pub(crate) async fn enable(&self, id: &str) -> Answer {
        set_active(&self.scim, id, true).await
    }

    /// Puts somebody into a group as Entra does.
    pub(crate) async fn add(&self, group: &str, id: &str) {
        self.change_members(group, "Add", id).await;
    }

    pub(crate) async fn remove(&self, group: &str, id: &str) {
        self.change_members(group, "Remove", id).await;
    }

    async fn change_members(&self, group: &str, op: &str, id: &str) {
        let body = patch(json!({"op": op, "path": "members", "value": [{"value": id}]}));
        self.scim.patch(&format!("/Groups/{group}"), &body).await.expect(204);
    }

    pub(crate) async fn access(&self, id: &str) -> BTreeSet<String> {
        api::access(&self.api, id).await
    }

    pub(crate) async fn listed(&self, group: &str, id: &str) -> bool {
        scim::members(&self.scim, group).await.contains(id)
    }

    pub(crate) async fn member(&self, id: &str) -> Value {
        self.api.get(&format!("/members/{id}")).await.expect(200).json()
    }

    pub(crate) async fn is_waiting_for_review(&self, id: &str) -> bool {
        api::all(&self.api, "/reviews").await.iter().any(|review| review["member_id"] == id)
    }

    pub(crate) async fn review(&self, id: &str, body: Value) -> Answer {
        self.api.post(&format!("/members/{id}/review"), &body).await
    }

    pub(crate) async fn set_policy(&self, policy: Value) {
        let answer = self.api.patch("/workspace", &json!({"policy": policy})).await.expect(200).json();
        for (key, value) in policy.as_object().into_iter().flatten() {
            assert_eq!(&answer["policy"][key], value, "{answer}");
        }
    }

    pub(crate) async fn set_role(&self, id: &str, role: &str) {
        let answer = self.api.patch(&format!("/members/{id}"), &json!({"role": role})).await;
        assert_eq!(text(&answer.expect(200).json(), "/role"), role);
    }

    /// A token with which a member's own programs come, by the command line.
    pub(crate) async fn token_of(&self, server: &Server, email: &str) -> Client {
        let name = &self.workspace.name;
        let made =
            server.cli(&["admin", "api-token", "create", "--workspace", name, "--member", email]).await;
        self.api.clone().with_token(made.success().stdout.trim())
    }
}
