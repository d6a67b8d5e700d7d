//! Any bytes are a PATCH or are refused; what is carried out leaves a resource that is kept as it
//! is, and doing nothing leaves it equal.
#![no_main]

use std::sync::LazyLock;

use latchkey_scim::json::Json;
use latchkey_scim::patch::{PatchRequest, apply, members_of_body};
use latchkey_scim::resource::from_client;
use latchkey_scim::schema::{GROUP_TYPE, ResourceType, USER_TYPE};
use latchkey_scim::{Limits, Resource};
use libfuzzer_sys::fuzz_target;

static USER: LazyLock<Resource> = LazyLock::new(|| made(&USER_TYPE, include_bytes!("user.json")));
static GROUP: LazyLock<Resource> = LazyLock::new(|| made(&GROUP_TYPE, include_bytes!("group.json")));

fn made(ty: &'static ResourceType, body: &[u8]) -> Resource {
    let limits = Limits::default();
    let body = Json::parse(body, &limits).expect("the file is JSON");
    from_client(ty, &body, &limits).expect("the file is such a resource").resource
}

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let Ok(body) = Json::parse(bytes, &limits) else { return };
    let _ = members_of_body(&body);
    for (ty, before) in [(&USER_TYPE, &*USER), (&GROUP_TYPE, &*GROUP)] {
        let Ok(request) = PatchRequest::parse(&body, ty, &limits) else { continue };
        let Ok((rest, _members)) = request.split_members() else { continue };
        if let Ok(patched) = apply(ty, before, &rest) {
            let stored = patched.resource.to_stored();
            let read = Resource::from_stored(ty, &stored).expect("what is stored reads again");
            assert!(read.same_as(&patched.resource), "{stored}");
        }
    }
});
