//! The requests of Entra ID's provisioning service: their paths and bodies, to the letter.
//!
//! What a SCIM server must cope with is not what the RFCs say but what the directory sends:
//! capitalised operations, `"False"` in quotes, `$ref: null`, a second schema on groups. The
//! demo therefore sends exactly that. The shapes are those that the service uses without the
//! `aadOptscim062020` flag.

use serde_json::{Map, Value, json};

use super::people::{Group, Person};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// A second schema that the service names on every group; servers must put up with it.
const ADSCIM_GROUP: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// How many members one PATCH adds. The service's own number is not published.
pub(super) const MEMBERS_AT_ONCE: usize = 100;

/// The look-up of a user before a create; with a random GUID it is *Test Connection*.
pub(super) fn find_user(user_name: &str) -> String {
    format!("/Users?filter={}", escaped(&format!("userName eq {}", quoted(user_name))))
}

/// The look-up of a group before a create. Members are left out, for they may be many.
pub(super) fn find_group(display_name: &str) -> String {
    let filter = format!("displayName eq {}", quoted(display_name));
    format!("/Groups?excludedAttributes=members&filter={}", escaped(&filter))
}

/// The body that creates a user. Attributes without a value are left out.
pub(super) fn user(person: &Person) -> Value {
    let mut name = Map::new();
    put(&mut name, "givenName", person.given_name.as_deref());
    put(&mut name, "familyName", person.family_name.as_deref());
    let formatted: Vec<&str> =
        [&person.given_name, &person.family_name].into_iter().filter_map(Option::as_deref).collect();
    put(&mut name, "formatted", (!formatted.is_empty()).then(|| formatted.join(" ")).as_deref());

    let mut enterprise = Map::new();
    put(&mut enterprise, "employeeNumber", person.employee_number.as_deref());
    put(&mut enterprise, "department", person.department.as_deref());

    let mut body = Map::new();
    body.insert("schemas".into(), json!([USER, ENTERPRISE]));
    put(&mut body, "externalId", Some(&person.external_id));
    put(&mut body, "userName", Some(&person.user_name));
    body.insert("active".into(), json!(person.active));
    put(&mut body, "displayName", Some(&person.display_name));
    put(&mut body, "title", person.job_title.as_deref());
    put(&mut body, "preferredLanguage", person.preferred_language.as_deref());
    if let Some(email) = &person.email {
        body.insert("emails".into(), json!([{"primary": true, "type": "work", "value": email}]));
    }
    if person.city.is_some() || person.country.is_some() {
        let mut address = Map::new();
        put(&mut address, "type", Some("work"));
        put(&mut address, "locality", person.city.as_deref());
        put(&mut address, "country", person.country.as_deref());
        body.insert("addresses".into(), json!([address]));
    }
    body.insert("meta".into(), json!({"resourceType": "User"}));
    if !name.is_empty() {
        body.insert("name".into(), Value::Object(name));
    }
    body.insert("roles".into(), json!([]));
    if !enterprise.is_empty() {
        body.insert(ENTERPRISE.into(), Value::Object(enterprise));
    }
    Value::Object(body)
}

/// The change that sets a user's manager: a bare id, where the schema has an object.
pub(super) fn set_manager(manager_id: &str) -> Value {
    patch(json!({"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": manager_id}))
}

/// The change that disables a user, or enables them again: a boolean in quotes.
pub(super) fn set_active(active: bool) -> Value {
    patch(json!({"op": "Replace", "path": "active", "value": if active { "True" } else { "False" }}))
}

/// The body that creates a group, always without members.
pub(super) fn group(group: &Group) -> Value {
    json!({
        "schemas": [GROUP, ADSCIM_GROUP],
        "externalId": group.external_id,
        "displayName": group.display_name,
        "meta": {"resourceType": "Group"},
    })
}

/// The change that adds members to a group.
pub(super) fn add_members(ids: &[&str]) -> Value {
    let members: Vec<Value> = ids.iter().map(|id| json!({"$ref": null, "value": id})).collect();
    patch(json!({"op": "Add", "path": "members", "value": members}))
}

/// An object id as a directory would have it: a GUID, the same each time for the same name
/// (FNV-1a, 128 bits), so that a second run finds what the first one made.
pub(super) fn object_id(name: &str) -> String {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in name.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    guid(hash.to_be_bytes())
}

/// The GUID (version 4) of these bytes.
pub(super) fn guid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn patch(operation: Value) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": [operation]})
}

fn put(object: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), Value::String(value.to_owned()));
    }
}

/// A filter's comparison value: a JSON string (RFC 7644 §3.4.2.2).
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Percent-encodes all but what a query may hold as it is (RFC 3986 §2.3).
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_user_is_sent_with_the_attributes_that_have_values() {
        let ida = Person {
            user_name: "ida.holm@corp.example".into(),
            given_name: Some("Ida".into()),
            family_name: Some("Holm".into()),
            display_name: "Ida Holm".into(),
            email: Some("ida@corp.example".into()),
            active: true,
            department: Some("Sales".into()),
            external_id: "6c62272e-07bb-4142-a2b8-21756295c58d".into(),
            manager: Some(3),
            ..Person::default()
        };
        assert_eq!(
            user(&ida),
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
                            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
                "externalId": "6c62272e-07bb-4142-a2b8-21756295c58d",
                "userName": "ida.holm@corp.example",
                "active": true,
                "displayName": "Ida Holm",
                "emails": [{"primary": true, "type": "work", "value": "ida@corp.example"}],
                "meta": {"resourceType": "User"},
                "name": {"givenName": "Ida", "familyName": "Holm", "formatted": "Ida Holm"},
                "roles": [],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales"},
            })
        );
        let bare = user(&Person { user_name: "x".into(), display_name: "x".into(), ..Person::default() });
        for absent in ["name", "emails", "addresses", "title", ENTERPRISE] {
            assert_eq!(bare.get(absent), None, "{absent}");
        }
    }

    #[test]
    fn a_disable_is_a_capitalised_replace_of_a_boolean_in_quotes() {
        let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"False"}]}"#;
        assert_eq!(set_active(false), serde_json::from_str::<Value>(body).unwrap());
        assert_eq!(set_active(true)["Operations"][0]["value"], "True");
    }

    #[test]
    fn references_are_sent_as_the_service_sends_them() {
        assert_eq!(
            set_manager("m1")["Operations"][0],
            json!({"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": "m1"})
        );
        assert_eq!(
            add_members(&["a", "b"])["Operations"][0],
            json!({"op": "Add", "path": "members",
                   "value": [{"$ref": null, "value": "a"}, {"$ref": null, "value": "b"}]})
        );
        let sales = Group { display_name: "Sales".into(), external_id: "g".into(), members: vec![0, 1] };
        assert_eq!(
            group(&sales),
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group",
                               "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
                   "externalId": "g", "displayName": "Sales", "meta": {"resourceType": "Group"}})
        );
    }

    #[test]
    fn look_ups_survive_quotes_signs_and_other_scripts() {
        assert_eq!(
            find_user("o'kéfa+\"x\"@corp.example"),
            "/Users?filter=userName%20eq%20%22o%27k%C3%A9fa%2B%5C%22x%5C%22%40corp.example%22"
        );
        assert_eq!(
            find_group("R&D"),
            "/Groups?excludedAttributes=members&filter=displayName%20eq%20%22R%26D%22"
        );
    }

    #[test]
    fn an_object_id_is_a_guid_and_depends_on_the_name_alone() {
        let id = object_id("user ida");
        assert_eq!(id, object_id("user ida"));
        assert_ne!(id, object_id("user idb"));
        assert_eq!(guid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
