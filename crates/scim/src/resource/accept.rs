//! From the body of a POST or PUT to a resource (RFC 7644 §3.3, §3.5.1).

use super::{Acceptor, At, Note, Resource};
use crate::json::{Json, Object};
use crate::limits::Limits;
use crate::name::same;
use crate::patch::dialect;
use crate::schema::{Attribute, Mutability, ResourceType, Type};
use crate::{Complex, Error, Target, Value};

/// What came of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// What the client may set, and has.
    pub resource: Resource,
    /// What was ignored or understood otherwise.
    pub notes: Vec<Note>,
}

/// Reads a body of a POST or PUT.
///
/// Attributes that only the server sets are ignored (RFC 7644 §3.3), as is what no schema names.
/// A password is dropped. A group's `members` are checked for their shape and not kept in the
/// resource: members are rows of their own.
///
/// Two values with `primary` true are refused here, because a whole body that says so has no
/// reading (quirk 83); in a PATCH the operations have an order, and the last one wins.
///
/// # Errors
/// 400 `invalidValue` for a missing or wrong `schemas`, a missing required attribute, or a value
/// of the wrong type; `invalidSyntax` when the body is no object.
pub fn from_client(ty: &'static ResourceType, body: &Json, limits: &Limits) -> Result<Accepted, Error> {
    let Some(members) = body.as_object() else {
        let (name, kind) = (ty.name, body.kind());
        return Err(Error::invalid_syntax(format!("a {name} is a JSON object; the body is {kind}")));
    };
    let mut acceptor = Acceptor::new(limits);
    check_schemas(ty, members, &mut acceptor)?;
    let mut resource = Resource::default();
    for (name, json) in members.iter() {
        if same(name, "schemas") {
            continue;
        }
        if let Some(extension) = ty.extension(name) {
            let attributes = extension_attributes(extension.id, extension.attributes, json, &mut acceptor)?;
            if !attributes.is_empty() {
                resource.extensions.push((extension.id.to_owned(), attributes));
            }
            continue;
        }
        let at = At { urn: None, attribute: name, sub: None };
        match ty.core_attribute(name) {
            Some(attribute) => set(&mut resource.core, None, attribute, json, &mut acceptor)?,
            None if json.is_null() => {}
            None => acceptor.note(format!("{at}: no schema of a {} has this; it was not kept", ty.name)),
        }
    }
    check_required(ty, &resource)?;
    Ok(Accepted { resource, notes: acceptor.into_notes() })
}

/// Whether everything that a resource must have is there and not empty; for what a PATCH leaves, too.
///
/// # Errors
/// 400 `invalidValue` that names the attribute.
pub fn check_required(ty: &ResourceType, resource: &Resource) -> Result<(), Error> {
    for attribute in ty.schema.attributes.iter().filter(|attribute| attribute.required) {
        let is_there = match resource.core.get(attribute.name) {
            Some(Value::String(text)) => !text.trim().is_empty(),
            other => other.is_some(),
        };
        if !is_there {
            let (name, of) = (attribute.name, ty.name);
            return Err(Error::invalid_value(format!("{name} is required and must not be empty in a {of}")));
        }
    }
    Ok(())
}

fn check_schemas(ty: &ResourceType, members: &Object, acceptor: &mut Acceptor<'_>) -> Result<(), Error> {
    let base = ty.schema.id;
    let refuse =
        |problem: &str| Error::invalid_value(format!("schemas {problem}; send \"schemas\": [{base:?}]"));
    let urns = match members.get("schemas") {
        None | Some(Json::Null) => return Err(refuse("is missing")),
        Some(Json::Array(urns)) if urns.is_empty() => return Err(refuse("is empty")),
        Some(Json::Array(urns)) => urns.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let mut has_base = false;
    for urn in urns {
        let urn = urn.as_str().ok_or_else(|| refuse("holds something that is no string"))?;
        if same(urn, base) {
            has_base = true;
        } else if ty.extension(urn).is_none() {
            // Entra names one of its own in every group (quirk 18).
            acceptor.note(format!("schemas: {urn:?} is not served for a {}; it was ignored", ty.name));
        }
    }
    if has_base { Ok(()) } else { Err(refuse(&format!("does not name the schema of a {}", ty.name))) }
}

fn extension_attributes(
    urn: &'static str,
    attributes: &'static [Attribute],
    json: &Json,
    acceptor: &mut Acceptor<'_>,
) -> Result<Complex, Error> {
    let mut complex = Complex::new();
    let members = match json {
        Json::Object(members) => members,
        Json::Null => return Ok(complex),
        other => {
            let kind = other.kind();
            return Err(Error::invalid_value(format!(
                "{urn}: expected an object with attributes, got {kind}"
            )));
        }
    };
    for (name, json) in members.iter() {
        match attributes.iter().find(|attribute| same(attribute.name, name)) {
            Some(attribute) => set(&mut complex, Some(urn), attribute, json, acceptor)?,
            None if json.is_null() => {}
            None => {
                let at = At { urn: Some(urn), attribute: name, sub: None };
                acceptor.note(format!("{at}: the schema has no such attribute; it was not kept"));
            }
        }
    }
    Ok(complex)
}

fn set(
    complex: &mut Complex,
    urn: Option<&'static str>,
    attribute: &'static Attribute,
    json: &Json,
    acceptor: &mut Acceptor<'_>,
) -> Result<(), Error> {
    let at = At { urn, attribute: attribute.name, sub: None };
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    let target = Target { extension: urn, attribute, sub: None };
    let rewritten =
        dialect::resource_value(&target, json, |understood| acceptor.note(format!("{at}: {understood}")));
    let json = rewritten.as_ref().unwrap_or(json);
    let Some(value) = acceptor.value(at, attribute, json)? else { return Ok(()) };
    if attribute.mutability == Mutability::WriteOnly {
        acceptor.note(format!("{at}: people sign in through their directory; it was dropped"));
    } else if !is_membership(attribute) {
        complex.set(attribute.name, value);
    }
    Ok(())
}

/// A group's `members`: the one list whose values are immutable, so written as a whole value or not.
fn is_membership(attribute: &Attribute) -> bool {
    attribute.kind == Type::Complex
        && attribute.multi_valued
        && attribute.sub("value").is_some_and(|sub| sub.mutability == Mutability::Immutable)
}
