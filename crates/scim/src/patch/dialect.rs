//! What real clients send, beyond or against RFC 7644, as data.
//!
//! No row is bound to a client: each shape has one meaning, so it is accepted from everybody.
//! Numbers are those of the table of client quirks in the reference documentation. A row whose
//! reading is a function is applied by the parser, in the order of the table; the others name the
//! place that understands them.

use super::operation::Verb;
use crate::Target;
use crate::json::{Json, Object};
use crate::name::same;

/// A shape that is accepted, and what it is taken for.
#[derive(Debug, Clone, Copy)]
pub struct Quirk {
    /// The rows of the table of client quirks.
    pub numbers: &'static [u8],
    /// Who sends it.
    pub clients: &'static str,
    /// The operation, or the part of it that matters.
    pub shape: &'static str,
    /// What is understood.
    pub understood: &'static str,
    /// Where it is known from.
    pub source: &'static str,
    /// How it is read.
    pub reading: Reading,
}

/// How a shape is read.
#[derive(Debug, Clone, Copy)]
pub enum Reading {
    /// From the text of `op`.
    Verb(fn(&str) -> Option<Verb>),
    /// From a value that goes to this target, in a whole resource too, when the function knows it:
    /// the value instead.
    Value(fn(&Target, &Json) -> Option<Json>),
    /// As [`Reading::Value`], in a PATCH only.
    PatchValue(fn(&Target, &Json) -> Option<Json>),
    /// By the module of this name, which needs more than one value to see it.
    By(&'static str),
}

/// Every shape.
pub static QUIRKS: &[Quirk] = &[
    Quirk {
        numbers: &[1, 2, 70],
        clients: "Entra, OneLogin",
        shape: r#"{"op":"Replace","path":"title","value":"Lead"}"#,
        understood: "op has no case",
        source: "Microsoft, Develop and plan provisioning for a SCIM endpoint; thomaspoignant/scim-patch #6",
        reading: Reading::Verb(verb_in_any_case),
    },
    Quirk {
        numbers: &[46],
        clients: "Entra's customappsso job of 2018",
        shape: r#"{"op":"Replace","path":"displayName","value":[{"$ref":null,"value":"Ida"}]}"#,
        understood: "a list of one, or an object with a value, is that value for a single-valued attribute",
        source: "Azure/AzureAD-BYOA-Provisioning-Samples #22",
        reading: Reading::PatchValue(single_value_unwrapped),
    },
    Quirk {
        numbers: &[15],
        clients: "Entra, AppRoleAssignments",
        shape: r#"{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"Admin\",\"displayName\":\"Admin\"}"}]}"#,
        understood: "a role written as JSON text is the role that the text names",
        source: "Microsoft, Customize attribute mappings",
        reading: Reading::Value(role_from_json_text),
    },
    Quirk {
        numbers: &[3, 4, 5, 14],
        clients: "Entra",
        shape: r#"{"op":"Replace","path":"active","value":"False"}"#,
        understood: "the words true and false, in any case, are booleans for a boolean attribute",
        source: "Microsoft, Known issues with SCIM 2.0 protocol compliance; ssoready/ssoready #155",
        reading: Reading::By("resource"),
    },
    Quirk {
        numbers: &[19, 20],
        clients: "Entra",
        shape: r#"{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"M1"}"#,
        understood: "bare text for a complex attribute is its value",
        source: "Captain-P-Goldfish/SCIM-SDK #686",
        reading: Reading::By("parse"),
    },
    Quirk {
        numbers: &[21, 71],
        clients: "Entra, OneLogin",
        shape: r#"{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":""}"#,
        understood: "empty text unassigns a complex attribute or a reference",
        source: "AzureAD/SCIMReferenceCode #155",
        reading: Reading::By("parse"),
    },
    Quirk {
        numbers: &[6],
        clients: "Entra with aadOptscim062020",
        shape: r#"{"op":"replace","value":{"displayName":"Ida","name.givenName":"Ida","name.familyName":"Holm"}}"#,
        understood: "each key of a value without path is a path",
        source: "thomaspoignant/scim-patch #132; pond/scimitar #69",
        reading: Reading::By("parse"),
    },
    Quirk {
        numbers: &[7],
        clients: "Entra with aadOptscim062020",
        shape: r#"{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"E7"}}"#,
        understood: "the URN ends where the schema's does; the dot in 2.0 is part of it",
        source: "jelhub/scimgateway #124",
        reading: Reading::By("path"),
    },
    Quirk {
        numbers: &[13, 48],
        clients: "Entra and its validator",
        shape: r#"{"op":"Add","path":"Addresses[Type eq \"work\"].Locality","value":"Oslo"}"#,
        understood: "names have no case, at any level",
        source: "Microsoft, Develop and plan provisioning for a SCIM endpoint; simstudioai/sim #7567",
        reading: Reading::By("target"),
    },
    Quirk {
        numbers: &[8, 9, 10, 12, 47],
        clients: "Entra",
        shape: r#"{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ida@corp.example"}"#,
        understood: "where nothing matches, a value is made of what the filter asks for, if that is equality only",
        source: "Captain-P-Goldfish/SCIM-SDK #416; sourcegraph/sourcegraph-public-snapshot #49119",
        reading: Reading::By("apply"),
    },
    Quirk {
        numbers: &[11],
        clients: "Entra",
        shape: r#"{"op":"Add","path":"emails[type eq \"work\"].value","value":"new@corp.example"}"#,
        understood: "adding to a sub-attribute that has a value changes it",
        source: "learn.microsoft.com, Entra ID patch sending Add instead of Replace",
        reading: Reading::By("apply"),
    },
    Quirk {
        numbers: &[23, 24, 59],
        clients: "Entra, Okta",
        shape: r#"{"name":"addMember","op":"Add","path":"members","value":[{"$ref":null,"value":"M1","displayName":"Ida"}]}"#,
        understood: "null is absent, and unknown members of operations and values are ignored",
        source: "AzureAD/SCIMReferenceCode #20",
        reading: Reading::By("resource"),
    },
    Quirk {
        numbers: &[25],
        clients: "Entra",
        shape: r#"{"op":"Remove","path":"members","value":[{"value":"M1"}]}"#,
        understood: "removing values of a list removes those only",
        source: "AzureAD/SCIMReferenceCode #10",
        reading: Reading::By("parse"),
    },
    Quirk {
        numbers: &[26, 58],
        clients: "Entra with aadOptscim062020, Okta",
        shape: r#"{"op":"remove","path":"members[value eq \"M1\"]"}"#,
        understood: "one member goes; the others are not read",
        source: "okta/okta-developer-docs #3853",
        reading: Reading::By("members"),
    },
    Quirk {
        numbers: &[27, 28, 41],
        clients: "Entra",
        shape: r#"{"op":"remove","path":"emails[type eq \"pager\"]"}"#,
        understood: "what is gone already is removed, what is there already is added: success, and no change",
        source: "wso2/product-is #5333; jelhub/scimgateway #124",
        reading: Reading::By("apply"),
    },
    Quirk {
        numbers: &[29, 77],
        clients: "Entra's Postman collection, Rippling",
        shape: r#"{"op":"add","path":"members","value":"M1"}"#,
        understood: "one value for a list is a list of one",
        source: "valon-technologies/gestalt #3171",
        reading: Reading::By("resource"),
    },
    Quirk {
        numbers: &[51, 73],
        clients: "Okta, SailPoint",
        shape: r#"{"op":"add","value":{"active":false}}"#,
        understood: "adding to a single value sets it, and only what is named changes",
        source: "ssoready/ssoready #206; SailPoint developer forum, SCIM API Patch Op",
        reading: Reading::By("apply"),
    },
    Quirk {
        numbers: &[54, 81],
        clients: "Okta, authentik",
        shape: r#"{"op":"replace","value":{"id":"G1","displayName":"Ops"}}"#,
        understood: "the id of the resource itself is no change; what is not named stays",
        source: "okta/okta-developer-docs #1023; bitwarden/server #2919",
        reading: Reading::By("apply"),
    },
    Quirk {
        numbers: &[55, 56],
        clients: "Okta",
        shape: r#"{"op":"replace","path":"members","value":[]}"#,
        understood: "an empty list is a value: it empties",
        source: "Captain-P-Goldfish/SCIM-SDK #757",
        reading: Reading::By("parse"),
    },
    Quirk {
        numbers: &[57],
        clients: "Okta",
        shape: r#"{"op":"replace","value":{"members":[{"value":"M1","display":"ida@corp.example"}]}}"#,
        understood: "the list is complete; what only the server sets in its values is ignored",
        source: "Metatavu/keycloak-scim-server #101",
        reading: Reading::By("members"),
    },
    Quirk {
        numbers: &[65],
        clients: "Okta",
        shape: r#"{"op":"replace","value":{"password":"s3cret"}}"#,
        understood: "a password is taken and not kept: people sign in through their directory",
        source: "Okta, Okta and SCIM Version 2.0",
        reading: Reading::By("parse"),
    },
];

/// The verb that an `op` means.
pub(super) fn verb(op: &str) -> Option<Verb> {
    QUIRKS.iter().find_map(|quirk| match quirk.reading {
        Reading::Verb(read) => read(op),
        _ => None,
    })
}

/// The value of a PATCH as a schema has it, and what was understood otherwise on the way.
pub(super) fn patch_value(target: &Target, json: &Json, noted: impl FnMut(&'static str)) -> Option<Json> {
    rewrite(target, json, noted, |reading| match reading {
        Reading::Value(read) | Reading::PatchValue(read) => Some(read),
        Reading::Verb(_) | Reading::By(_) => None,
    })
}

/// The same for a value of a whole resource, so that a role is one role however it comes.
pub(crate) fn resource_value(target: &Target, json: &Json, noted: impl FnMut(&'static str)) -> Option<Json> {
    rewrite(target, json, noted, |reading| match reading {
        Reading::Value(read) => Some(read),
        Reading::PatchValue(_) | Reading::Verb(_) | Reading::By(_) => None,
    })
}

type Rewrite = fn(&Target, &Json) -> Option<Json>;

fn rewrite(
    target: &Target,
    json: &Json,
    mut noted: impl FnMut(&'static str),
    applies: fn(Reading) -> Option<Rewrite>,
) -> Option<Json> {
    let mut found: Option<Json> = None;
    for quirk in QUIRKS {
        let Some(read) = applies(quirk.reading) else { continue };
        if let Some(rewritten) = read(target, found.as_ref().unwrap_or(json)) {
            noted(quirk.understood);
            found = Some(rewritten);
        }
    }
    found
}

fn verb_in_any_case(op: &str) -> Option<Verb> {
    [Verb::Add, Verb::Remove, Verb::Replace].into_iter().find(|verb| verb.as_str().eq_ignore_ascii_case(op))
}

fn single_value_unwrapped(target: &Target, json: &Json) -> Option<Json> {
    let leaf = target.leaf();
    if leaf.multi_valued {
        return None;
    }
    let one = match json {
        Json::Array(values) => match values.as_slice() {
            [one] => one,
            _ => return None,
        },
        other => other,
    };
    let inner = match one {
        // A complex attribute takes the object itself.
        Json::Object(object) if leaf.sub_attributes.is_empty() => object.get("value")?,
        other => other,
    };
    (!std::ptr::eq(inner, json)).then(|| inner.clone())
}

fn role_from_json_text(target: &Target, json: &Json) -> Option<Json> {
    let is_role = ["roles", "entitlements"].iter().any(|name| same(target.attribute.name, name));
    if !is_role {
        return None;
    }
    if target.sub.is_some_and(|sub| same(sub.name, "value")) {
        return role(json)?.get("value").cloned();
    }
    if target.sub.is_some() {
        return None;
    }
    let entries = match json {
        Json::Array(entries) => entries.as_slice(),
        one => std::slice::from_ref(one),
    };
    if !entries.iter().any(|entry| role_entry(entry).is_some()) {
        return None;
    }
    Some(Json::Array(
        entries.iter().map(|entry| role_entry(entry).unwrap_or_else(|| entry.clone())).collect(),
    ))
}

/// A value of the list whose text, or whose `value`, is JSON text.
fn role_entry(entry: &Json) -> Option<Json> {
    let read = role(entry.get("value").unwrap_or(entry))?;
    let mut object = entry.as_object().cloned().unwrap_or_default();
    object.set("value", read.get("value")?.clone());
    if let (None, Some(display @ Json::String(_))) = (object.get("display"), read.get("displayName")) {
        object.set("display", display.clone());
    }
    Some(Json::Object(object))
}

/// The object that the text is, if it names a role.
fn role(json: &Json) -> Option<Object> {
    let text = json.as_str()?.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let parsed: serde_json::Value = serde_json::from_str(text).ok()?;
    let Json::Object(object) = Json::from(parsed) else { return None };
    object.get("value").and_then(Json::as_str).filter(|value| !value.is_empty())?;
    Some(object)
}
