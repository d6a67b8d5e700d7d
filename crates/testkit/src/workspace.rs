//! A workspace made for a test.

use serde_json::Value;

use crate::client::{Address, Client};
use crate::server::Server;

/// A workspace with an owner, a SCIM token, and an API token of the owner with every scope.
#[derive(Clone)]
pub struct Workspace {
    /// What it is called.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The owner's member id.
    pub owner_id: String,
    /// The owner's address.
    pub owner_email: String,
    /// For the directory.
    pub scim_token: String,
    /// For the management API, as the owner.
    pub api_token: String,
    address: Address,
    scim: Client,
    api: Client,
}

impl Workspace {
    /// By the command line, as an operator does it.
    pub(crate) async fn create(server: &Server, name: &str) -> Self {
        let slug: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let owner_email = format!("owner@{slug}.example");
        let made =
            server.cli(&["admin", "workspace", "create", name, "--owner", &owner_email, "--json"]).await;
        let made = made.success().json();
        let scim_token = server.cli(&["admin", "scim-token", "create", "--workspace", name]).await;
        let api_token = server
            .cli(&["admin", "api-token", "create", "--workspace", name, "--member", &owner_email])
            .await;
        let scim_token = scim_token.success().stdout.trim().to_owned();
        let api_token = api_token.success().stdout.trim().to_owned();
        let root = server.client();
        Self {
            name: name.to_owned(),
            id: text(&made, &["/id", "/workspace/id", "/workspace_id"]),
            owner_id: text(&made, &["/owner_id", "/owner/id", "/owner/member_id"]),
            owner_email,
            scim: root
                .clone()
                .with_prefix("/v1/scim/v2")
                .with_token(&scim_token)
                .with_media_type("application/scim+json"),
            api: root.with_prefix("/v1/api").with_token(&api_token),
            scim_token,
            api_token,
            address: server.shared_address(),
        }
    }

    /// A client for `/v1/scim/v2` with the SCIM token.
    pub fn scim(&self) -> Client {
        self.scim.clone()
    }

    /// A client for `/v1/api` with the API token.
    pub fn api(&self) -> Client {
        self.api.clone()
    }

    /// The URL that a directory's admin would be given.
    pub fn scim_url(&self) -> String {
        format!("http://{}/v1/scim/v2", self.address.get())
    }
}

/// The text at the first of these places that has one.
fn text(json: &Value, places: &[&str]) -> String {
    places
        .iter()
        .find_map(|place| json.pointer(place)?.as_str())
        .unwrap_or_else(|| panic!("`admin workspace create --json` says none of {places:?}: {json}"))
        .to_owned()
}
