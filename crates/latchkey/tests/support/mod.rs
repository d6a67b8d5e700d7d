//! What the end-to-end tests share: SCIM's shapes, the management API's, a workspace's state as
//! one comparable value, and the playing of tables of cases.

#![allow(dead_code, unused_imports, reason = "each test file uses another part of this")]

pub(crate) mod api;
pub(crate) mod cases;
pub(crate) mod scim;
pub(crate) mod state;
pub(crate) mod tokens;

use serde_json::Value;

/// An id that no workspace has ever given: of the right shape, from long ago.
pub(crate) const NEVER: &str = "01890000-0000-7000-8000-00000000dead";

/// Encodes a value for a query string.
pub(crate) fn enc(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The text at a JSON pointer; what is not there, or is no text, is an empty one.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a JSON pointer; what is not there, or is no list, is an empty one.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
