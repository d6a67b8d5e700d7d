//! From JSON to the value of one attribute, as its schema wants it.

use std::collections::HashSet;
use std::fmt;

use super::format::{instant, is_base64, is_reference};
use super::{Note, stored};
use crate::json::{Json, Object};
use crate::limits::Limits;
use crate::schema::{Attribute, Mutability, Type};
use crate::{Complex, Error, Value};

/// Where an attribute stands, for a sentence: `name.familyName`, `urn:…:User:manager.value`.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The extension's URN.
    pub urn: Option<&'a str>,
    /// The attribute.
    pub attribute: &'a str,
    /// The sub-attribute.
    pub sub: Option<&'a str>,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(self.attribute)?;
        self.sub.map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// Takes values from a client, within bounds, and notes what it understood otherwise.
#[derive(Debug)]
pub struct Acceptor<'a> {
    limits: &'a Limits,
    notes: Vec<Note>,
}

impl<'a> Acceptor<'a> {
    /// With no notes yet.
    pub const fn new(limits: &'a Limits) -> Self {
        Self { limits, notes: Vec::new() }
    }

    /// Adds a note.
    pub fn note(&mut self, sentence: impl Into<String>) {
        self.notes.push(Note::new(sentence));
    }

    /// What was noted.
    pub fn into_notes(self) -> Vec<Note> {
        self.notes
    }

    /// The whole value of an attribute; `None` when it is unassigned.
    ///
    /// # Errors
    /// 400 `invalidValue` that names the attribute and what it takes.
    pub fn value(&mut self, at: At<'_>, attribute: &Attribute, json: &Json) -> Result<Option<Value>, Error> {
        match json {
            // Absent, null and the empty list are one state (RFC 7643 §2.5).
            Json::Null => Ok(None),
            Json::Array(values) if values.is_empty() => Ok(None),
            Json::Array(values) if attribute.multi_valued => self.list(at, attribute, values),
            one if attribute.multi_valued => {
                let list = self.list(at, attribute, std::slice::from_ref(one))?;
                if list.is_some() {
                    self.note(format!(
                        "{at}: one value was sent where a list belongs; taken as a list of one"
                    ));
                }
                Ok(list)
            }
            one => self.one(at, attribute, one),
        }
    }

    /// One value: of a single-valued attribute, or one in the list of a multi-valued one.
    ///
    /// # Errors
    /// 400 `invalidValue` that names the attribute and what it takes.
    pub fn one(&mut self, at: At<'_>, attribute: &Attribute, json: &Json) -> Result<Option<Value>, Error> {
        if json.is_null() {
            return Ok(None);
        }
        match (attribute.kind, json) {
            // No text is a value of these, so the empty one means that there is none (quirks 21, 71).
            (Type::Complex | Type::Reference | Type::DateTime | Type::Binary, Json::String(text))
                if text.is_empty() =>
            {
                Ok(None)
            }
            // Nor is there a manager without an id.
            (Type::String, Json::String(text))
                if text.is_empty() && at.sub == Some("value") && at.attribute == "manager" =>
            {
                Ok(None)
            }
            (Type::Complex, Json::Object(members)) => self.complex(at, attribute, members),
            // Entra sends a manager, and some send members, as the bare id (quirks 19, 20, 29).
            (Type::Complex, Json::String(_)) if attribute.sub("value").is_some() => {
                self.bare_value(at, attribute, json)
            }
            (Type::Boolean, Json::Bool(b)) => Ok(Some(Value::Bool(*b))),
            // Entra sends "True" and "False" (quirk 3). Only for boolean attributes, so a display
            // name of "True" stays text.
            (Type::Boolean, Json::String(text)) => match boolean_word(text) {
                Some(b) => {
                    self.note(format!("{at}: a string was sent where a boolean belongs; taken as {b}"));
                    Ok(Some(Value::Bool(b)))
                }
                // The word is told: it is no secret, and shows the admin which mapping made it.
                None if text.chars().count() <= 40 => Err(wrong(at, "a boolean", &format!("{text:?}"))),
                None => Err(wrong(at, "a boolean", "another string")),
            },
            (Type::Integer, Json::Number(number)) => match number.as_i64() {
                Some(whole) => Ok(Some(Value::Integer(whole))),
                None => Err(wrong(at, "a whole number of at most 64 bits", "another number")),
            },
            (Type::Decimal, Json::Number(number)) => Ok(number.as_f64().map(Value::Decimal)),
            (kind, Json::String(text)) => self.text(at, kind, text),
            (kind, other) => Err(wrong(at, expectation(kind), other.kind())),
        }
    }

    fn list(&mut self, at: At<'_>, attribute: &Attribute, values: &[Json]) -> Result<Option<Value>, Error> {
        if values.len() > self.limits.list_values {
            let most = self.limits.list_values;
            return Err(Error::invalid_value(format!(
                "{at} has {} values; at most {most} are taken",
                values.len()
            )));
        }
        let mut kept = Vec::with_capacity(values.len());
        // By canonical text: comparing each with each would cost quadratic time.
        let mut seen = HashSet::new();
        let mut repeated = 0_usize;
        let mut primaries = 0_usize;
        for json in values {
            let Some(value) = self.one(at, attribute, json)? else { continue };
            if values.len() > 1 && !seen.insert(stored::text_of(&value)) {
                repeated += 1;
                continue;
            }
            primaries += usize::from(is_primary(&value));
            kept.push(value);
        }
        if repeated > 0 {
            self.note(format!("{at}: {repeated} repeated values were left out"));
        }
        if primaries > 1 {
            return Err(Error::invalid_value(format!(
                "{at} has {primaries} values with primary true; send at most one"
            )));
        }
        Ok((!kept.is_empty()).then_some(Value::List(kept)))
    }

    fn complex(
        &mut self,
        at: At<'_>,
        attribute: &Attribute,
        members: &Object,
    ) -> Result<Option<Value>, Error> {
        let mut complex = Complex::new();
        for (name, json) in members.iter() {
            let Some(sub) = attribute.sub(name) else {
                if !json.is_null() {
                    let at = At { sub: Some(name), ..at };
                    self.note(format!("{at}: no schema has this attribute; it was not kept"));
                }
                continue;
            };
            if sub.mutability == Mutability::ReadOnly {
                continue;
            }
            if let Some(value) = self.value(At { sub: Some(sub.name), ..at }, sub, json)? {
                complex.set(sub.name, value);
            }
        }
        Ok((!complex.is_empty()).then_some(Value::Complex(complex)))
    }

    fn bare_value(&mut self, at: At<'_>, attribute: &Attribute, json: &Json) -> Result<Option<Value>, Error> {
        let Some(sub) = attribute.sub("value") else { return Ok(None) };
        let Some(value) = self.value(At { sub: Some(sub.name), ..at }, sub, json)? else { return Ok(None) };
        self.note(format!("{at}: a string was sent where an object belongs; taken as its value"));
        let mut complex = Complex::new();
        complex.set(sub.name, value);
        Ok(Some(Value::Complex(complex)))
    }

    fn text(&mut self, at: At<'_>, kind: Type, text: &str) -> Result<Option<Value>, Error> {
        let most = self.limits.string_length;
        if text.len() > most {
            return Err(Error::invalid_value(format!("{at} is longer than {most} bytes")));
        }
        // PostgreSQL can't hold it in a text, and no name or address has it.
        if text.contains('\0') {
            return Err(Error::invalid_value(format!("{at} holds a NUL character; leave it out")));
        }
        let fits = match kind {
            Type::String => true,
            Type::DateTime => instant(text).is_some(),
            Type::Binary => is_base64(text),
            Type::Reference => is_reference(text),
            Type::Boolean | Type::Decimal | Type::Integer | Type::Complex => {
                return Err(wrong(at, expectation(kind), "a string"));
            }
        };
        if fits {
            Ok(Some(Value::String(text.to_owned())))
        } else {
            Err(wrong(at, expectation(kind), "another string"))
        }
    }
}

/// `true` and `false` as words, in any case.
pub(super) fn boolean_word(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn is_primary(value: &Value) -> bool {
    let primary = value.as_complex().and_then(|complex| complex.get("primary"));
    primary.and_then(Value::as_bool) == Some(true)
}

const fn expectation(kind: Type) -> &'static str {
    match kind {
        Type::String => "a string",
        Type::Boolean => "a boolean",
        Type::Decimal => "a number",
        Type::Integer => "a whole number",
        Type::DateTime => "a date and time as 2026-01-31T12:00:00Z",
        Type::Binary => "base64",
        Type::Reference => "a URI",
        Type::Complex => "an object",
    }
}

fn wrong(at: At<'_>, expected: &str, got: &str) -> Error {
    Error::invalid_value(format!("{at}: expected {expected}, got {got}"))
}
