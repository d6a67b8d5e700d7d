//! What a SCIM resource says of a person or a group.

use std::str::FromStr;

use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind};
use latchkey_provisioning::{Assignment, Entry, EntryId, Kind, Presence, Source, TargetPath, defaults};
use serde_json::{Map, Value as Json};

use crate::attributes::Selection;

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/// What is read of each resource: an attribute's name, and where it is.
#[derive(Debug)]
pub(super) struct Plan {
    users: Vec<(String, TargetPath)>,
    groups: Vec<(String, TargetPath)>,
    manager: Option<TargetPath>,
    assigned_entitlement: Option<String>,
}

impl Plan {
    /// Names are SCIM's own paths; the names of the default mappings are where these would write them.
    pub(super) fn new(users: &Selection, groups: &Selection, assigned_entitlement: Option<String>) -> Self {
        Self {
            users: paths(users, &defaults::users()),
            groups: paths(groups, &defaults::groups()),
            manager: TargetPath::from_str(MANAGER).ok(),
            assigned_entitlement,
        }
    }

    /// A resource as all sources tell it. `is_group` says which members are known as groups.
    pub(super) fn change(
        &self,
        kind: Kind,
        resource: &Map<String, Json>,
        is_group: impl Fn(&str) -> bool,
    ) -> Result<Change, SourceError> {
        let id = id(resource)?;
        let enabled = kind == Kind::Group || resource.get("active") != Some(&Json::Bool(false));
        let mut attributes = Map::new();
        let paths = match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        };
        for (name, path) in paths {
            let value = match name.as_str() {
                "accountEnabled" => Some(Json::Bool(enabled)),
                "objectId" => Some(Json::from(id)),
                "mail" => path.read(resource).cloned().or_else(|| any_mail(resource)),
                _ => path.read(resource).cloned(),
            };
            attributes.extend(value.filter(|value| !value.is_null()).map(|value| (name.clone(), value)));
        }
        let manager =
            self.manager.as_ref().filter(|_| kind == Kind::User).and_then(|path| path.read(resource));
        let manager = manager.and_then(|value| value.get("value").unwrap_or(value).as_str());
        let entry = Entry {
            id: entry_id(kind, id),
            kind,
            presence: Presence::Present,
            enabled,
            attributes,
            assignments: self.assignments(resource),
            manager: manager.filter(|id| !id.is_empty()).map(|id| entry_id(Kind::User, id)),
        };
        let members = (kind == Kind::Group).then(|| Members::Whole(members(resource, is_group)));
        Ok(Change::Present { entry: Box::new(entry), members })
    }

    fn assignments(&self, resource: &Map<String, Json>) -> Vec<Assignment> {
        let Some(wanted) = &self.assigned_entitlement else { return Vec::new() };
        let all = resource.get("entitlements").and_then(Json::as_array).into_iter().flatten();
        let is_it = |value: &Json| {
            let text = |name: &str| value.get(name).and_then(Json::as_str);
            [value.as_str(), text("value"), text("display")].into_iter().flatten().any(|text| text == wanted)
        };
        let assignment = Assignment { role: String::new(), display: String::new(), entitles: true };
        all.filter(|value| is_it(value)).map(|_| assignment.clone()).take(1).collect()
    }
}

fn paths(selection: &Selection, usual: &latchkey_provisioning::ObjectMapping) -> Vec<(String, TargetPath)> {
    let direct = |name: &str| {
        usual.attributes.iter().find_map(|one| match &one.source {
            Source::Direct(source) if source == name => Some(one.target.clone()),
            _ => None,
        })
    };
    let path = |name: &str| match name {
        // Computed from these.
        "accountEnabled" => TargetPath::from_str("active").ok(),
        "objectId" => TargetPath::from_str("id").ok(),
        name => direct(name).or_else(|| TargetPath::from_str(name).ok()),
    };
    let mut paths: Vec<_> =
        selection.names().filter_map(|name| Some((name.to_owned(), path(name)?))).collect();
    paths.sort_by(|(one, _), (other, _)| one.cmp(other));
    paths
}

/// Not everybody marks a mail as the one of work.
fn any_mail(resource: &Map<String, Json>) -> Option<Json> {
    let all = resource.get("emails")?.as_array()?;
    let primary = all.iter().find(|one| one.get("primary") == Some(&Json::Bool(true)));
    primary.or(all.first())?.get("value").cloned()
}

fn members(resource: &Map<String, Json>, is_group: impl Fn(&str) -> bool) -> Vec<EntryId> {
    let all = resource.get("members").and_then(Json::as_array).into_iter().flatten();
    let member = |one: &Json| {
        let text = |name: &str| one.get(name).and_then(Json::as_str);
        let id = text("value")?;
        let kind = match (text("type"), text("$ref")) {
            (Some(word), _) if word.eq_ignore_ascii_case("group") => Kind::Group,
            (Some(word), _) if word.eq_ignore_ascii_case("user") => Kind::User,
            (_, Some(place)) if place.contains("/Groups/") => Kind::Group,
            (_, Some(place)) if place.contains("/Users/") => Kind::User,
            _ if is_group(id) => Kind::Group,
            _ => Kind::User,
        };
        Some(entry_id(kind, id))
    };
    all.filter_map(member).collect()
}

/// SCIM ids are unique within a kind; entry ids are within a source.
pub(super) fn entry_id(kind: Kind, id: &str) -> EntryId {
    match kind {
        Kind::User => EntryId(format!("user:{id}")),
        Kind::Group => EntryId(format!("group:{id}")),
    }
}

pub(super) fn id(resource: &Map<String, Json>) -> Result<&str, SourceError> {
    let id = resource.get("id").and_then(Json::as_str).filter(|id| !id.is_empty());
    id.ok_or_else(|| {
        let name = ["userName", "displayName"].iter().find_map(|name| resource.get(*name)?.as_str());
        let message = format!(
            "the provider lists {} without an id, which SCIM demands (RFC 7643 §3.1)",
            name.unwrap_or("a resource")
        );
        SourceError::new(SourceErrorKind::Malformed, message)
    })
}

/// When the provider last changed it.
pub(super) fn last_modified(resource: &Map<String, Json>) -> Option<jiff::Timestamp> {
    resource.get("meta")?.get("lastModified")?.as_str()?.parse().ok()
}
