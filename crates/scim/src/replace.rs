//! PUT: the whole resource anew (RFC 7644 §3.5.1).

use crate::schema::{Attribute, Mutability, ResourceType};
use crate::{Complex, Error, Resource, ScimType, Value};

/// What a PUT makes of the present resource, from a body that
/// [`from_client`](crate::resource::from_client) has accepted.
///
/// What the body leaves out is cleared, also a part of `name`: the whole resource counts
/// (quirk 82). Two things stay: what only the server sets, and `active`, because a directory that
/// sends a profile without it must not switch anybody off or on (quirk 52).
///
/// When nothing changes but the order of attributes, the present resource comes back, so that
/// the caller sees that there is nothing to do.
///
/// # Errors
/// 400 `mutability` when an immutable attribute would get another value.
pub fn replace(ty: &'static ResourceType, current: &Resource, new: Resource) -> Result<Resource, Error> {
    let mut next = new;
    let common = ty.schema.attributes.iter().chain(crate::schema::COMMON);
    keep(common, None, &current.core, &mut next.core)?;
    for schema in ty.extensions {
        let Some(present) = current.extension(schema.id) else { continue };
        let at = next.extensions.iter().position(|(urn, _)| urn == schema.id);
        let mut attributes = at.map(|at| next.extensions.remove(at).1).unwrap_or_default();
        keep(schema.attributes.iter(), Some(schema.id), present, &mut attributes)?;
        if !attributes.is_empty() {
            next.extensions.push((schema.id.to_owned(), attributes));
        }
    }
    if next.core.get("active").is_none()
        && let Some(active) = current.core.get("active")
    {
        next.core.set("active", active.clone());
    }
    Ok(if current.same_as(&next) { current.clone() } else { next })
}

/// Carries over what the client can't set, and checks what it can set only once.
fn keep<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    urn: Option<&str>,
    current: &Complex,
    next: &mut Complex,
) -> Result<(), Error> {
    for attribute in attributes {
        let Some(present) = current.get(attribute.name) else { continue };
        match attribute.mutability {
            Mutability::ReadOnly | Mutability::WriteOnly => next.set(attribute.name, present.clone()),
            Mutability::Immutable => {
                if next.get(attribute.name) != Some(present) {
                    let at = crate::resource::At { urn, attribute: attribute.name, sub: None };
                    let detail = format!("{at} can't be changed once it is set; send its present value");
                    return Err(Error::bad(ScimType::Mutability, detail));
                }
            }
            Mutability::ReadWrite => keep_parts(attribute, present, next),
        }
    }
    Ok(())
}

/// Sub-attributes that only the server sets stay with a single complex value that stays.
fn keep_parts(attribute: &Attribute, present: &Value, next: &mut Complex) {
    let (Value::Complex(present), Some(Value::Complex(next))) = (present, next.get_mut(attribute.name))
    else {
        return;
    };
    for sub in attribute.sub_attributes.iter().filter(|sub| sub.mutability == Mutability::ReadOnly) {
        if let Some(value) = present.get(sub.name) {
            next.set(sub.name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::replace;
    use crate::schema::{Attribute, Mutability, ResourceType, Schema, USER_TYPE};
    use crate::{Resource, ScimType};

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    #[track_caller]
    fn check(current: &str, new: &str, expected: &str) {
        let read = |text| Resource::from_stored(&USER_TYPE, text).unwrap();
        let next = replace(&USER_TYPE, &read(current), read(new)).unwrap();
        assert_eq!(next.to_stored(), expected);
    }

    #[test]
    fn what_a_put_leaves_out_is_cleared_but_for_active() {
        check(
            r#"{"userName":"a","name":{"givenName":"A","familyName":"B"},"title":"x","active":false}"#,
            r#"{"userName":"b","name":{"givenName":"C"}}"#,
            r#"{"userName":"b","name":{"givenName":"C"},"active":false}"#,
        );
        check(
            r#"{"userName":"a","active":false}"#,
            r#"{"active":true,"userName":"a"}"#,
            r#"{"active":true,"userName":"a"}"#,
        );
        let with = format!(r#"{{"userName":"a","{ENTERPRISE}":{{"department":"x"}}}}"#);
        check(&with, r#"{"userName":"a"}"#, r#"{"userName":"a"}"#);
        check(r#"{"userName":"a"}"#, &with, &with);
    }

    #[test]
    fn another_order_of_attributes_is_no_change() {
        let current = r#"{"userName":"a","title":"x","active":true}"#;
        check(current, r#"{"title":"x","active":true,"userName":"a"}"#, current);
        check(current, r#"{"title":"x","userName":"a"}"#, current);
    }

    #[test]
    fn what_only_the_server_sets_stays() {
        check(r#"{"userName":"a","id":"1"}"#, r#"{"userName":"b"}"#, r#"{"userName":"b","id":"1"}"#);
        let with = |manager: &str| format!(r#"{{"userName":"a","{ENTERPRISE}":{{"manager":{manager}}}}}"#);
        check(
            &with(r#"{"value":"m","displayName":"Mia"}"#),
            &with(r#"{"value":"n"}"#),
            &with(r#"{"value":"n","displayName":"Mia"}"#),
        );
    }

    #[test]
    fn an_immutable_attribute_is_set_once() {
        static BADGE: Schema = Schema {
            id: "urn:test:Badge",
            name: "Badge",
            description: "A badge.",
            attributes: &[Attribute {
                name: "number",
                mutability: Mutability::Immutable,
                ..Attribute::DEFAULT
            }],
        };
        static BADGE_TYPE: ResourceType = ResourceType {
            name: "Badge",
            endpoint: "/Badges",
            description: "",
            schema: &BADGE,
            extensions: &[],
        };
        let read = |text| Resource::from_stored(&BADGE_TYPE, text).unwrap();
        let put = |current, new| replace(&BADGE_TYPE, &read(current), read(new));
        assert!(put("{}", r#"{"number":"1"}"#).is_ok());
        assert!(put(r#"{"number":"1"}"#, r#"{"number":"1"}"#).is_ok());
        for new in [r#"{"number":"2"}"#, "{}"] {
            let error = put(r#"{"number":"1"}"#, new).unwrap_err();
            assert_eq!(error.scim_type, Some(ScimType::Mutability));
            assert_eq!(error.detail, "number can't be changed once it is set; send its present value");
        }
    }
}
