//! The answer that shows one resource (RFC 7643 §3, RFC 7644 §3.9).
//!
//! The attributes come as the text that [`Resource::to_stored`] made. Without a projection the
//! answer is spliced around that text: nothing is parsed, and a GET by id costs a few copies.

use crate::projection::Projection;
use crate::resource::{StoredError, write_member, write_string};
use crate::schema::{COMMON, ResourceType, Returned};
use crate::{Resource, Value};

/// Everything that an answer shows of one resource.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// What it is.
    pub ty: &'static ResourceType,
    /// The text of its attributes, without `id`, `meta`, `groups` and `members`.
    pub stored: &'a str,
    /// The id.
    pub id: &'a str,
    /// The URL of the SCIM root, without a slash at the end. From the configuration, never from
    /// a `Host` header.
    pub base: &'a str,
    /// What is in `meta`.
    pub meta: Meta<'a>,
    /// A user's groups or a group's members; empty where they are not asked for.
    pub links: &'a [Link<'a>],
}

/// What is in `meta` beside the type and the location, which follow from the answer.
#[derive(Debug, Clone, Copy)]
pub struct Meta<'a> {
    /// RFC 3339.
    pub created: &'a str,
    /// RFC 3339.
    pub last_modified: &'a str,
    /// The opaque part of the version, as `3`.
    pub version: &'a str,
}

/// A group that a user is in, or a user who is in a group.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The id of the resource at the other end.
    pub id: &'a str,
    /// What people call it.
    pub display: &'a str,
}

/// What the links of a resource type are called, and where they lead.
struct Linked {
    attribute: &'static str,
    endpoint: &'static str,
    kind: &'static str,
}

impl Answer<'_> {
    /// The document.
    ///
    /// # Errors
    /// When the stored text does not read; only with a projection is it looked at.
    pub fn document(&self, projection: &Projection) -> Result<String, StoredError> {
        let mut out = String::with_capacity(self.stored.len() + 512 + self.links.len() * 192);
        self.write(&mut out, projection)?;
        Ok(out)
    }

    /// Writes the document behind what is in `out`; on failure, `out` is as it was.
    ///
    /// # Errors
    /// As for [`Answer::document`].
    pub fn write(&self, out: &mut String, projection: &Projection) -> Result<(), StoredError> {
        if projection.is_given() { self.write_shown(out, projection) } else { self.splice(out) }
    }

    /// Where the resource is, equal to the `Location` header.
    pub fn location(&self) -> String {
        let mut location =
            String::with_capacity(self.base.len() + self.ty.endpoint.len() + self.id.len() + 1);
        self.write_location(&mut location);
        location
    }

    fn splice(&self, out: &mut String) -> Result<(), StoredError> {
        let inner = StoredError::members_of(self.stored)?;
        let extensions = self.ty.extensions.iter().map(|schema| schema.id);
        self.write_head(out, extensions.filter(|urn| has_extension(self.stored, urn)));
        if !inner.is_empty() {
            out.push(',');
            out.push_str(inner);
        }
        if let Some(linked) = Linked::of(self.ty).filter(|_| !self.links.is_empty()) {
            let attribute = self.ty.schema.attribute(linked.attribute);
            self.write_links(out, &linked, |name| {
                let sub = attribute.and_then(|attribute| attribute.sub(name));
                sub.is_none_or(|sub| sub.returned != Returned::Request)
            });
        }
        self.write_meta(out, |_| true);
        out.push('}');
        Ok(())
    }

    fn write_shown(&self, out: &mut String, projection: &Projection) -> Result<(), StoredError> {
        let Resource { core, extensions } = projection.apply(&Resource::from_stored(self.ty, self.stored)?);
        self.write_head(out, extensions.iter().map(|(urn, _)| urn.as_str()));
        for (name, value) in core.iter() {
            out.push(',');
            write_member(out, name.as_str(), value);
        }
        for (urn, attributes) in extensions {
            out.push(',');
            write_member(out, &urn, &Value::Complex(attributes));
        }
        if let Some(linked) = Linked::of(self.ty).filter(|_| !self.links.is_empty())
            && let Some(attribute) = self.ty.schema.attribute(linked.attribute)
            && projection.shows(attribute)
        {
            let shows =
                |name: &str| attribute.sub(name).is_some_and(|sub| projection.shows_part(attribute, sub));
            self.write_links(out, &linked, shows);
        }
        if let Some(meta) = COMMON.iter().find(|attribute| attribute.name == "meta")
            && projection.shows(meta)
        {
            self.write_meta(out, |name| meta.sub(name).is_some_and(|sub| projection.shows_part(meta, sub)));
        }
        out.push('}');
        Ok(())
    }

    /// `{"schemas":[…],"id":"…"`: what every answer has.
    fn write_head<'u>(&self, out: &mut String, extensions: impl Iterator<Item = &'u str>) {
        out.push_str("{\"schemas\":[");
        write_string(out, self.ty.schema.id);
        for urn in extensions {
            out.push(',');
            write_string(out, urn);
        }
        out.push_str("],\"id\":");
        write_string(out, self.id);
    }

    fn write_links(&self, out: &mut String, linked: &Linked, shows: impl Fn(&str) -> bool) {
        let (value, reference, display, kind) =
            (shows("value"), shows("$ref"), shows("display"), shows("type"));
        if !(value || reference || display || kind) {
            return;
        }
        out.push_str(",\"");
        out.push_str(linked.attribute);
        out.push_str("\":[");
        for (at, link) in self.links.iter().enumerate() {
            out.push_str(if at == 0 { "{" } else { ",{" });
            let mut part = Part::first();
            if value {
                part.name(out, "value");
                write_string(out, link.id);
            }
            if reference {
                part.name(out, "$ref");
                out.push('"');
                out.push_str(self.base);
                out.push_str(linked.endpoint);
                out.push('/');
                out.push_str(link.id);
                out.push('"');
            }
            if display {
                part.name(out, "display");
                write_string(out, link.display);
            }
            if kind {
                part.name(out, "type");
                write_string(out, linked.kind);
            }
            out.push('}');
        }
        out.push(']');
    }

    fn write_meta(&self, out: &mut String, shows: impl Fn(&str) -> bool) {
        out.push_str(",\"meta\":{");
        let mut part = Part::first();
        let texts = [
            ("resourceType", self.ty.name),
            ("created", self.meta.created),
            ("lastModified", self.meta.last_modified),
        ];
        for (name, text) in texts {
            if shows(name) {
                part.name(out, name);
                write_string(out, text);
            }
        }
        if shows("location") {
            part.name(out, "location");
            out.push('"');
            self.write_location(out);
            out.push('"');
        }
        if shows("version") {
            part.name(out, "version");
            out.push_str("\"W/\\\"");
            out.push_str(self.meta.version);
            out.push_str("\\\"\"");
        }
        out.push('}');
    }

    fn write_location(&self, out: &mut String) {
        out.push_str(self.base);
        out.push_str(self.ty.endpoint);
        out.push('/');
        out.push_str(self.id);
    }
}

impl Linked {
    fn of(ty: &ResourceType) -> Option<Self> {
        match ty.name {
            "User" => Some(Self { attribute: "groups", endpoint: "/Groups", kind: "direct" }),
            "Group" => Some(Self { attribute: "members", endpoint: "/Users", kind: "User" }),
            _ => None,
        }
    }
}

/// Puts the comma between the members of an object.
struct Part {
    is_first: bool,
}

impl Part {
    const fn first() -> Self {
        Self { is_first: true }
    }

    fn name(&mut self, out: &mut String, name: &str) {
        out.push_str(if self.is_first { "\"" } else { ",\"" });
        out.push_str(name);
        out.push_str("\":");
        self.is_first = false;
    }
}

/// Whether the stored text has this extension, without reading it.
///
/// Inside a JSON string every quote has a backslash before it, so `":{` right behind the URN
/// ends the name of a member; and no schema has a name that ends like a URN.
fn has_extension(stored: &str, urn: &str) -> bool {
    // Extensions stand last, so most texts without one are told by their end.
    stored.ends_with("}}")
        && stored.match_indices(urn).any(|(at, found)| stored[at + found.len()..].starts_with("\":{"))
}

#[cfg(test)]
mod tests;
