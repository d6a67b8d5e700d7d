//! What a round of a delta query says of one object, over all its pages.
//!
//! No order is promised, an object may come several times in parts, and what was told may be told
//! again. So parts are merged such that their order does not matter, and where they contradict each
//! other, Graph is asked how it is.

use std::collections::HashSet;

use latchkey_provisioning::Presence;
use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// What was heard of one object.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What all parts agree on.
    pub(super) properties: Map<String, Json>,
    contradicted: HashSet<String>,
    /// That it is there.
    pub(super) there: bool,
    /// That it went.
    pub(super) removed: Option<Presence>,
    pub(super) added: HashSet<Uuid>,
    pub(super) went: HashSet<Uuid>,
}

impl Heard {
    /// Takes up one part.
    pub(super) fn hear(&mut self, item: &Map<String, Json>) -> Result<(), SourceError> {
        if let Some(removed) = item.get("@removed") {
            let soft = removed.get("reason").and_then(Json::as_str) == Some("changed");
            let presence = if soft { Presence::SoftDeleted } else { Presence::Deleted };
            // Purged after it was put into the bin, in whichever order that is told.
            if self.removed != Some(Presence::Deleted) {
                self.removed = Some(presence);
            }
            return Ok(());
        }
        self.there = true;
        for (name, value) in item {
            if name == "members@delta" {
                self.hear_members(value)?;
            } else if self.properties.get(name).is_some_and(|before| before != value) {
                self.contradicted.insert(name.clone());
            } else {
                self.properties.insert(name.clone(), value.clone());
            }
        }
        for name in &self.contradicted {
            self.properties.remove(name);
        }
        Ok(())
    }

    fn hear_members(&mut self, members: &Json) -> Result<(), SourceError> {
        for member in members.as_array().into_iter().flatten() {
            let kind = member.get("@odata.type").and_then(Json::as_str).unwrap_or("#microsoft.graph.user");
            if !is_ours(kind) {
                continue;
            }
            let id = id(member.get("id"))?;
            if member.get("@removed").is_some() {
                self.went.insert(id)
            } else {
                self.added.insert(id)
            };
        }
        Ok(())
    }

    /// Whether the parts say different things of a property.
    pub(super) fn contradicts_itself(&self) -> bool {
        !self.contradicted.is_empty()
    }

    /// Whether somebody came and went, and it cannot be seen in which order.
    pub(super) fn members_are_unclear(&self) -> bool {
        !self.added.is_disjoint(&self.went)
    }
}

/// Devices, contacts and applications may be in groups too.
pub(super) fn is_ours(kind: &str) -> bool {
    matches!(kind, "#microsoft.graph.user" | "#microsoft.graph.group")
}

pub(super) fn id(value: Option<&Json>) -> Result<Uuid, SourceError> {
    let id = value.and_then(Json::as_str).and_then(|text| Uuid::parse_str(text).ok());
    id.ok_or_else(|| SourceError::new(SourceErrorKind::Malformed, "Graph tells of an object without its id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is left after these parts, in any order.
    fn heard(parts: &[Json]) -> Heard {
        let hear = |parts: &mut dyn Iterator<Item = &Json>| {
            let mut heard = Heard::default();
            parts.for_each(|part| heard.hear(part.as_object().unwrap()).unwrap());
            heard
        };
        let (one, other) = (hear(&mut parts.iter()), hear(&mut parts.iter().rev()));
        assert_eq!(one.properties, other.properties);
        assert_eq!((one.there, one.removed), (other.there, other.removed));
        assert_eq!((&one.added, &one.went), (&other.added, &other.went));
        one
    }

    #[test]
    fn the_order_of_parts_and_their_replay_make_no_difference() {
        let part = |properties: Json| properties;
        let one = heard(&[
            part(json!({"id": "a", "city": "Porto"})),
            part(json!({"title": "x"})),
            part(json!({"city": "Porto"})),
        ]);
        assert!(one.there && !one.contradicts_itself() && one.properties.len() == 3);
        let one = heard(&[json!({"city": "Porto"}), json!({"city": "Lisbon"}), json!({"city": "Porto"})]);
        assert!(one.contradicts_itself() && one.properties.is_empty());
        let gone = json!({"@removed": {"reason": "deleted"}});
        let one = heard(&[json!({"@removed": {"reason": "changed"}}), gone]);
        assert_eq!((one.there, one.removed), (false, Some(Presence::Deleted)));
    }

    #[test]
    fn slices_of_members_are_merged_and_come_and_go_is_noticed() {
        let id = |number: u128| Uuid::from_u128(number).to_string();
        let added = |number| json!({"@odata.type": "#microsoft.graph.user", "id": id(number)});
        let went = |number| json!({"@odata.type": "#microsoft.graph.user", "id": id(number), "@removed": {"reason": "deleted"}});
        let device = json!({"@odata.type": "#microsoft.graph.device", "id": id(9)});
        let one = heard(&[
            json!({"members@delta": [added(1), device]}),
            json!({"members@delta": [added(2), went(3), added(1)]}),
        ]);
        assert_eq!(one.added, [1, 2].map(Uuid::from_u128).into());
        assert_eq!(one.went, [Uuid::from_u128(3)].into());
        assert!(!one.members_are_unclear());
        assert!(
            heard(&[json!({"members@delta": [added(1)]}), json!({"members@delta": [went(1)]})])
                .members_are_unclear()
        );
    }
}
