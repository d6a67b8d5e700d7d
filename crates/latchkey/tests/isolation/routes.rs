//! The routes, as the router itself tells them, and what each needs to be asked well.

use latchkey_testkit::Server;
use serde_json::{Value, json};

use crate::support::scim::{group, patch, user};
use crate::support::{NEVER, text};

/// One method of one path, as `latchkey doctor --routes --json` lists it.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
    /// `scim`, `api`, or `none`.
    pub(crate) auth: String,
}

impl Route {
    /// The names in braces.
    pub(crate) fn parameters(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| part.starts_with('{')).collect()
    }

    /// The path with the parameters filled in, in order.
    pub(crate) fn at(&self, ids: &[&str]) -> String {
        let mut ids = ids.iter();
        self.path
            .split('/')
            .map(|part| if part.starts_with('{') { *ids.next().expect("an id for each") } else { part })
            .collect::<Vec<_>>()
            .join("/")
    }

    /// A body that the route would take, so that what refuses it is the id.
    pub(crate) fn body(&self, own_member: &str) -> String {
        let body = match (self.method.as_str(), self.path.rsplit("/v1/").next().unwrap_or_default()) {
            ("GET" | "DELETE" | "HEAD", _) => return String::new(),
            ("PUT", path) if path.starts_with("api/teams/") => return String::new(),
            ("PUT", path) if path.contains("synchronization/") && path.ends_with("/secrets") => {
                json!({"value": []})
            }
            ("PUT", path) if path.contains("synchronization/") => json!({"definition": "[job]"}),
            ("POST", "api/synchronization/jobs") => json!({"definition": "[job]"}),
            ("POST", path) if path.ends_with("/assignments") => json!({"application": "x"}),
            ("POST", path) if path.ends_with("/provisionOnDemand") => {
                json!({"parameters": [{"subjects": [{"objectId": NEVER, "objectTypeName": "User"}]}]})
            }
            ("POST", path) if path.ends_with("/apply") => {
                json!({"plan": {"definition": null, "objects": {}, "members": []}})
            }
            ("POST", path) if path.ends_with("/parseExpression") => json!({"expression": "[a]"}),
            ("PUT", path) if path.ends_with("/value") => json!({"value": "new"}),
            ("POST", path) if path.ends_with("/secrets") => json!({"kind": "note", "value": "new"}),
            ("POST", path) if path.ends_with("/restore") => json!({"version": 1}),
            ("PUT", path) if path.contains("/Users/") => user("new@corp.example", json!({})),
            ("PUT", path) if path.contains("/Groups/") => group("New", &[]),
            ("PATCH", path) if path.contains("/Users/") => {
                patch(json!({"op": "replace", "path": "title", "value": "x"}))
            }
            ("PATCH", path) if path.contains("/Groups/") => {
                patch(json!({"op": "replace", "path": "displayName", "value": "New"}))
            }
            ("PATCH", path) if path.starts_with("api/members/") => json!({"role": "user"}),
            ("PATCH", path) if path.starts_with("api/teams/") => json!({"display_name": "New"}),
            ("PATCH", path) if path.starts_with("api/grants/") => {
                json!({"ends_at": "2099-01-01T00:00:00.000Z"})
            }
            ("PATCH", "api/workspace") => json!({"policy": {"reactivation": "review"}}),
            ("PATCH", _) => json!({"name": "New"}),
            ("POST", "api/members") => json!({"user_name": "new@corp.example", "display_name": "New"}),
            ("POST", "api/teams") => json!({"display_name": "New"}),
            ("POST", "api/collections") => json!({"name": "New"}),
            ("POST", "api/accounts") => json!({"name": "New", "app": "x", "sensitivity": "standard"}),
            ("POST", "api/grants") => {
                json!({"member_id": own_member, "account_id": NEVER, "permission": "use"})
            }
            ("PUT", path) if path.ends_with("/rotation") => json!({"mode": "by_hand"}),
            ("POST", "api/connectors") => {
                json!({"name": "New", "kind": "postgres", "config": {"host": "127.0.0.1"}})
            }
            ("POST", path) if path.ends_with("/dependents") => json!({"name": "x", "instructions": "y"}),
            ("POST", path) if path.starts_with("api/tasks/") => json!({"word": "retry"}),
            ("POST", "api/scim-tokens") => json!({"name": "New"}),
            ("POST", "api/api-tokens") => json!({"name": "New", "scopes": ["self:read"]}),
            ("POST", path) if path.ends_with("/undo-offboarding") => json!({"reason": "x"}),
            ("POST", path) if path.ends_with("/review") => {
                json!({"grants": "all", "teams": "all", "reason": "x"})
            }
            ("POST", path) if path.ends_with("/exposures") => json!({"member_id": own_member}),
            ("POST", path) if path.ends_with("/regenerate") => json!({"grace_seconds": 0}),
            ("POST", path) if path.ends_with("/cancel-rotations") => json!({"reason": "x"}),
            _ => json!({}),
        };
        body.to_string()
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Every route of the server.
pub(crate) async fn all(server: &Server) -> Vec<Route> {
    let said = server.cli(&["doctor", "--routes", "--json"]).await;
    let said = said.success().json();
    let routes = said.as_array().or_else(|| said["routes"].as_array());
    let routes: Vec<Route> = routes
        .unwrap_or_else(|| panic!("a list of routes: {said}"))
        .iter()
        .map(|route: &Value| Route {
            method: text(route, "/method").to_owned(),
            path: text(route, "/path").to_owned(),
            auth: text(route, "/auth").to_owned(),
        })
        .collect();
    assert!(routes.iter().all(|route| !route.method.is_empty() && route.path.starts_with('/')), "{routes:?}");
    let has = |method: &str, path: &str| {
        routes.iter().any(|route| route.method == method && route.path.starts_with(path))
    };
    // A list that leaves routes out would prove nothing.
    for (method, path) in [
        ("GET", "/v1/scim/v2/Users/{"),
        ("PUT", "/v1/scim/v2/Users/{"),
        ("PATCH", "/v1/scim/v2/Users/{"),
        ("DELETE", "/v1/scim/v2/Users/{"),
        ("GET", "/v1/scim/v2/Groups/{"),
        ("POST", "/v1/scim/v2/Bulk"),
        ("POST", "/v1/scim/v2/.search"),
        ("GET", "/v1/api/members/{"),
        ("POST", "/v1/api/grants"),
        ("GET", "/v1/api/accounts/{"),
        ("GET", "/v1/api/offboardings/{"),
        ("GET", "/v1/api/flights/{"),
        ("POST", "/v1/api/scim-tokens/{"),
        ("POST", "/v1/api/accounts/{id}/secrets/{secret}/reveal"),
        ("GET", "/v1/api/audit"),
        ("DELETE", "/v1/api/grants/{"),
    ] {
        assert!(has(method, path), "no route {method} {path}… in {routes:?}");
    }
    routes
}
