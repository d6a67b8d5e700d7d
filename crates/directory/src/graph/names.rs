//! Which properties of Graph are asked for, and by which names they are told.

use latchkey_provisioning::{Assignment, Entry, EntryId, Kind, Presence};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::attributes::Selection;

/// The directory's older names, which mappings use, and where Graph has the same.
const OLDER: &[(&str, &str)] = &[
    ("objectId", "id"),
    ("mobile", "mobilePhone"),
    ("telephoneNumber", "businessPhones"),
    ("facsimileTelephoneNumber", "faxNumber"),
    ("physicalDeliveryOfficeName", "officeLocation"),
    ("originalUserPrincipalName", "userPrincipalName"),
];
/// Computed here or by mappings, or told apart; Graph has no such property, or answers others in its place.
const NO_PROPERTIES: &[&str] = &["userName", "IsSoftDeleted", "appRoleAssignments", "manager", "members"];
/// Of people alone.
const NOT_OF_GROUPS: &[&str] = &["userPrincipalName", "accountEnabled"];

const GUEST: &str = "#EXT#";

/// The property that an attribute is read from; `None` when there is none.
fn property(kind: Kind, name: &str) -> Option<&str> {
    let older = OLDER.iter().find(|(older, _)| *older == name).map(|(_, property)| *property);
    let extension = || name.strip_prefix("extensionAttribute").filter(|rest| rest.parse::<u8>().is_ok());
    let property = match older {
        Some(property) => property,
        None if extension().is_some() => "onPremisesExtensionAttributes",
        // What is inside another is selected with it.
        None => name.split('.').next().unwrap_or(name),
    };
    let is_none =
        NO_PROPERTIES.contains(&property) || (kind == Kind::Group && NOT_OF_GROUPS.contains(&property));
    (!is_none).then_some(property)
}

/// The list for `$select`, without what only delta queries know.
pub(super) fn select(kind: Kind, selection: &Selection) -> String {
    let mut names: Vec<&str> = selection.names().filter_map(|name| property(kind, name)).collect();
    names.push("id");
    if kind == Kind::User {
        names.extend(["accountEnabled", "userPrincipalName"]);
    }
    names.sort_unstable();
    names.dedup();
    names.join(",")
}

/// An object as all sources tell it.
pub(super) fn entry(
    kind: Kind,
    id: Uuid,
    properties: &Map<String, Json>,
    selection: &Selection,
    assignments: Vec<Assignment>,
) -> Entry {
    let enabled = kind == Kind::Group || properties.get("accountEnabled") != Some(&Json::Bool(false));
    let mut attributes = Map::new();
    for name in selection.names() {
        let value = value(kind, name, properties).filter(|value| !value.is_null());
        attributes.extend(value.map(|value| (name.to_owned(), value)));
    }
    Entry {
        id: EntryId(id.to_string()),
        kind,
        presence: Presence::Present,
        enabled,
        attributes,
        assignments,
        manager: manager(properties),
    }
}

fn value(kind: Kind, name: &str, properties: &Map<String, Json>) -> Option<Json> {
    let own = properties.get(property(kind, name)?)?;
    match name {
        "userPrincipalName" => own.as_str().map(|text| Json::from(stripped(text))),
        "telephoneNumber" => own.as_array()?.first().cloned(),
        name if name.starts_with("extensionAttribute") => own.get(name).cloned(),
        name => name.split('.').skip(1).try_fold(own, |value, part| value.get(part)).cloned(),
    }
}

/// As `$expand` gives the manager, or as a delta query does.
fn manager(properties: &Map<String, Json>) -> Option<EntryId> {
    let expanded = properties.get("manager").and_then(|manager| manager.get("id"));
    let told = || {
        let all = properties.get("manager@delta")?.as_array()?;
        all.iter().rev().find(|one| one.get("@removed").is_none())?.get("id")
    };
    let id = expanded.or_else(told)?.as_str()?;
    Some(EntryId(id.to_owned()))
}

/// A guest's own name: what stands before `#EXT#`, with the last underscore turned back to `@`.
pub(super) fn stripped(name: &str) -> String {
    let Some((own, _)) = name.split_once(GUEST) else { return name.to_owned() };
    match own.rsplit_once('_') {
        Some((user, domain)) => format!("{user}@{domain}"),
        None => own.to_owned(),
    }
}

/// What the name of a guest of this own name begins with.
pub(super) fn as_guest(name: &str) -> Option<String> {
    let (user, domain) = name.rsplit_once('@')?;
    Some(format!("{user}_{domain}{GUEST}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_guests_name_is_stripped_and_made_again() {
        for (raw, own) in [
            ("mira_okefa_quarry.example#EXT#@tenant.onmicrosoft.com", "mira_okefa@quarry.example"),
            ("mira_okefa@tenant.example", "mira_okefa@tenant.example"),
            ("odd#EXT#@tenant.example", "odd"),
        ] {
            assert_eq!(stripped(raw), own);
        }
        let guest = as_guest("mira_okefa@quarry.example").unwrap();
        assert_eq!(guest, "mira_okefa_quarry.example#EXT#");
        assert_eq!(stripped(&format!("{guest}@tenant.example")), "mira_okefa@quarry.example");
        assert_eq!(as_guest("mira"), None);
    }

    #[test]
    fn older_names_are_asked_for_and_told_by_graphs_own() {
        let names = [
            "mobile",
            "telephoneNumber",
            "extensionAttribute7",
            "employeeOrgData.division",
            "originalUserPrincipalName",
            "IsSoftDeleted",
            "extension_0a_badge",
        ];
        let selection = Selection::of(Some(&names.map(str::to_owned).to_vec()));
        assert_eq!(
            select(Kind::User, &selection),
            "accountEnabled,businessPhones,displayName,employeeOrgData,extension_0a_badge,id,mail,mobilePhone,onPremisesExtensionAttributes,userPrincipalName"
        );
        assert_eq!(select(Kind::Group, &Selection::of(None)), "displayName,id,mail");
        let properties = json!({
            "accountEnabled": false, "businessPhones": ["1", "2"], "mobilePhone": null,
            "userPrincipalName": "m_q.example#EXT#@t.example", "employeeOrgData": {"division": "North"},
            "onPremisesExtensionAttributes": {"extensionAttribute7": "seven"}, "manager": {"id": "b"}, "extension_0a_badge": 9,
        });
        let entry =
            entry(Kind::User, Uuid::from_u128(1), properties.as_object().unwrap(), &selection, vec![]);
        let expected = json!({
            "telephoneNumber": "1", "userPrincipalName": "m@q.example", "originalUserPrincipalName": "m_q.example#EXT#@t.example",
            "employeeOrgData.division": "North", "extensionAttribute7": "seven", "extension_0a_badge": 9,
        });
        assert_eq!(Json::Object(entry.attributes), expected);
        assert_eq!((entry.enabled, entry.manager), (false, Some(EntryId("b".to_owned()))));
    }
}
