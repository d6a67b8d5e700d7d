//! What the target should hold for an object: all mappings, evaluated.

use std::collections::BTreeMap;

use latchkey_expr::{Attributes, EvalError, Surroundings, Value};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use crate::entry::{Entry, EntryId, Kind};
use crate::mapping::{Apply, AttributeMapping, ObjectMapping, Reference, SOFT_DELETED, Source};
use crate::target_path::TargetPath;
use crate::target_schema::{self, Attribute, Unfit};

/// What the target should hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Desired {
    /// In the order of the mappings.
    pub values: Vec<Wanted>,
    /// What the object refers to, to be resolved by links.
    pub references: Vec<(TargetPath, Reference, EntryId)>,
    /// By which values the object is looked for at the target, first rank first.
    pub matching: Vec<(TargetPath, String)>,
}

/// One attribute of the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Where.
    pub path: TargetPath,
    /// What; `None` when the source has no value.
    pub value: Option<Json>,
    /// What is written on creation, and where the target has none, if there is no value.
    pub default: Option<Json>,
    /// When it flows.
    pub apply: Apply,
    /// Whether no value means to take it away.
    pub clears: bool,
    /// Whether logs may not show it.
    pub redacted: bool,
    /// Of `SelectUniqueValue`: what to try in turn.
    pub candidates: Vec<String>,
    /// What is known of the attribute.
    pub attribute: Attribute,
}

/// Why an object has no desired state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// An expression failed.
    #[error("{path}: {source}")]
    Expression {
        /// The target's attribute.
        path: String,
        /// What failed.
        #[source]
        source: EvalError,
    },
    /// A value does not fit the target's attribute.
    #[error("{path}: {source}")]
    Unfit {
        /// The target's attribute.
        path: String,
        /// What doesn't.
        #[source]
        source: Unfit,
    },
    /// The target cannot make an object without it.
    #[error("{path} has no value, and the target needs one; map it from another attribute or give a default")]
    Missing {
        /// The target's attribute.
        path: String,
    },
}

impl ObjectError {
    /// The code under which logs list it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expression { .. } => "ExpressionError",
            Self::Unfit { source: Unfit::Several { .. }, .. } => "SchemaPropertyCanOnlyAcceptValue",
            Self::Unfit { .. } => "InvalidValue",
            Self::Missing { .. } => "MissingValues",
        }
    }
}

/// The attributes as mappings see them: with what is computed.
struct Seen<'e> {
    entry: &'e Entry,
    soft_deleted: bool,
    roles: &'e Json,
}

impl Attributes for Seen<'_> {
    fn attribute<'a>(&'a self, name: &str) -> Value<'a> {
        match name {
            SOFT_DELETED => Value::Bool(self.soft_deleted),
            "appRoleAssignments" if !self.entry.assignments.is_empty() => Value::from_json(self.roles),
            name => self.entry.attributes.get(name).map_or(Value::Null, Value::from_json),
        }
    }
}

/// Evaluates all mappings for an object that counts as out of scope or not.
///
/// # Errors
/// The first mapping that has no valid value; nothing of the object is sent then.
pub fn desired(
    entry: &Entry,
    mapping: &ObjectMapping,
    soft_deleted: bool,
    surroundings: &Surroundings<'_>,
) -> Result<Desired, ObjectError> {
    let roles = entry.assignments.iter().filter(|assignment| !assignment.role.is_empty());
    let roles = Json::Array(
        roles.map(|one| serde_json::json!({ "value": one.role, "displayName": one.display })).collect(),
    );
    let seen = Seen { entry, soft_deleted, roles: &roles };
    let mut desired = Desired::default();
    for one in &mapping.attributes {
        if let Source::Reference(reference) = one.source {
            if let (Reference::Manager, Some(manager)) = (reference, &entry.manager) {
                desired.references.push((one.target.clone(), reference, manager.clone()));
            }
            continue;
        }
        if let Some(wanted) = evaluate(one, entry.kind, &seen, surroundings)? {
            desired.values.push(wanted);
        }
    }
    for one in mapping.matching() {
        let wanted = desired.values.iter().find(|wanted| wanted.path == one.target);
        let text = wanted.and_then(|wanted| wanted.value.as_ref()).and_then(|value| match value {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        });
        desired.matching.extend(text.filter(|text| !text.is_empty()).map(|text| (one.target.clone(), text)));
    }
    Ok(desired)
}

/// What the target should hold for an object of which the source tells no more than that it left:
/// the attributes that say so, and nothing of those that it had.
///
/// # Errors
/// As [`desired()`].
pub fn leaving(
    entry: &Entry,
    mapping: &ObjectMapping,
    surroundings: &Surroundings<'_>,
) -> Result<Desired, ObjectError> {
    let seen = Seen { entry, soft_deleted: true, roles: &Json::Null };
    let mut desired = Desired::default();
    for one in mapping.attributes.iter().filter(|one| one.says_who_is_out()) {
        desired.values.extend(evaluate(one, entry.kind, &seen, surroundings)?);
    }
    Ok(desired)
}

fn evaluate(
    mapping: &AttributeMapping,
    kind: Kind,
    seen: &Seen<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<Option<Wanted>, ObjectError> {
    let path = || mapping.target.to_string();
    let attribute = target_schema::attribute(kind, &mapping.target);
    let unfit = |source| ObjectError::Unfit { path: path(), source };
    let (value, redacted, candidates) = match &mapping.source {
        Source::Direct(name) => (seen.attribute(name), false, Vec::new()),
        Source::Constant(text) => (Value::text(text), false, Vec::new()),
        Source::Nothing | Source::Reference(_) => (Value::Null, false, Vec::new()),
        Source::Expression(program) => {
            let found = program.evaluate(seen, surroundings);
            let found = found.map_err(|source| ObjectError::Expression { path: path(), source })?;
            if found.ignored {
                return Ok(None);
            }
            (found.value.into_owned(), found.redacted, found.candidates)
        }
    };
    let value = target_schema::coerce(value, attribute).map_err(unfit)?;
    let default = mapping.default.as_deref().map(Value::text);
    let default =
        default.map(|text| target_schema::coerce(text, attribute)).transpose().map_err(unfit)?.flatten();
    if attribute.required && value.is_none() && default.is_none() {
        return Err(ObjectError::Missing { path: path() });
    }
    Ok(Some(Wanted {
        path: mapping.target.clone(),
        value,
        default,
        apply: mapping.apply,
        clears: mapping.clears && !matches!(mapping.source, Source::Nothing),
        redacted,
        candidates,
        attribute,
    }))
}

impl Desired {
    /// The resource to create; references follow when both ends exist.
    pub fn resource(&self) -> Map<String, Json> {
        let mut resource = Map::new();
        for wanted in &self.values {
            if let Some(value) = wanted.value.as_ref().or(wanted.default.as_ref()) {
                wanted.path.write(&mut resource, value.clone());
            }
        }
        resource
    }

    /// A digest of what would be sent. As long as it is the one that was sent last, nothing has to
    /// be read or sent (P5). What is only written on creation has no part in it.
    pub fn fingerprint(&self) -> [u8; 32] {
        let by_path: BTreeMap<String, &Option<Json>> = self
            .values
            .iter()
            .filter(|wanted| wanted.apply != Apply::OnCreate)
            .map(|wanted| (wanted.path.to_string(), &wanted.value))
            .collect();
        let mut digest = Sha256::new();
        for (path, value) in by_path {
            let value = value.as_ref().map(Json::to_string).unwrap_or_default();
            for part in [path, value] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        digest.finalize().into()
    }
}
