//! What a provider holds, by plain HTTP: nothing of the product takes part.

use std::collections::BTreeMap;

use latchkey_testkit::Client;
use serde_json::Value as Json;

use crate::model::{Everything, Group, Person};
use crate::provider::Provider;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Everybody and every group.
pub(crate) async fn everything(provider: &Provider) -> Everything {
    let client = provider.client().with_media_type("application/scim+json");
    let people = all(&client, "/Users").await;
    let login: BTreeMap<String, String> =
        people.iter().map(|person| (text(person, "/id"), text(person, "/userName"))).collect();
    let name = |id: &str| login.get(id).cloned().unwrap_or_else(|| format!("nobody ({id})"));
    let mut everything = Everything::default();
    for person in &people {
        everything.people.insert(text(person, "/userName"), read_person(person, &name));
    }
    for group in all(&client, "/Groups").await {
        // Some lists leave the members out.
        let group = client.get(&format!("/Groups/{}", text(&group, "/id"))).await.expect(200).json();
        let members = group["members"].as_array().map_or(&[][..], Vec::as_slice);
        let members = members.iter().map(|member| name(&text(member, "/value"))).collect();
        let read = Group { external_id: text(&group, "/externalId"), members };
        let twice = everything.groups.insert(text(&group, "/displayName"), read);
        assert!(twice.is_none(), "two groups are called {}", group["displayName"]);
    }
    assert_eq!(everything.people.len(), people.len(), "two people have one userName");
    everything
}

fn read_person(person: &Json, name: &dyn Fn(&str) -> String) -> Person {
    let mails = person["emails"].as_array().map_or(&[][..], Vec::as_slice);
    let is_work = |mail: &&Json| mail["type"] == "work";
    // One that says no type has one address, and that is the one.
    let mail = mails.iter().find(is_work).or_else(|| mails.first().filter(|mail| mail["type"].is_null()));
    let manager = match &person[ENTERPRISE]["manager"] {
        Json::String(id) => id.clone(),
        manager => text(manager, "/value"),
    };
    Person {
        active: person["active"] == true,
        display_name: text(person, "/displayName"),
        given_name: text(person, "/name/givenName"),
        family_name: text(person, "/name/familyName"),
        mail: mail.map(|mail| text(mail, "/value")).unwrap_or_default(),
        title: text(person, "/title"),
        department: text(&person[ENTERPRISE], "/department"),
        external_id: text(person, "/externalId"),
        manager: if manager.is_empty() { manager } else { name(&manager) },
    }
}

async fn all(client: &Client, path: &str) -> Vec<Json> {
    let mut found = Vec::new();
    loop {
        let page = client.get(&format!("{path}?startIndex={}&count=100", found.len() + 1)).await.expect(200);
        let page = page.json();
        let resources = page["Resources"].as_array().cloned().unwrap_or_default();
        let (total, none) = (page["totalResults"].as_u64().expect("a total"), resources.is_empty());
        found.extend(resources);
        if found.len() as u64 >= total || none {
            assert_eq!(found.len() as u64, total, "{path} lists another number than it says");
            return found;
        }
    }
}

fn text(value: &Json, pointer: &str) -> String {
    value.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned()
}
