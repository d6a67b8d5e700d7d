//! Whether what is sent would be valid SCIM, by the schemas of RFC 7643.

use latchkey_scim::schema::{Attribute, GROUP_TYPE, Mutability, Type, USER_TYPE};

use super::{Findings, noun, of_target};
use crate::entry::Kind;
use crate::mapping::{AttributeMapping, ObjectMapping, Reference, Source};
use crate::target_path::TargetPath;

const READ_ONLY: &str =
    "the target makes it itself, and it cannot be written (RFC 7643 §7); take the mapping out";

pub(super) fn errors(mapping: &ObjectMapping, found: &mut Findings) {
    let needed = match mapping.kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    };
    match of_target(mapping, needed).map(|one| &one.source) {
        None => found.say(needed, "SCIM cannot make an object without it (RFC 7643 §4); map it"),
        Some(Source::Constant(_) | Source::Nothing) => {
            let message = format!(
                "it would be the same for every {0}, and only the first {0} could be made; map it from an attribute",
                noun(mapping.kind)
            );
            found.say(needed, message);
        }
        Some(_) => {}
    }
    twice(mapping, found);
    for one in &mapping.attributes {
        if let Some(message) = fault(mapping.kind, one) {
            found.say(&one.target, message);
        }
    }
}

pub(super) fn warnings(mapping: &ObjectMapping, found: &mut Findings) {
    for one in &mapping.attributes {
        let path = &one.target;
        if attribute(mapping.kind, path).is_none() && is_standard(mapping.kind, path) {
            let urn = "urn:ietf:params:scim:schemas:extension:NAME:2.0:User:";
            found.say(
                path,
                format!("SCIM has no such attribute, and a target may refuse or ignore it; one of its own has a URN, as {urn}{}", path.attribute),
            );
        }
        if let Source::Reference(reference) = one.source {
            let (wanted, what) = match reference {
                Reference::Manager => ("manager", "the manager's id"),
                Reference::Members => ("members", "the members' ids"),
            };
            if !path.attribute.eq_ignore_ascii_case(wanted) {
                found.say(path, format!("it would hold {what} at the target; that belongs into {wanted}"));
            }
        }
        let is_bare_list = attribute(mapping.kind, path).is_some_and(|known| known.multi_valued)
            && path.which.is_none()
            && path.sub.is_none()
            && matches!(one.source, Source::Direct(_) | Source::Constant(_));
        if is_bare_list {
            found.say(
                path,
                format!("the whole list is replaced by values without a type, also what others wrote; map {0}[type eq \"work\"].value", path.attribute),
            );
        }
    }
    if mapping.kind == Kind::Group && of_target(mapping, "members").is_none() {
        found.say(
            "members",
            "it is not mapped, so the groups stay empty at the target; map it with reference = \"members\"",
        );
    }
}

/// Two mappings that write one place.
fn twice(mapping: &ObjectMapping, found: &mut Findings) {
    for (at, one) in mapping.attributes.iter().enumerate() {
        for other in &mapping.attributes[..at] {
            let (path, before) = (&one.target, &other.target);
            if path.to_string().eq_ignore_ascii_case(&before.to_string()) {
                found.say(path, "it is mapped twice; which one would win is not defined, so keep one");
            } else if holds(path, before) || holds(before, path) {
                let (whole, part) = if holds(path, before) { (path, before) } else { (before, path) };
                found.say(whole, format!("{part} is mapped too, and is part of it; one would overwrite the other, so keep one of them"));
            }
        }
    }
    let primary = |one: &&AttributeMapping| {
        let is_true = matches!(&one.source, Source::Constant(text) if text.eq_ignore_ascii_case("true"));
        is_true && one.target.sub.as_ref().is_some_and(|sub| sub.eq_ignore_ascii_case("primary"))
    };
    let primaries: Vec<&AttributeMapping> = mapping.attributes.iter().filter(primary).collect();
    for pair in primaries.windows(2).filter(|pair| same_attribute(&pair[0].target, &pair[1].target)) {
        found.say(
            &pair[1].target,
            format!(
                "{} is true too, and one value at most is the primary one (RFC 7643 §2.4)",
                pair[0].target
            ),
        );
    }
}

fn same_attribute(one: &TargetPath, other: &TargetPath) -> bool {
    one.urn == other.urn && one.attribute.eq_ignore_ascii_case(&other.attribute)
}

/// Whether a path is of all that another is a part of.
fn holds(whole: &TargetPath, part: &TargetPath) -> bool {
    same_attribute(whole, part)
        && whole.sub.is_none()
        && (whole.which.is_none() || (whole.which == part.which && part.sub.is_some()))
        && (part.which.is_some() || part.sub.is_some())
}

/// Why the target could not take it.
fn fault(kind: Kind, one: &AttributeMapping) -> Option<String> {
    let path = &one.target;
    let name = path.attribute.to_ascii_lowercase();
    if path.urn.is_none() && ["id", "meta", "schemas"].contains(&name.as_str()) {
        return Some(READ_ONLY.to_owned());
    }
    if path.urn.is_none() && name == "password" {
        return Some("passwords are not provisioned; take the mapping out".to_owned());
    }
    let known = attribute(kind, path)?;
    if known.mutability == Mutability::ReadOnly {
        let why = "the target makes it itself, and it cannot be written (RFC 7643 §7); take the mapping out";
        return Some(if name == "groups" {
            format!("{why}, and map groups with their members")
        } else {
            why.to_owned()
        });
    }
    let an_id = path.sub.as_ref().is_none_or(|sub| sub.eq_ignore_ascii_case("value"));
    if an_id && ["manager", "members"].contains(&name.as_str()) && !matches!(one.source, Source::Reference(_))
    {
        return Some(format!(
            "it takes ids of the target, and would get what the source has; map it with reference = \"{name}\""
        ));
    }
    match (known.kind == Type::Complex, known.multi_valued) {
        (false, _) if path.sub.is_some() || path.which.is_some() => {
            return Some(format!("{} is a simple value and has no parts; map {0} itself", known.name));
        }
        (true, false) if path.which.is_some() => {
            return Some(format!(
                "{} has one value, so none can be chosen; map {}",
                known.name,
                parts(known, "")
            ));
        }
        (true, true) if path.which.is_none() && path.sub.is_some() => {
            let sub = path.sub.as_deref().unwrap_or_default();
            return Some(format!(
                "{0} has several values; say which, as {0}[type eq \"work\"].{sub}",
                known.name
            ));
        }
        _ => {}
    }
    let object = matches!(one.source, Source::Reference(_)) || gives_objects(&one.source);
    let whole = known.kind == Type::Complex && path.sub.is_none() && !object;
    if whole && (!known.multi_valued || known.sub("value").is_none()) {
        let which = if known.multi_valued { "[type eq \"work\"]" } else { "" };
        return Some(format!("it has parts, and a text is none of them; map {}", parts(known, which)));
    }
    let part = match path.sub.as_deref() {
        Some(sub) => match known.sub(sub) {
            None => {
                return Some(format!("there is no {sub} in {}; there are {}", known.name, parts(known, "")));
            }
            Some(part) => part,
        },
        None => known,
    };
    if part.mutability == Mutability::ReadOnly {
        return Some(READ_ONLY.to_owned());
    }
    match &one.source {
        Source::Constant(text) if part.kind == Type::Boolean && !is_boolean(text) => {
            Some(format!("it takes True or False, and {text:?} is neither"))
        }
        Source::Constant(text) if part.kind == Type::Integer && text.parse::<i64>().is_err() => {
            Some(format!("it takes a whole number, and {text:?} is none"))
        }
        _ => match &one.default {
            Some(text) if part.kind == Type::Boolean && !is_boolean(text) => {
                Some(format!("it takes True or False, and the default {text:?} is neither"))
            }
            _ => None,
        },
    }
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// Whether an expression gives objects, as roles with all their parts.
fn gives_objects(source: &Source) -> bool {
    let Source::Expression(program) = source else { return false };
    program.function().is_some_and(|function| function.name.ends_with("AppRoleAssignmentsComplex"))
}

fn parts(attribute: &Attribute, which: &str) -> String {
    let parts = attribute.sub_attributes.iter().filter(|sub| sub.name != "$ref");
    parts.map(|sub| format!("{}{which}.{}", attribute.name, sub.name)).collect::<Vec<_>>().join(", ")
}

/// What RFC 7643 says of an attribute; `None` when it does not know it.
fn attribute(kind: Kind, path: &TargetPath) -> Option<&'static Attribute> {
    let resource = match kind {
        Kind::User => &USER_TYPE,
        Kind::Group => &GROUP_TYPE,
    };
    match &path.urn {
        None => resource.core_attribute(&path.attribute),
        Some(urn) => resource.extension(urn)?.attribute(&path.attribute),
    }
}

/// Whether the path is of a schema that RFC 7643 defines whole.
fn is_standard(kind: Kind, path: &TargetPath) -> bool {
    path.urn.as_ref().is_none_or(|urn| kind == Kind::User && USER_TYPE.extension(urn).is_some())
}
