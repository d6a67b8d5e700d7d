//! Schema extensions that a target refuses because it does not know them.
//!
//! Most targets ignore what they don't know (RFC 7644 §3.3); some refuse the whole person over it.
//! An extension is left out from then on only if both speak against it: the target refused a request
//! that had it, and does not list it in its `/Schemas`.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use latchkey_provisioning::Difference;
use serde_json::{Map, Value as Json};
use tokio::sync::OnceCell;

use crate::answer::{Exchange, list};
use crate::client::Client;
use crate::failure::Failure;

const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[derive(Debug, Default)]
pub(crate) struct Extensions {
    /// What the target lists, in lower case; `None` when it lists nothing to be relied on.
    listed: OnceCell<Option<BTreeSet<String>>>,
    refused: Mutex<BTreeSet<String>>,
}

impl Client {
    /// The extensions that the target does not know: their attributes are not sent.
    pub fn unknown_extensions(&self) -> Vec<String> {
        self.refused().iter().cloned().collect()
    }

    /// Whether the target does not know this extension.
    pub(crate) fn is_unknown(&self, urn: &str) -> bool {
        self.refused().iter().any(|known| known.eq_ignore_ascii_case(urn))
    }

    pub(crate) fn leave_out_from_now_on(&self, urns: impl IntoIterator<Item = String>) {
        self.refused().extend(urns);
    }

    /// Of these extensions those that the target does not list.
    pub(crate) async fn unlisted(
        &self,
        urns: Vec<String>,
        trail: &mut Vec<Exchange>,
    ) -> Result<Vec<String>, Failure> {
        if urns.is_empty() {
            return Ok(urns);
        }
        let listed = self.shared.extensions.listed.get_or_try_init(|| self.ask_for_schemas(trail)).await?;
        let Some(listed) = listed else { return Ok(Vec::new()) };
        Ok(urns.into_iter().filter(|urn| !listed.contains(&urn.to_lowercase())).collect())
    }

    async fn ask_for_schemas(&self, trail: &mut Vec<Exchange>) -> Result<Option<BTreeSet<String>>, Failure> {
        let answer = match self.send(reqwest::Method::GET, self.url(&["Schemas"]), None, trail).await {
            Ok(answer) => answer,
            Err(failure) if failure.kind.is_transient() || failure.kind.is_connection() => {
                return Err(failure);
            }
            Err(_) => return Ok(None),
        };
        let Ok(listed) = list(&answer.body) else { return Ok(None) };
        let id = |schema: &Map<String, Json>| schema.get("id").and_then(Json::as_str).map(str::to_lowercase);
        let ids: BTreeSet<String> = listed.resources.iter().filter_map(id).collect();
        // A list without the schema of users is not a list of what it knows.
        Ok(ids.contains(&CORE_USER.to_lowercase()).then_some(ids))
    }

    fn refused(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.shared.extensions.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The extensions that a resource has values of.
pub(crate) fn of_resource(resource: &Map<String, Json>) -> Vec<String> {
    resource.keys().filter(|key| is_urn(key)).cloned().collect()
}

/// The extensions that changes are about.
pub(crate) fn of_changes(changes: &[Difference]) -> Vec<String> {
    let urns: BTreeSet<&String> = changes.iter().filter_map(|change| change.path.urn.as_ref()).collect();
    urns.into_iter().cloned().collect()
}

/// As the log says it.
pub(crate) fn note(urns: &[String]) -> String {
    format!(
        "{} left out: the target refuses it, and does not list it in its /Schemas; its attributes cannot be provisioned there",
        urns.join(", ")
    )
}

fn is_urn(key: &str) -> bool {
    key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}
