//! Any bytes are a bulk request or are refused; every request comes to an end, with an answer that
//! is JSON, whether its operations succeed or fail.
#![no_main]

use latchkey_scim::bulk::{Bulk, BulkRequest, Method, Outcome};
use latchkey_scim::json::Json;
use latchkey_scim::{Error, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bulk_operations: 50, ..Limits::default() };
    let Ok(body) = Json::parse(bytes, &limits) else { return };
    let Ok(request) = BulkRequest::parse(&body, &limits) else { return };
    let operations = request.operations.len();
    let mut bulk = Bulk::new(request, "https://latchkey.example/v1/scim/v2");
    let mut steps = 0;
    while let Some(step) = bulk.next_step() {
        steps += 1;
        // A creation in a circle takes two: one without the reference, one that links.
        assert!(steps <= 2 * operations, "it does not end");
        bulk.done(if steps % 5 == 4 {
            Outcome::Failed(Error::not_found("gone"))
        } else {
            let status = if step.method == Method::Post { 201 } else { 200 };
            let id = step.id.unwrap_or_else(|| steps.to_string());
            Outcome::Done { status, id, version: None }
        });
    }
    let answer = bulk.into_response();
    Json::parse(answer.as_bytes(), &Limits { depth: 64, ..Limits::default() }).expect("the answer is JSON");
});
