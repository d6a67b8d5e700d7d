use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value as Plain, json};

use super::{Bulk, BulkRequest, Method, Outcome, check_size};
use crate::json::Json;
use crate::{Error, Limits, ScimType};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn request(operations: &Plain, fail_on_errors: Plain) -> Result<BulkRequest, Error> {
    let body = json!({"schemas": [BULK], "failOnErrors": fail_on_errors, "Operations": operations});
    BulkRequest::parse(&Json::from(body), &Limits::default())
}

/// Runs a request against a pretended service that gives `id-1`, `id-2`, … and refuses what
/// `refuse` says; gives back the steps as `METHOD /path data` and the answer.
fn run(operations: &Plain, fail_on_errors: Plain, refuse: impl Fn(&str) -> bool) -> (Vec<String>, Plain) {
    let mut bulk = Bulk::new(request(operations, fail_on_errors).unwrap(), "https://x.example");
    let mut steps = Vec::new();
    let mut made = 0;
    while let Some(step) = bulk.next_step() {
        let data = serde_json::to_string(&step.data).unwrap();
        let path = format!("{}/{}", step.ty.endpoint, step.id.clone().unwrap_or_default());
        let text = format!("{} {path} {data}", step.method.as_str());
        let refused = refuse(&text);
        steps.push(text);
        let outcome = if refused {
            Outcome::Failed(Error::uniqueness("taken"))
        } else if step.method == Method::Post {
            made += 1;
            Outcome::Done { status: 201, id: format!("id-{made}"), version: Some("1".to_owned()) }
        } else {
            let is_gone = step.method == Method::Delete;
            let version = (!is_gone).then(|| "2".to_owned());
            Outcome::Done { status: if is_gone { 204 } else { 200 }, id: step.id.unwrap(), version }
        };
        bulk.done(outcome);
    }
    (steps, serde_json::from_str(&bulk.into_response()).unwrap())
}

fn statuses(answer: &Plain) -> Vec<&str> {
    answer["Operations"].as_array().unwrap().iter().map(|entry| entry["status"].as_str().unwrap()).collect()
}

fn never(_: &str) -> bool {
    false
}

fn post(endpoint: &str, bulk_id: &str, data: Plain) -> Plain {
    json!({"method": "POST", "path": endpoint, "bulkId": bulk_id, "data": data})
}

#[test]
fn operations_keep_their_order_and_are_answered_one_by_one() {
    let operations = json!([
        post("/Users", "a", json!({"userName": "ida"})),
        {"method": "put", "path": "/Users/7", "version": "W/\"6\"", "data": {"userName": "bo"}},
        {"method": "DELETE", "path": "/Groups/8", "bulkId": "gone"},
    ]);
    let (steps, answer) = run(&operations, Plain::Null, never);
    assert_eq!(
        steps,
        [r#"POST /Users/ {"userName":"ida"}"#, r#"PUT /Users/7 {"userName":"bo"}"#, "DELETE /Groups/8 null"]
    );
    assert_eq!(
        answer,
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"], "Operations": [
            {"method": "POST", "bulkId": "a", "version": "W/\"1\"", "location": "https://x.example/Users/id-1", "status": "201"},
            {"method": "PUT", "version": "W/\"2\"", "location": "https://x.example/Users/7", "status": "200"},
            {"method": "DELETE", "bulkId": "gone", "location": "https://x.example/Groups/8", "status": "204"},
        ]})
    );
}

#[test]
fn a_version_is_the_condition_of_its_operation() {
    let operations = json!([{"method": "PATCH", "path": "/Users/7", "version": "W/\"6\"", "data": {}}]);
    let mut bulk = Bulk::new(request(&operations, Plain::Null).unwrap(), "");
    let step = bulk.next_step().unwrap();
    assert!(step.conditions.check(Some("6")).is_ok());
    assert!(step.conditions.check(Some("7")).is_err());
}

#[test]
fn references_point_backwards_and_forwards_and_into_paths() {
    let operations = json!([
        post("/Groups", "g", json!({"members": [{"value": "bulkId:a"}, {"value": "id-9"}]})),
        {"method": "PATCH", "path": "/Groups/bulkId:g", "data": {"Operations": [
            {"op": "remove", "path": "members[value eq \"bulkId:a\"]"},
            {"op": "add", "path": "members", "value": [{"value": "bulkId:a", "$ref": "../Users/bulkId:a"}]},
        ]}},
        post("/Users", "a", json!({"displayName": "no bulkId:a in here"})),
    ]);
    let (steps, answer) = run(&operations, Plain::Null, never);
    assert_eq!(
        steps,
        [
            r#"POST /Users/ {"displayName":"no bulkId:a in here"}"#,
            r#"POST /Groups/ {"members":[{"value":"id-1"},{"value":"id-9"}]}"#,
            r#"PATCH /Groups/id-2 {"Operations":[{"op":"remove","path":"members[value eq \"id-1\"]"},{"op":"add","path":"members","value":[{"$ref":"../Users/id-1","value":"id-1"}]}]}"#,
        ]
    );
    assert_eq!(statuses(&answer), ["201", "200", "201"]);
    assert_eq!(answer["Operations"][0]["location"], "https://x.example/Groups/id-2");
}

#[test]
fn two_creations_that_need_each_other_are_made_first_and_linked_after() {
    let operations = json!([
        post(
            "/Users",
            "a",
            json!({"userName": "a", ENTERPRISE: {"department": "x", "manager": {"value": "bulkId:b"}}})
        ),
        post("/Users", "b", json!({"userName": "b", ENTERPRISE: {"manager": {"value": "bulkId:a"}}})),
        post("/Groups", "c", json!({"members": [{"value": "bulkId:d"}, {"value": "bulkId:a"}]})),
        post("/Groups", "d", json!({"members": [{"value": "bulkId:c"}]})),
    ]);
    let (steps, answer) = run(&operations, Plain::Null, never);
    let patch = r#""schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"#;
    assert_eq!(
        steps,
        [
            format!(r#"POST /Users/ {{"{ENTERPRISE}":{{"department":"x"}},"userName":"a"}}"#),
            format!(r#"POST /Users/ {{"{ENTERPRISE}":{{"manager":{{"value":"id-1"}}}},"userName":"b"}}"#),
            format!(
                r#"PATCH /Users/id-1 {{{patch}"Operations":[{{"op":"add","path":"{ENTERPRISE}:manager","value":{{"value":"id-2"}}}}]}}"#
            ),
            r#"POST /Groups/ {"members":[{"value":"id-1"}]}"#.to_owned(),
            r#"POST /Groups/ {"members":[{"value":"id-3"}]}"#.to_owned(),
            format!(
                r#"PATCH /Groups/id-3 {{{patch}"Operations":[{{"op":"add","path":"members","value":[{{"value":"id-4"}}]}}]}}"#
            ),
        ]
    );
    assert_eq!(statuses(&answer), ["201", "201", "201", "201"]);
    assert_eq!(answer["Operations"][0]["version"], "W/\"2\"");
}

#[test]
fn a_creation_may_refer_to_itself() {
    let operations = json!([post("/Users", "a", json!({ENTERPRISE: {"manager": "bulkId:a"}}))]);
    let (steps, _) = run(&operations, Plain::Null, never);
    assert_eq!(steps.len(), 2);
    assert!(steps[1].ends_with(r#""value":"id-1"}]}"#), "{}", steps[1]);
}

#[test]
fn what_refers_to_a_failed_or_unknown_operation_fails() {
    let operations = json!([
        post("/Users", "a", json!({"userName": "taken"})),
        post("/Groups", "g", json!({"members": [{"value": "bulkId:a"}]})),
        {"method": "PATCH", "path": "/Groups/bulkId:g", "data": {}},
        post("/Groups", "h", json!({"members": [{"value": "bulkId:nobody"}]})),
        {"method": "DELETE", "path": "/Users/9"},
    ]);
    let (steps, answer) = run(&operations, Plain::Null, |step| step.contains("taken"));
    assert_eq!(steps, [r#"POST /Users/ {"userName":"taken"}"#, "DELETE /Users/9 null"]);
    assert_eq!(statuses(&answer), ["409", "409", "409", "400", "204"]);
    let entries = answer["Operations"].as_array().unwrap();
    assert!(entries[..4].iter().all(|entry| entry.get("location").is_none()));
    assert_eq!(entries[0]["response"]["scimType"], "uniqueness");
    assert_eq!(entries[1]["response"]["detail"], "bulkId:a has no id, because that operation failed");
    assert_eq!(entries[3]["response"]["detail"], "bulkId:nobody is no POST of this request");
}

#[test]
fn a_link_that_fails_names_the_resource_that_is_there() {
    let operations = json!([
        post("/Users", "a", json!({"userName": "a", ENTERPRISE: {"manager": {"value": "bulkId:b"}}})),
        post("/Users", "b", json!({"userName": "b", ENTERPRISE: {"manager": {"value": "bulkId:a"}}})),
    ]);
    let (_, answer) = run(&operations, Plain::Null, |step| step.starts_with("PATCH"));
    assert_eq!(statuses(&answer), ["409", "201"]);
    assert_eq!(answer["Operations"][0]["location"], "https://x.example/Users/id-1");
    assert_eq!(answer["Operations"][0]["response"]["detail"], "it was created, but not linked: taken");
    let (steps, answer) = run(&operations, Plain::Null, |step| step.contains("userName\":\"b"));
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert_eq!(statuses(&answer), ["409", "409"]);
}

#[test]
fn operations_on_one_resource_keep_their_order_even_past_a_reference() {
    let operations = json!([
        {"method": "PATCH", "path": "/Groups/7", "data": {"value": "bulkId:a"}},
        {"method": "DELETE", "path": "/Groups/7"},
        post("/Users", "a", json!({})),
    ]);
    let (steps, _) = run(&operations, Plain::Null, never);
    assert_eq!(steps, ["POST /Users/ {}", r#"PATCH /Groups/7 {"value":"id-1"}"#, "DELETE /Groups/7 null"]);
}

#[test]
fn after_as_many_failures_as_the_client_bears_nothing_more_is_tried() {
    let operations = json!([
        {"method": "DELETE", "path": "/Users/1"},
        {"method": "DELETE", "path": "/Users/2"},
        {"method": "FROB", "path": "/Users/3"},
        {"method": "DELETE", "path": "/Users/4"},
    ]);
    let refuse = |step: &str| step.contains("/2");
    let tried = |fail_on_errors| statuses(&run(&operations, fail_on_errors, refuse).1).join(" ");
    assert_eq!(tried(Plain::Null), "204 409 400 204");
    assert_eq!(tried(json!(0)), "204 409");
    assert_eq!(tried(json!(1)), "204 409");
    assert_eq!(tried(json!(2)), "204 409 400");
    assert_eq!(tried(json!(3)), "204 409 400 204");
}

#[test]
fn what_is_wrong_with_one_operation_fails_it_alone() {
    let cases = [
        (json!({"method": "GET", "path": "/Users/1"}), "400", "method takes POST, PUT, PATCH or DELETE"),
        (json!({"method": "POST", "path": "/Users", "data": {}}), "400", "a POST needs a bulkId"),
        (
            json!({"method": "POST", "path": "/Users/1", "bulkId": "a", "data": {}}),
            "400",
            "the path of a POST ends at the endpoint",
        ),
        (json!({"method": "DELETE", "path": "/Users/"}), "400", "the path needs an id behind the endpoint"),
        (json!({"method": "PUT", "path": "/Users/1"}), "400", "data is missing or is no object"),
        (json!({"method": "PUT", "path": "/Users/1", "data": []}), "400", "data is missing or is no object"),
        (
            json!({"method": "DELETE", "path": "/Me"}),
            "404",
            "there is no endpoint \"/Me\" in a bulk request; use /Users or /Groups",
        ),
        (
            json!({"method": "DELETE", "path": "/Users/1", "version": "\"1"}),
            "400",
            "If-Match takes * or entity tags as W/\"3\"",
        ),
    ];
    for (operation, status, detail) in cases {
        let (steps, answer) = run(&json!([operation]), Plain::Null, never);
        assert_eq!(steps, [""; 0], "{operation}");
        let entry = &answer["Operations"][0];
        assert_eq!(
            (entry["status"].as_str(), entry["response"]["detail"].as_str()),
            (Some(status), Some(detail))
        );
        assert_eq!(entry["method"], operation["method"]);
    }
}

#[test]
fn what_is_no_bulk_request_is_refused_whole() {
    let operation = json!({"method": "DELETE", "path": "/Users/1", "bulkId": "a"});
    let cases = [
        (
            request(&json!([]), Plain::Null),
            400,
            "Operations is missing or empty; send at least one operation",
        ),
        (request(&json!([1]), Plain::Null), 400, "Operations[0]: expected an object, got a number"),
        (request(&json!([operation]), json!("1")), 400, "failOnErrors takes a whole number, from 1"),
        (request(&json!([operation]), json!(-1)), 400, "failOnErrors takes a whole number, from 1"),
        (request(&json!([operation, operation]), Plain::Null), 400, "two operations have the bulkId \"a\""),
        (
            request(&json!(vec![operation.clone(); 1001]), Plain::Null),
            413,
            "a bulk request may have maxOperations 1000 and maxPayloadSize 1048576 bytes; send several smaller ones",
        ),
    ];
    for (result, status, detail) in cases {
        let error = result.unwrap_err();
        assert_eq!((error.status, error.detail.as_str()), (status, detail));
    }
    let unnamed = BulkRequest::parse(&Json::from(json!({"Operations": [operation]})), &Limits::default());
    assert_eq!(unnamed.unwrap_err().scim_type, Some(ScimType::InvalidSyntax));
    let limits = Limits { bulk_bytes: 10, ..Limits::default() };
    assert!(check_size(10, &limits).is_ok());
    assert_eq!(check_size(11, &limits).unwrap_err().status, 413);
}

/// Operations whose references point anywhere, also into circles and to nowhere.
fn any_operations() -> impl Strategy<Value = Vec<Plain>> {
    let operation = (0..4_usize, 0..9_usize, prop::collection::vec(0..9_usize, 0..3));
    prop::collection::vec(operation, 1..9).prop_map(|operations| {
        let operations = operations.into_iter().enumerate().map(|(at, (kind, target, references))| {
            let members: Vec<Plain> = references.iter().map(|to| json!({"value": format!("bulkId:{to}")})).collect();
            match kind {
                0 | 1 => post("/Groups", &at.to_string(), json!({"members": members})),
                2 => json!({"method": "PATCH", "path": format!("/Groups/bulkId:{target}"), "data": {"members": members}}),
                _ => json!({"method": "DELETE", "path": format!("/Groups/{target}")}),
            }
        });
        operations.collect()
    })
}

proptest! {
    #[test]
    fn every_operation_is_answered_once_and_no_reference_is_left_in_a_step(
        operations in any_operations(), refused in prop::collection::hash_set(0..12_usize, 0..4)
    ) {
        let count = std::cell::Cell::new(0);
        let refuse = |_: &str| {
            count.set(count.get() + 1);
            refused.contains(&count.get())
        };
        let (steps, answer) = run(&json!(operations), Plain::Null, refuse);
        prop_assert_eq!(answer["Operations"].as_array().unwrap().len(), operations.len());
        let open: Vec<_> = steps.iter().filter(|step| step.contains("bulkId:")).collect();
        prop_assert!(open.is_empty(), "{:?}", open);
        let creations: HashSet<_> = steps.iter().enumerate().filter(|(_, step)| step.starts_with("POST")).map(|(at, _)| at).collect();
        prop_assert!(creations.len() <= operations.iter().filter(|operation| operation["method"] == "POST").count());
    }
}
