//! Attribute paths: `name.familyName`, `urn:…:User:department`, `emails[type eq "work"].value`
//! (RFC 7644 §3.10 and §3.5.2).

use std::fmt;
use std::str::FromStr;

use crate::filter::{Fault, Filter, parse_path};
use crate::{Error, Limits, Name};

/// The path of an attribute or a sub-attribute. Names compare without case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttrPath {
    /// The schema that the attribute belongs to, where the path says so.
    pub urn: Option<Name>,
    /// The attribute.
    pub name: Name,
    /// The sub-attribute.
    pub sub: Option<Name>,
}

/// What a PATCH operation acts on.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute; its own sub-attribute is named only where there is no filter.
    pub attribute: AttrPath,
    /// Which of its values.
    pub filter: Option<Filter>,
    /// The sub-attribute of those values.
    pub sub: Option<Name>,
}

impl AttrPath {
    /// An attribute of the base schema.
    pub fn plain(name: &str) -> Self {
        Self { urn: None, name: Name::new(name), sub: None }
    }

    /// Splits a path into its parts, or says what is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        // Neither a name nor a sub-attribute holds a colon, so the last one ends the URN; the
        // dot in its `2.0` is left of it.
        let (urn, local) = match text.rsplit_once(':') {
            Some((urn, local)) => (Some(urn), local),
            None => (None, text),
        };
        if urn.is_some_and(|urn| urn.is_empty() || !urn.contains(':')) {
            return Err("a schema's URN looks like urn:ietf:params:scim:schemas:core:2.0:User");
        }
        let (name, sub) = match local.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (local, None),
        };
        if sub.is_some_and(|sub| sub.contains('.')) {
            return Err("a path has one dot at most: attribute.subAttribute");
        }
        if !is_name(name) || sub.is_some_and(|sub| !is_name(sub)) {
            return Err("a name starts with a letter and holds letters, digits, \"-\" and \"_\"");
        }
        Ok(Self { urn: urn.map(Name::new), name: Name::new(name), sub: sub.map(Name::new) })
    }
}

/// RFC 7643 §2.1, and `$ref`.
pub(crate) fn is_name(text: &str) -> bool {
    let rest = text.strip_prefix('$').unwrap_or(text);
    rest.starts_with(|c: char| c.is_ascii_alphabetic())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl FromStr for AttrPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text.trim()).map_err(|why| {
            Error::invalid_path(format!("{:?} is not an attribute path: {why}", Excerpt(text)))
        })
    }
}

impl PatchPath {
    /// Reads the path of a PATCH operation.
    ///
    /// # Errors
    /// 400 `invalidPath`; 400 `invalidFilter` when the fault is within the brackets.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, Error> {
        parse_path(text, limits).map_err(Fault::into_path_error)
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        write!(f, "{}", self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.attribute)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// The head of a client's text, for an error that people read.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Debug for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        match self.0.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}
