//! What the demo reads from the management API, and how.

use std::sync::Arc;

use anyhow::Context;
use latchkey_kernel::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::entra::escaped;
use super::http::{Answer, Line, Target};

/// The management API, on one connection.
pub(super) struct Api {
    target: Arc<Target>,
    line: Line,
}

#[derive(Debug, Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// A member as lists show them.
#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) user_name: String,
    pub(super) display_name: String,
    pub(super) role: String,
    pub(super) state: String,
}

/// A team as lists show it.
#[derive(Debug, Deserialize)]
pub(super) struct Team {
    pub(super) id: String,
    #[serde(alias = "name")]
    pub(super) display_name: String,
}

/// An account in full.
#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) owner_id: Option<String>,
}

/// An account or a collection in a list.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) name: String,
}

/// What a member may do with one account.
#[derive(Debug, Deserialize)]
pub(super) struct Access {
    pub(super) account_id: String,
    #[serde(default)]
    pub(super) account_name: Option<String>,
    /// `None`: every way to it is dormant or denied.
    pub(super) permission: Option<String>,
    /// Each way to the account, counting or not.
    #[serde(default)]
    pub(super) why: Vec<Value>,
}

/// An offboarding case.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) member_id: String,
    pub(super) state: String,
    pub(super) cut_at: Timestamp,
    #[serde(default)]
    pub(super) summary: Value,
    #[serde(default)]
    pub(super) items: Vec<Item>,
    #[serde(default)]
    pub(super) removed_grants: Vec<Value>,
    #[serde(default)]
    pub(super) rotations: Vec<Rotation>,
    #[serde(default)]
    pub(super) timeline: Vec<Event>,
}

/// What the case says of one account.
#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) account_id: String,
    pub(super) account_name: String,
    pub(super) decision: String,
    pub(super) rule: String,
}

/// A rotation that the case planned.
#[derive(Debug, Deserialize)]
pub(super) struct Rotation {
    pub(super) account_id: String,
    pub(super) priority: i64,
    pub(super) state: String,
}

/// How a password was changed at the real system.
#[derive(Debug, Deserialize)]
pub(super) struct Changing {
    pub(super) account_id: String,
    pub(super) case_id: Option<String>,
    pub(super) state: String,
    pub(super) over: bool,
    pub(super) verified_at: Option<Timestamp>,
    pub(super) old_refused_at: Option<Timestamp>,
    pub(super) sessions_ended: Option<u64>,
}

/// One moment of the case.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) at: Timestamp,
    #[serde(rename = "action")]
    pub(super) event: String,
}

/// What a member who came back had, for a person to give back.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Review {
    #[serde(default)]
    pub(super) grants: Vec<Value>,
    #[serde(default)]
    pub(super) teams: Vec<Value>,
}

impl Api {
    pub(super) fn new(target: &Arc<Target>) -> Self {
        Self { target: Arc::clone(target), line: Line::new(target) }
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// Every item of a list, over all its pages.
    pub(super) async fn all<T: DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<Vec<T>> {
        let join = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: Page<T> =
                self.line.get(&format!("{path}{join}limit=100{cursor}")).await?.expect(&[200])?.json()?;
            items.extend(page.items);
            match page.next {
                Some(next) => cursor = format!("&cursor={}", escaped(&next)),
                None => return Ok(items),
            }
        }
    }

    pub(super) async fn read<T: DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<T> {
        self.line.get(path).await?.expect(&[200])?.json()
    }

    /// Makes a thing and gives its id.
    pub(super) async fn make(&mut self, path: &str, body: &Value) -> anyhow::Result<String> {
        self.line.post(path, body).await?.expect(&[200, 201])?.id()
    }

    /// The id of the thing of this name, made if there is none yet: the data folder may have seen
    /// the demo before.
    pub(super) async fn ensure(
        &mut self,
        path: &str,
        known: &[Named],
        body: &Value,
    ) -> anyhow::Result<String> {
        match known.iter().find(|named| body["name"] == named.name.as_str()) {
            Some(named) => Ok(named.id.clone()),
            None => self.make(path, body).await,
        }
    }

    /// Posts where only the outcome matters; what is so already (409) is as good.
    pub(super) async fn tell(&mut self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.line.post(path, body).await?.expect(&[200, 201, 204, 409])?;
        Ok(())
    }

    /// Puts, and gives the answer whatever its status.
    pub(super) async fn put(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.line.put(path, body).await
    }

    /// Changes a thing.
    pub(super) async fn change(&mut self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.line.patch(path, body).await?.expect(&[200])?;
        Ok(())
    }

    /// What is at a path, as it came, whatever its status.
    pub(super) async fn look(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.line.get(path).await
    }

    /// The present password of an account, shown to the caller; it is on record that they know it then.
    pub(super) async fn reveal(&mut self, account: &str, secret: &str) -> anyhow::Result<String> {
        let path = format!("/accounts/{account}/secrets/{secret}/reveal");
        let shown: Value = self.line.post(&path, &json!({})).await?.expect(&[200])?.json()?;
        let value = shown.get("value").and_then(Value::as_str);
        Ok(value.context("a password that is revealed has a value")?.to_owned())
    }

    /// A token of the member's own, where the API lets an Owner make one for them.
    pub(super) async fn token_of(&mut self, member: &str) -> anyhow::Result<Option<String>> {
        let body = json!({"name": "demo", "member_id": member, "scopes": ["self:read"]});
        let answer = self.line.post("/api-tokens", &body).await?;
        if answer.status != 201 {
            return Ok(None);
        }
        let made: Value = answer.json()?;
        Ok(made.get("token").and_then(Value::as_str).map(str::to_owned))
    }

    /// What a member may use now, and what they reach without being allowed it.
    pub(super) async fn access(&mut self, member: &str) -> anyhow::Result<Vec<Access>> {
        self.all(&format!("/members/{member}/access")).await
    }

    /// The newest offboarding case of a member, in full.
    pub(super) async fn newest_case(&mut self, member: &str) -> anyhow::Result<Case> {
        let cases: Vec<Case> = self.all("/offboardings").await?;
        let newest = cases.into_iter().filter(|case| case.member_id == member).max_by_key(|case| case.cut_at);
        let newest =
            newest.ok_or_else(|| anyhow::anyhow!("no offboarding case names the member {member}"))?;
        self.read(&format!("/offboardings/{}", newest.id)).await
    }
}

impl Case {
    /// When this happened by the case's own timeline; all that is one transaction happened at the cut.
    pub(super) fn when(&self, event: &str) -> Timestamp {
        self.when_known(event).unwrap_or(self.cut_at)
    }

    /// When this happened, if the case's timeline has it.
    pub(super) fn when_known(&self, event: &str) -> Option<Timestamp> {
        self.timeline.iter().find(|entry| entry.event == event).map(|entry| entry.at)
    }
}

/// The path that asks whether a member may use an account.
pub(super) fn explain(member: &str, account: &str) -> String {
    format!("/explain?member={member}&account={account}")
}

/// The team that a way leads through, if it leads through one.
pub(super) fn team(why: &Value) -> Option<&str> {
    ["/team_name", "/team/name", "/team/display_name"].iter().find_map(|at| why.pointer(at)?.as_str())
}

/// Whether a way counts now; the others say which rule stands against them.
pub(super) fn counts(why: &Value) -> bool {
    why.get("denial").is_none_or(Value::is_null)
}

/// One way to an account in words, as `team Marketing, collection Campaigns`.
pub(super) fn way(why: &Value) -> String {
    let text = |pointer: &str| why.pointer(pointer).and_then(Value::as_str);
    let mut words = match text("/by") {
        Some("owner") => "answers for it".to_owned(),
        _ => match team(why) {
            Some(team) => format!("team {team}"),
            None => "granted directly".to_owned(),
        },
    };
    let collection = text("/collection_name").or_else(|| text("/collections/0/name"));
    if let Some(collection) = collection {
        words.push_str(&format!(", collection {collection}"));
    }
    let ends = text("/ends_at").or_else(|| text("/grant/ends_at"));
    if let Some(day) = ends.and_then(|ends| ends.get(..10)) {
        words.push_str(&format!(", until {day}"));
    }
    match text("/denial") {
        Some(denial) => format!("{words} ({})", denial.replace('_', " ")),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_counts_unless_a_rule_stands_against_it() {
        assert!(counts(&json!({"by": "owner"})) && counts(&json!({"by": "grant", "denial": null})));
        let dormant = json!({"team": {"id": "t", "name": "Marketing"}, "denial": "membership_not_confirmed"});
        assert!(!counts(&dormant));
        assert_eq!((team(&dormant), team(&json!({"by": "owner"}))), (Some("Marketing"), None));
    }

    #[test]
    fn a_way_is_told_in_words() {
        let through = json!({"by": "grant", "team_name": "Marketing", "collection_name": "Campaigns",
                             "permission": "use", "denial": "membership_not_confirmed"});
        assert_eq!(way(&through), "team Marketing, collection Campaigns (membership not confirmed)");
        assert_eq!(way(&json!({"by": "owner"})), "answers for it");
        assert_eq!(
            way(&json!({"by": "grant", "ends_at": "2026-12-24T00:00:00.000Z"})),
            "granted directly, until 2026-12-24"
        );
    }

    #[test]
    fn a_case_is_read_as_the_api_writes_it() {
        let case: Case = serde_json::from_value(json!({
            "id": "c", "member_id": "m", "state": "open", "epoch": 1, "trigger": "directory_disabled",
            "cut_at": "2026-03-01T09:30:00.250Z",
            "items": [{"account_id": "a", "account_name": "Instagram", "decision": "rotate",
                       "rule": "privileged_and_could_use", "evidence": {}}],
            "removed_grants": [{}],
            "rotations": [{"account_id": "a", "priority": 10, "state": "ready"}],
            "timeline": [{"at": "2026-03-01T09:30:00.251Z", "action": "rotations_planned"}],
        }))
        .unwrap();
        assert_eq!(case.when("rotations_planned").since(case.when("access_cut")).as_millis(), 1);
        assert_eq!(case.items[0].rule, "privileged_and_could_use");
    }
}
