//! The whole grammar of filters (RFC 7644 §3.4.2.2), against people who are told apart by it:
//! what the database answers and what is evaluated on a stream must agree.

use latchkey_testkit::{Server, on_both};
use serde_json::{Value, json};

use crate::support::cases::Failures;
use crate::support::scim::{ENTERPRISE, USER, create, find};
use crate::support::{list, text};

/// Filters, and the first letters of those whom they find.
const FILTERS: &[(&str, &str)] = &[
    ("userName pr", "abcd"),
    ("userName eq \"A@X.example\"", "a"),
    ("userName ne \"a@x.example\"", "bcd"),
    ("userName co \"@X\"", "abcd"),
    ("userName sw \"B\"", "b"),
    ("userName ew \".EXAMPLE\"", "abcd"),
    ("userName gt \"b@x.example\"", "cd"),
    ("userName ge \"B@x.example\"", "bcd"),
    ("userName lt \"b\"", "a"),
    ("userName le \"c@x.example\"", "abc"),
    ("userName EQ \"a@x.example\" OR USERNAME Eq \"b@x.example\"", "ab"),
    ("title pr", "abd"),
    ("not (title pr)", "c"),
    ("not(title pr)", "c"),
    ("title eq null", "c"),
    ("title ne null", "abd"),
    ("title eq \"\"", ""),
    ("title eq \"nurse\" and active eq true", "a"),
    ("title eq \"nurse\" or title eq \"chief\" and active eq false", "abd"),
    ("(title eq \"nurse\" or title eq \"chief\") and active eq false", "bd"),
    ("not (title eq \"nurse\") and active eq true", "c"),
    ("not (title eq \"nurse\" and active eq true)", "bcd"),
    ("not (not (title eq \"nurse\"))", "ab"),
    ("active eq true", "ac"),
    ("active eq false", "bd"),
    ("active eq \"True\"", "ac"),
    ("active ne true", "bd"),
    ("externalId eq \"Key\"", "a"),
    ("externalId eq \"key\"", "b"),
    ("externalId co \"e\"", "ab"),
    ("externalId pr", "ab"),
    ("name.familyName eq \"holm\"", "ab"),
    ("name.familyName sw \"Ho\" and name.givenName eq \"ida\"", "a"),
    ("name pr", "abc"),
    ("name.middleName pr", "b"),
    ("emails eq \"a@x.example\"", "a"),
    ("emails co \"home\"", "ab"),
    ("emails.type eq \"home\"", "ab"),
    ("emails pr", "abc"),
    ("emails[type eq \"work\"]", "abc"),
    ("emails[type eq \"work\" and value co \"home\"]", "b"),
    ("emails.type eq \"work\" and emails.value co \"home\"", "ab"),
    ("emails[type eq \"work\" and not (value co \"home\")]", "ac"),
    ("emails[type eq \"work\" or type eq \"home\"].value eq \"a@home.example\"", "a"),
    ("emails[type eq \"work\"].value eq \"a@home.example\"", ""),
    ("emails[primary eq true].value sw \"c\"", "c"),
    ("emails[type eq \"WORK\"].value eq \"A@X.example\"", "a"),
    ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"a@x.example\"", "a"),
    ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq \"holm\"", "ab"),
    ("URN:IETF:params:scim:schemas:extension:enterprise:2.0:User:DEPARTMENT eq \"care\"", "ad"),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber pr", "a"),
    ("phoneNumbers[type eq \"mobile\"].value eq \"55555555555\"", "d"),
    ("meta.resourceType eq \"User\"", "abcd"),
    ("meta.resourceType eq \"Group\"", ""),
    ("meta.created gt \"2020-01-01T00:00:00Z\"", "abcd"),
    ("meta.created lt \"2020-01-01T00:00:00+05:00\"", ""),
    ("meta.lastModified ge \"2020-01-01T00:00:00Z\" and userName sw \"d\"", "d"),
    ("schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"", "ad"),
    ("displayName eq \"\\u00c5se \\\"Q\\\" \\\\ Bo\"", "d"),
    ("displayName sw \"\u{e5}se\"", "d"),
    ("nickName eq 7", ""),
    ("userName eq true", ""),
    ("roles.value eq \"admin\" and roles[primary eq \"true\"]", "c"),
];

on_both! {
    async fn every_operator_finds_exactly_those_it_should(server: &Server) {
        let scim = server.workspace("filters").await.scim();
        let people = [
            json!({
                "userName": "a@x.example", "externalId": "Key", "title": "Nurse", "active": true,
                "name": {"givenName": "Ida", "familyName": "Holm"},
                "emails": [{"type": "work", "value": "a@x.example", "primary": true}, {"type": "home", "value": "a@home.example"}],
                ENTERPRISE: {"department": "Care", "employeeNumber": "7"},
            }),
            json!({
                "userName": "b@x.example", "externalId": "key", "title": "nurse", "active": false,
                "name": {"givenName": "Bo", "familyName": "HOLM", "middleName": "M"},
                "emails": [{"type": "work", "value": "b@home.example"}, {"type": "home", "value": "b@x.example"}],
            }),
            json!({
                "userName": "C@X.example", "active": true, "name": {"givenName": "Eva"},
                "emails": [{"type": "work", "value": "c@x.example", "primary": true}],
                "roles": [{"value": "Admin", "primary": true}],
            }),
            json!({
                "userName": "d@x.example", "title": "Chief", "active": false, "displayName": "Åse \"Q\" \\ Bo",
                "phoneNumbers": [{"type": "mobile", "value": "55555555555"}],
                ENTERPRISE: {"department": "CARE"},
            }),
        ];
        for mut person in people {
            let extended = person.get(ENTERPRISE).is_some();
            person["schemas"] = if extended { json!([USER, ENTERPRISE]) } else { json!([USER]) };
            create(&scim, "/Users", &person).await;
        }
        let mut failures = Failures::default();
        for (filter, wanted) in FILTERS {
            failures
                .play(*filter, async {
                    // The workspace's owner is a member too, and not meant.
                    let found = find(&scim, "/Users?count=100", filter).await;
                    let mut letters: Vec<char> = list(&found, "/Resources")
                        .iter()
                        .map(|user| text(user, "/userName"))
                        .filter(|name| name.to_lowercase().ends_with("@x.example"))
                        .filter_map(|name| name.chars().next())
                        .map(|letter| letter.to_ascii_lowercase())
                        .collect();
                    letters.sort_unstable();
                    assert_eq!(letters.iter().collect::<String>(), *wanted);
                    assert_eq!(found["totalResults"], Value::from(list(&found, "/Resources").len()));
                })
                .await;
        }
        failures.tell();
    }
}
