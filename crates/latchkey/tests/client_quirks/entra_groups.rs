//! Rows 18, 23 to 33, 45 and 49: how Entra keeps groups.

use serde_json::{Value, json};

use crate::row::row;
use crate::support::scim::{
    ENTERPRISE, GROUP, assert_refused, create, find, found_ids, group, ids, patch, read, set,
};
use crate::support::{NEVER, text};

fn member(id: &str) -> Value {
    json!([{"value": id}])
}

pub(crate) fn rows() -> crate::Rows {
    vec![
        row!(18, "Entra's second group schema is neither stored nor shown", |case| {
            let odd = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
            let name = case.name("team");
            let body = json!({
                "schemas": [GROUP, odd], "externalId": "oid-1", "displayName": name,
                "meta": {"resourceType": "Group"},
            });
            let made = create(&case.scim, "/Groups", &body).await;
            let stored = case.read_group(text(&made, "/id")).await;
            assert_eq!(stored["schemas"], json!([GROUP]));
            assert_eq!((&stored["displayName"], &stored["externalId"]), (&json!(name), &json!("oid-1")));
        }),
        row!(23, "`$ref: null` in a member is absent", |case| {
            let (group, ids) = case.team_of(&["ida"]).await;
            let bo = case.user("bo", json!({})).await;
            let value = json!([{"$ref": null, "value": bo}]);
            case.patch_group(&group, json!({"op": "Add", "path": "members", "value": value})).await;
            assert_eq!(case.members(&group).await, set(&[&ids[0], &bo]));
            let stored = case.read_group(&group).await;
            assert!(!stored.to_string().contains("null"), "{stored}");
        }),
        row!(24, "unknown members of operations and of values are ignored", |case| {
            let group = case.group("team", &[]).await;
            let ida = case.user("ida", json!({})).await;
            let value = json!([{"displayName": "new user", "value": ida}]);
            let operation = json!({"name": "addMember", "op": "add", "path": "members", "value": value});
            case.patch_group(&group, operation).await;
            assert_eq!(case.members(&group).await, set(&[&ida]));
        }),
        row!(25, "Remove with a list of values removes those alone", |case| {
            let (group, ids) = case.team_of(&["ida", "bo", "eva"]).await;
            case.patch_group(&group, json!({"op": "Remove", "path": "members", "value": member(&ids[1])}))
                .await;
            assert_eq!(case.members(&group).await, set(&[&ids[0], &ids[2]]));
            case.patch_group(&group, json!({"op": "Remove", "path": "members", "value": member(NEVER)}))
                .await;
            assert_eq!(
                case.members(&group).await,
                set(&[&ids[0], &ids[2]]),
                "a stranger's removal empties nothing"
            );
            case.patch_group(&group, json!({"op": "Remove", "path": "members", "value": []})).await;
            assert_eq!(case.members(&group).await, set(&[&ids[0], &ids[2]]), "nor does an empty list");
        }),
        row!(26, "remove through a filter removes that one", |case| {
            let (group, ids) = case.team_of(&["ida", "bo", "eva"]).await;
            let path = format!("members[value eq \"{}\"]", ids[1]);
            case.patch_group(&group, json!({"op": "remove", "path": path})).await;
            assert_eq!(case.members(&group).await, set(&[&ids[0], &ids[2]]));
        }),
        row!(27, "removing who is no member succeeds and changes nothing", |case| {
            let (group, ids) = case.team_of(&["ida", "gone"]).await;
            let bo = case.user("bo", json!({})).await;
            case.scim.delete(&format!("/Users/{}", ids[1])).await.expect(204);
            assert_eq!(case.members(&group).await, set(&[&ids[0]]), "who is deleted is in no group");
            let before = case.read_group(&group).await;
            for stranger in [bo.as_str(), ids[1].as_str(), NEVER] {
                let path = format!("members[value eq \"{stranger}\"]");
                case.patch_group(
                    &group,
                    json!({"op": "Remove", "path": "members", "value": member(stranger)}),
                )
                .await;
                case.patch_group(&group, json!({"op": "remove", "path": path})).await;
            }
            assert_eq!(case.read_group(&group).await, before, "and no new version");
        }),
        row!(28, "adding who is a member already succeeds, once", |case| {
            let (group, ids) = case.team_of(&["ida"]).await;
            let before = case.read_group(&group).await;
            let twice = json!([{"value": ids[0]}, {"value": ids[0]}]);
            for value in [member(&ids[0]), twice] {
                case.patch_group(&group, json!({"op": "Add", "path": "members", "value": value})).await;
            }
            assert_eq!(case.read_group(&group).await, before);
        }),
        row!(29, "a member as a bare text is one member", |case| {
            let group = case.group("team", &[]).await;
            let ida = case.user("ida", json!({})).await;
            case.patch_group(&group, json!({"op": "add", "path": "members", "value": ida})).await;
            assert_eq!(case.members(&group).await, set(&[&ida]));
        }),
        row!(30, "members follow the empty group, many operations in one request, all or none", |case| {
            let group = case.group("team", &[]).await;
            let mut users = Vec::new();
            for who in ["ida", "bo", "eva", "kai"] {
                users.push(case.user(who, json!({})).await);
            }
            let add = |id: &str| json!({"op": "Add", "path": "members", "value": member(id)});
            let all: Vec<Value> = users.iter().map(|id| add(id)).collect();
            case.patch_group(&group, json!(all)).await;
            assert_eq!(case.members(&group).await, users.iter().cloned().collect());
            let half = json!([
                {"op": "Remove", "path": "members", "value": member(&users[0])},
                add(NEVER),
                {"op": "Replace", "path": "displayName", "value": "Half"},
            ]);
            case.refuse(&format!("/Groups/{group}"), half, "invalidValue").await;
        }),
        row!(31, "a group's PATCH is answered 204, with its projection 200", |case| {
            let (group, ids) = case.team_of(&["ida"]).await;
            let operation = json!({"op": "Replace", "path": "externalId", "value": "oid-9"});
            case.patch_group(&group, operation.clone()).await;
            let answer = case
                .scim
                .patch(&format!("/Groups/{group}?excludedAttributes=members"), &patch(operation))
                .await
                .expect(200);
            let shown = answer.json();
            assert_eq!((shown.get("members"), &shown["externalId"]), (None, &json!("oid-9")), "{shown}");
            assert_eq!(case.members(&group).await, set(&[&ids[0]]));
        }),
        row!(32, "members are left out where asked for, by id and by name", |case| {
            let (group, _) = case.team_of(&["ida"]).await;
            let one = read(&case.scim, &format!("/Groups/{group}?excludedAttributes=members")).await;
            assert_eq!((one.get("members"), text(&one, "/id")), (None, group.as_str()), "{one}");
            let name = text(&one, "/displayName");
            let list =
                find(&case.scim, "/Groups?excludedAttributes=members", &format!("displayName eq \"{name}\""))
                    .await;
            assert_eq!(ids(&list), [group]);
            assert_eq!(list["Resources"][0].get("members"), None, "{list}");
        }),
        row!(33, "is somebody a member, or somebody's manager: by filter, answered with ids", |case| {
            let (group, ids) = case.team_of(&["ida"]).await;
            let bo = case.user("bo", json!({ENTERPRISE: {"manager": {"value": ids[0]}}})).await;
            let asked = |uid: &str| format!("id eq \"{group}\" and members eq \"{uid}\"");
            let found = find(&case.scim, "/Groups?attributes=id", &asked(&ids[0])).await;
            assert_eq!(found["totalResults"], json!(1));
            assert_eq!(text(&found, "/Resources/0/id"), group);
            assert_eq!(found["Resources"][0].get("displayName"), None, "{found}");
            assert_eq!(found["Resources"][0].get("members"), None, "{found}");
            let found = find(&case.scim, "/Groups?attributes=id", &asked(&bo)).await;
            assert_eq!((&found["totalResults"], &found["Resources"]), (&json!(0), &json!([])));
            for path in ["manager".to_owned(), format!("{ENTERPRISE}:manager")] {
                let manages = |boss: &str| format!("id eq \"{bo}\" and {path} eq \"{boss}\"");
                let answer = case
                    .scim
                    .get(&format!("/Users?attributes=id&filter={}", crate::support::enc(&manages(&ids[0]))))
                    .await;
                if path == "manager" && answer.status == 400 {
                    // Without its schema the name belongs to no attribute of the core User.
                    assert_refused(&answer, 400, "invalidFilter");
                    continue;
                }
                assert_eq!(crate::support::scim::ids(&answer.expect(200).json()), [bo.as_str()], "{path}");
                assert_eq!(found_ids(&case.scim, "/Users", &manages(&bo)).await, Vec::<String>::new());
            }
        }),
        row!(45, "a group's name is its key: a second one is 409", |case| {
            let name = case.name("Team");
            create(&case.scim, "/Groups", &group(&name, &[])).await;
            for taken in [name.clone(), name.to_uppercase()] {
                assert_refused(&case.scim.post("/Groups", &group(&taken, &[])).await, 409, "uniqueness");
            }
            let other = case.group("other", &[]).await;
            let path = format!("/Groups/{other}");
            let rename = patch(json!({"op": "Replace", "path": "displayName", "value": name}));
            assert_refused(&case.scim.patch(&path, &rename).await, 409, "uniqueness");
            assert_refused(&case.scim.put(&path, &group(&name, &[])).await, 409, "uniqueness");
        }),
        row!(49, "Replace of members means the whole list", |case| {
            let (group, ids) = case.team_of(&["ida", "bo", "eva"]).await;
            let operation = json!({"op": "Replace", "path": "members", "value": member(&ids[2])});
            let answer = case.scim.patch(&format!("/Groups/{group}"), &patch(operation)).await;
            assert_eq!(answer.status, 204, "{answer:?}");
            assert_eq!(case.members(&group).await, set(&[&ids[2]]));
        }),
    ]
}
