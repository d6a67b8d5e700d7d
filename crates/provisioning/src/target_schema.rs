//! What a target's attributes are, as far as a mapping has to know.

use latchkey_expr::Value;
use serde_json::{Value as Json, json};

use crate::entry::Kind;
use crate::target_path::TargetPath;

/// The type of a target's attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Type {
    /// Text.
    String,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A date and time, as text.
    DateTime,
    /// Base64, as text.
    Binary,
    /// The id of another object.
    Reference,
}

/// What is known of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its type.
    pub kind: Type,
    /// Whether it has several values, as a whole.
    pub multivalued: bool,
    /// Whether a change of case alone is a change.
    pub case_exact: bool,
    /// Whether an object without it cannot be made.
    pub required: bool,
}

const TEXT: Attribute =
    Attribute { kind: Type::String, multivalued: false, case_exact: false, required: false };

/// What RFC 7643 says of the attribute at a path of a User or Group; what it doesn't know is a text.
pub fn attribute(kind: Kind, path: &TargetPath) -> Attribute {
    let sub = path.sub.as_deref().map(str::to_ascii_lowercase);
    let name = path.attribute.to_ascii_lowercase();
    match (kind, path.urn.is_some(), name.as_str(), sub.as_deref()) {
        (Kind::User, false, "active", None) | (_, _, _, Some("primary")) => {
            Attribute { kind: Type::Boolean, ..TEXT }
        }
        (Kind::User, false, "username", None) | (Kind::Group, false, "displayname", None) => {
            Attribute { required: true, ..TEXT }
        }
        (_, false, "externalid" | "id", None) => Attribute { case_exact: true, ..TEXT },
        (Kind::Group, false, "members", _) => Attribute { kind: Type::Reference, multivalued: true, ..TEXT },
        (Kind::User, _, "manager", None | Some("value")) => {
            Attribute { kind: Type::Reference, case_exact: true, ..TEXT }
        }
        (
            Kind::User,
            false,
            "emails" | "phonenumbers" | "ims" | "photos" | "addresses" | "entitlements" | "roles"
            | "x509certificates",
            None,
        ) if path.which.is_none() => Attribute { multivalued: true, ..TEXT },
        _ => TEXT,
    }
}

/// Why a value does not fit its attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Several values where one is taken.
    #[error("the source has {count} values, but the target takes one; choose one with Item or Join")]
    Several {
        /// How many.
        count: usize,
    },
    /// The text is not of the type.
    #[error("the target takes {wanted}, and the value {found:?} is none")]
    Type {
        /// What is taken.
        wanted: &'static str,
        /// The value's beginning.
        found: String,
    },
}

/// A value in the attribute's type; `None` when there is none.
///
/// # Errors
/// When it doesn't fit.
pub fn coerce(value: Value<'_>, attribute: Attribute) -> Result<Option<Json>, Unfit> {
    if value.is_null() {
        return Ok(None);
    }
    if attribute.multivalued {
        let values = value.into_list().into_iter().map(|value| match value {
            Value::Text(text) => json!({ "value": text }),
            other => other.to_json(),
        });
        return Ok(Some(Json::Array(values.collect())));
    }
    match value {
        Value::List(values) if values.len() > 1 => Err(Unfit::Several { count: values.len() }),
        Value::Object(object) => Ok(Some(Json::Object(object.into_owned()))),
        other => other.into_text().map(|text| typed(&text, attribute.kind)).transpose(),
    }
}

fn typed(text: &str, kind: Type) -> Result<Json, Unfit> {
    let unfit = |wanted| Unfit::Type { wanted, found: text.chars().take(40).collect() };
    match kind {
        Type::Boolean if text.eq_ignore_ascii_case("true") => Ok(json!(true)),
        Type::Boolean if text.eq_ignore_ascii_case("false") => Ok(json!(false)),
        Type::Boolean => Err(unfit("True or False")),
        Type::Integer => text.trim().parse::<i64>().map(Json::from).map_err(|_| unfit("a whole number")),
        _ => Ok(json!(text)),
    }
}
