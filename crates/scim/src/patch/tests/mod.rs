//! Tables of cases, and the algebra that PATCH has to keep.

mod algebra;
mod members;
mod shapes;
mod values;

use serde_json::{Value as Plain, json};

use super::{PatchRequest, apply};
use crate::json::Json;
use crate::resource::from_client;
use crate::schema::{ResourceType, USER_TYPE};
use crate::{Error, Limits, Resource, ScimType, Value};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A resource from its attributes, as a POST would make it; `id` is U1.
fn resource(ty: &'static ResourceType, attributes: Plain) -> Resource {
    let mut body = attributes;
    body["schemas"] = json!([ty.schema.id]);
    let mut resource = from_client(ty, &Json::from(body), &Limits::default()).unwrap().resource;
    resource.core.set("id", Value::String("U1".into()));
    resource
}

fn user(attributes: Plain) -> Resource {
    let mut attributes = attributes;
    attributes["userName"] = json!("ida");
    resource(&USER_TYPE, attributes)
}

fn request(ty: &'static ResourceType, operations: &Plain) -> Result<PatchRequest, Error> {
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    PatchRequest::parse(&Json::from(body), ty, &Limits::default())
}

fn patch(before: &Resource, operations: &Plain) -> Result<Resource, Error> {
    apply(&USER_TYPE, before, &request(&USER_TYPE, operations)?).map(|patched| patched.resource)
}

/// The attributes of a resource as plain JSON, without those that every user of these tests has.
fn plain(resource: &Resource) -> Plain {
    let mut plain: Plain = serde_json::from_str(&resource.to_stored()).unwrap();
    let object = plain.as_object_mut().unwrap();
    object.remove("id");
    object.remove("userName");
    plain
}

#[track_caller]
fn becomes(before: Plain, operations: Plain, after: Plain) {
    let patched = patch(&user(before.clone()), &operations);
    let patched = patched.unwrap_or_else(|error| panic!("{before} by {operations}: {error}"));
    assert_eq!(plain(&patched), after, "{before} by {operations}");
}

#[track_caller]
fn refused(before: Plain, operations: Plain, kind: ScimType, words: &str) {
    let error = match patch(&user(before.clone()), &operations) {
        Err(error) => error,
        Ok(patched) => panic!("{before} by {operations} became {}", plain(&patched)),
    };
    assert_eq!((error.status, error.scim_type), (400, Some(kind)), "{operations}: {error}");
    assert!(error.detail.contains(words), "{operations}: {error}");
}

fn mails() -> Plain {
    json!({ "emails": [
        { "type": "work", "value": "w@x", "primary": true },
        { "type": "home", "value": "h@x" },
    ]})
}
