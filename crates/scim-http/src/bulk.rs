//! Many operations in one request (RFC 7644 §3.7).

use latchkey_scim::json::Json;

use crate::failure::Failure;
use crate::flight::Flight;
use crate::reply::Reply;
use crate::serve::{Call, Outcome};

pub(crate) async fn bulk(call: &Call<'_>, body: &Json, flight: &mut Flight) -> Outcome {
    let scim = call.scim;
    let worded = |error| {
        let failure = Failure::of(error, call.request_id);
        failure.log(call.request_id);
        failure.error
    };
    let done = call.directory.bulk(body, &scim.base, &scim.limits, worded).await;
    let done = done.map_err(|error| call.failure(error))?;
    flight.did(done.effects, done.hints);
    Ok(Reply::ok(done.value))
}
