//! A resource as the text that is stored: compact JSON, the extensions last.
//!
//! The text is made so that an answer can be spliced around it without reading it (see
//! the module `render`): one object, no space, core attributes first, then one object per
//! extension under its URN.

use std::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::Resource;
use crate::schema::ResourceType;
use crate::{Complex, Value};

/// A stored text that does not read: a defect, or a damaged database.
#[derive(Debug)]
pub struct StoredError {
    /// Where it stopped, from 1.
    column: usize,
}

impl StoredError {
    /// The members of a stored text, without its braces and without reading them.
    pub(crate) fn members_of(text: &str) -> Result<&str, Self> {
        text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or(Self { column: 1 })
    }
}

impl fmt::Display for StoredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The parser's own message may quote what is stored, so only the place is kept of it.
        write!(f, "the stored resource does not read at column {}", self.column)
    }
}

impl std::error::Error for StoredError {}

impl Resource {
    /// The canonical text. What is read back from it is equal: numbers, order and all.
    pub fn to_stored(&self) -> String {
        let mut out = String::with_capacity(512);
        out.push('{');
        write_members(&mut out, &self.core);
        for (urn, attributes) in &self.extensions {
            if out.len() > 1 {
                out.push(',');
            }
            write_string(&mut out, urn);
            out.push_str(":{");
            write_members(&mut out, attributes);
            out.push('}');
        }
        out.push('}');
        out
    }

    /// Reads what [`Resource::to_stored`] wrote.
    ///
    /// # Errors
    /// When the text is not of that form.
    pub fn from_stored(ty: &'static ResourceType, text: &str) -> Result<Self, StoredError> {
        let mut core =
            serde_json::from_str::<Complex>(text).map_err(|error| StoredError { column: error.column() })?;
        let mut extensions = Vec::new();
        for schema in ty.extensions {
            if let Some(Value::Complex(attributes)) = core.remove(schema.id) {
                extensions.push((schema.id.to_owned(), attributes));
            }
        }
        Ok(Self { core, extensions })
    }
}

/// The canonical text of one value.
pub(super) fn text_of(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_members(out: &mut String, complex: &Complex) {
    for (at, (name, value)) in complex.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_member(out, name.as_str(), value);
    }
}

/// `"name":value`.
pub(crate) fn write_member(out: &mut String, name: &str, value: &Value) {
    write_string(out, name);
    out.push(':');
    write_value(out, value);
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Integer(number) => {
            let _ = write!(out, "{number}");
        }
        // With a fraction or an exponent always, so that it is read back as a decimal.
        Value::Decimal(number) => {
            let _ = write!(out, "{number:?}");
        }
        Value::String(text) => write_string(out, text),
        Value::Complex(complex) => {
            out.push('{');
            write_members(out, complex);
            out.push('}');
        }
        Value::List(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(out, value);
            }
            out.push(']');
        }
    }
}

/// A JSON string (RFC 8259 §7).
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

impl<'de> Deserialize<'de> for Complex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Complex;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Complex, A::Error> {
                complex(map)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that is not null")
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Integer).map_err(|_| E::custom("a number out of range"))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Decimal(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        complex(map).map(Value::Complex)
    }
}

fn complex<'de, A: MapAccess<'de>>(mut map: A) -> Result<Complex, A::Error> {
    let mut complex = Complex::new();
    while let Some((name, value)) = map.next_entry::<std::borrow::Cow<'de, str>, Value>()? {
        if complex.get(&name).is_some() {
            return Err(A::Error::custom("an attribute twice"));
        }
        complex.set(&name, value);
    }
    Ok(complex)
}
