//! A path that the schemas know: from spelling to definition.

use std::fmt;

use crate::name::same;
use crate::path::{AttrPath, Excerpt};
use crate::schema::{Attribute, COMMON, ResourceType, Schema, Type, split_urn};
use crate::{Complex, Resource, Value};

/// An attribute or sub-attribute of a resource type. Displays as its canonical path, so that
/// `emails.value` or `urn:…:User:department` can be matched on.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The URN of the extension that the attribute stands in; `None` for the base schema and the
    /// common attributes.
    pub extension: Option<&'static str>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// The sub-attribute.
    pub sub: Option<&'static Attribute>,
}

/// Why a path names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(String);

/// What a path names: an attribute, or with a bare URN all of a schema.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    Attribute(Target),
    Schema(&'static Schema),
}

impl Target {
    /// The attribute that the path names. Names count in any case, in `urn:…:User:name` and in
    /// the `urn:…:User.name` that older clients write.
    ///
    /// # Errors
    /// When no schema of the resource type has it; the words say what it has instead.
    pub fn find(path: &AttrPath, ty: &'static ResourceType) -> Result<Self, Unknown> {
        match named(path, ty)? {
            Named::Attribute(target) => Ok(target),
            Named::Schema(schema) => {
                Err(Unknown(format!("{:?} is a schema; name one of its attributes", schema.id)))
            }
        }
    }

    /// The definition at the end of the path.
    pub fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The same attribute with this sub-attribute.
    pub fn with_sub(self, sub: &'static Attribute) -> Self {
        Self { sub: Some(sub), ..self }
    }

    /// The attribute's value in a resource; the sub-attribute is not looked at.
    pub fn value<'a>(&self, resource: &'a Resource) -> Option<&'a Value> {
        let attributes: &Complex = match self.extension {
            None => &resource.core,
            Some(urn) => resource.extension(urn)?,
        };
        attributes.get(self.attribute.name)
    }
}

pub(crate) fn named(path: &AttrPath, ty: &'static ResourceType) -> Result<Named, Unknown> {
    let (schema, name, sub) = match &path.urn {
        None => (None, path.name.as_str(), path.sub.as_ref()),
        Some(urn) => match ty.schema(urn.as_str()) {
            Some(schema) => (Some(schema), path.name.as_str(), path.sub.as_ref()),
            // The last colon is within the URN: a bare URN, or a dot where a colon belongs.
            None => match (split_urn(&format!("{urn}:{}", path.name)), &path.sub) {
                (Some((schema, "")), None) if ty.schema(schema.id).is_some() => {
                    return Ok(Named::Schema(schema));
                }
                (Some((schema, "")), Some(sub)) if ty.schema(schema.id).is_some() => {
                    (Some(schema), sub.as_str(), None)
                }
                _ => return Err(unknown_schema(urn.as_str(), ty)),
            },
        },
    };
    let extension = schema.filter(|s| !same(s.id, ty.schema.id));
    let found = match extension {
        Some(extension) => extension.attribute(name),
        None => ty.core_attribute(name),
    };
    let attribute = found.ok_or_else(|| unknown_attribute(name, extension, ty))?;
    let sub = match sub {
        None => None,
        Some(sub) => Some(sub_of(attribute, sub.as_str())?),
    };
    Ok(Named::Attribute(Target { extension: extension.map(|e| e.id), attribute, sub }))
}

/// The sub-attribute of this name.
pub(crate) fn sub_of(attribute: &'static Attribute, name: &str) -> Result<&'static Attribute, Unknown> {
    if attribute.kind != Type::Complex {
        return Err(Unknown(format!("{} has no sub-attributes", attribute.name)));
    }
    attribute.sub(name).ok_or_else(|| {
        let known: Vec<_> = attribute.sub_attributes.iter().map(|a| a.name).collect();
        let name = Excerpt(name);
        Unknown(format!("{} has no sub-attribute {name:?}; it has {}", attribute.name, known.join(", ")))
    })
}

fn unknown_schema(urn: &str, ty: &ResourceType) -> Unknown {
    let known: Vec<_> = std::iter::once(ty.schema.id).chain(ty.extensions.iter().map(|s| s.id)).collect();
    Unknown(format!("a {} has no schema {:?}; it has {}", ty.name, Excerpt(urn), known.join(" and ")))
}

fn unknown_attribute(name: &str, within: Option<&Schema>, ty: &'static ResourceType) -> Unknown {
    let place = within.map_or_else(|| format!("a {}", ty.name), |schema| schema.id.to_owned());
    let elsewhere = std::iter::once(&ty.schema)
        .chain(ty.extensions)
        .find(|schema| within.is_none_or(|w| !same(w.id, schema.id)) && schema.attribute(name).is_some());
    let hint = match elsewhere {
        Some(schema) => format!("; write {}:{name}", schema.id),
        None => nearest(name, within, ty).map(|near| format!("; did you mean {near}?")).unwrap_or_default(),
    };
    Unknown(format!("{place} has no attribute {:?}{hint}", Excerpt(name)))
}

/// The attribute that is one or two typing mistakes away.
fn nearest(name: &str, within: Option<&Schema>, ty: &ResourceType) -> Option<&'static str> {
    const LONGEST: usize = 40;
    if name.len() > LONGEST {
        return None;
    }
    let common = if within.is_none() { COMMON } else { &[] };
    let known = within.unwrap_or(ty.schema).attributes.iter().chain(common).map(|a| a.name);
    let near = known.map(|known| (mistakes(name, known), known)).min()?;
    (near.0 <= 2 && near.0 * 2 < name.len()).then_some(near.1)
}

/// Letters to add, drop or change to get from one word to the other (Levenshtein).
fn mistakes(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(!x.eq_ignore_ascii_case(&y));
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.extension == other.extension
            && self.attribute.name == other.attribute.name
            && self.sub.map(|s| s.name) == other.sub.map(|s| s.name)
    }
}

impl Eq for Target {}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = self.extension {
            write!(f, "{urn}:")?;
        }
        f.write_str(self.attribute.name)?;
        match self.sub {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unknown {}
