//! The person that all examples are evaluated on.

use serde_json::{Map, Value as Json, json};

/// A person of a made-up company, by the directory's names of attributes.
pub fn sample() -> Map<String, Json> {
    let person = json!({
        "givenName": "Mira",
        "surname": "O'Kéfa",
        "mail": "mira@quarry.example",
        "userPrincipalName": "mira.okefa@quarry.example",
        "mailNickname": "mira",
        "city": "Lisbon",
        "country": "PT",
        "employeeId": "77120",
        "employeeHireDate": "2026-11-16T09:00:00Z",
        "accountEnabled": true,
        "IsSoftDeleted": false,
        "mobile": "+351 912345678",
        "extensionAttribute1": "red;green;red",
        "proxyAddresses": ["SMTP:mira@quarry.example", "smtp:m@quarry.example"],
        "tags": [" x ", "y "],
        "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1104",
        "appRoleAssignments": [
            { "displayName": "Keeper", "value": "keeper" },
            { "displayName": "Auditor", "value": "auditor" },
        ],
    });
    match person {
        Json::Object(attributes) => attributes,
        _ => Map::new(),
    }
}
