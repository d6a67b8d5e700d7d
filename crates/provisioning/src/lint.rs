//! Mistakes in mappings that are allowed, and regretted later.

use serde::Serialize;

use crate::entry::Kind;
use crate::mapping::{Apply, ObjectMapping, Source};

/// Something to look at before a job is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The target's attribute, or the mapping as a whole.
    pub about: String,
    /// What will happen, and what to do instead.
    pub message: String,
}

/// Whether a job could not work at all with this mapping; sending is refused then.
pub fn errors(mapping: &ObjectMapping) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut say = |about: &str, message: &str| {
        found.push(Warning { about: about.to_owned(), message: message.to_owned() })
    };
    let has =
        |name: &str| mapping.attributes.iter().any(|one| one.target.to_string().eq_ignore_ascii_case(name));
    if mapping.matching().is_empty() {
        say(
            "matching",
            "no attribute is marked for matching, so nobody can be found at the target; mark one, as userName",
        );
    }
    let needed = match mapping.kind {
        Kind::User => "userName",
        Kind::Group => "displayName",
    };
    if !has(needed) {
        say(needed, "SCIM cannot make an object without it (RFC 7643 §4); map it");
    }
    let mut paths: Vec<String> =
        mapping.attributes.iter().map(|one| one.target.to_string().to_lowercase()).collect();
    paths.sort_unstable();
    for pair in paths.windows(2).filter(|pair| pair[0] == pair[1]) {
        say(&pair[0], "it is mapped twice; which one would win is not defined, so keep one");
    }
    for one in &mapping.attributes {
        let path = one.target.to_string();
        if path.eq_ignore_ascii_case("id") || path.to_ascii_lowercase().starts_with("meta") {
            say(&path, "the target makes it itself, and it cannot be written; take the mapping out");
        }
        if path.to_ascii_lowercase().starts_with("password") {
            say(&path, "passwords are not provisioned; take the mapping out");
        }
        let function = match &one.source {
            Source::Expression(program) => program.function().map(|function| function.name),
            _ => None,
        };
        if function == Some("SelectUniqueValue") && (one.matching.is_some() || one.apply != Apply::OnCreate) {
            say(&path, "SelectUniqueValue may not be matched by and is applied on creation only; set it so");
        }
    }
    found
}

/// What is likely a mistake.
pub fn warnings(mapping: &ObjectMapping) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut say = |about: String, message: &str| found.push(Warning { about, message: message.to_owned() });
    let active = mapping.attributes.iter().find(|one| one.target.to_string().eq_ignore_ascii_case("active"));
    match (mapping.kind, active) {
        (Kind::User, None) => say(
            "active".to_owned(),
            "active is not mapped: somebody who leaves the scope is deleted at the target instead of disabled; map it from IsSoftDeleted",
        ),
        (Kind::User, Some(one)) => {
            let reads = |name: &str| match &one.source {
                Source::Direct(source) => source == name,
                Source::Expression(program) => program.attributes().iter().any(|source| source == name),
                _ => false,
            };
            if reads("accountEnabled") && !reads("IsSoftDeleted") {
                say(
                    "active".to_owned(),
                    "active follows accountEnabled alone: somebody who is unassigned or deleted stays active at the target; use Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")",
                );
            } else if !reads("IsSoftDeleted") {
                say(
                    "active".to_owned(),
                    "active does not depend on IsSoftDeleted, so nobody who leaves is disabled at the target",
                );
            }
        }
        (Kind::Group, _) => {}
    }
    for one in &mapping.attributes {
        let path = one.target.to_string();
        match &one.source {
            Source::Expression(program)
                if one.apply == Apply::Always
                    && ["Guid(", "RandomString("].iter().any(|call| program.text().contains(call)) =>
            {
                say(
                    path.clone(),
                    "a random value that is applied always changes at each cycle; apply it on creation only",
                );
            }
            Source::Direct(name) if name == "mailNickname" && path == "externalId" => {
                say(
                    path.clone(),
                    "mailNickname is neither always there nor unique; map objectId to externalId",
                );
            }
            _ => {}
        }
        if one.matching.is_some() && one.apply == Apply::OnCreate {
            say(
                path,
                "it is matched by but never updated, so after a rename the object is not found again if its link is lost",
            );
        }
    }
    found
}
