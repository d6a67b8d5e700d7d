//! What expressions work on.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

/// A value, borrowed from the person where it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Absent.
    Null,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// Shown as `True` or `False`.
    Bool(bool),
    /// An attribute with several values.
    List(Vec<Self>),
    /// A complex value, as a role with its display name.
    Object(Cow<'a, Map<String, Json>>),
}

impl<'a> Value<'a> {
    /// A text that is borrowed.
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A text that is owned.
    pub const fn owned(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }

    /// Whether it is absent, or a list of nothing.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(values) => values.is_empty(),
            _ => false,
        }
    }

    /// Whether it is absent or an empty text.
    pub fn is_empty(&self) -> bool {
        self.is_null() || matches!(self, Self::Text(text) if text.is_empty())
    }

    /// As text: numbers in digits, booleans as `True` and `False`, of several values the first.
    /// Nothing for what is absent; an object as its JSON.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Bool(true) => Some(Cow::Borrowed("True")),
            Self::Bool(false) => Some(Cow::Borrowed("False")),
            Self::List(values) => values.into_iter().next()?.into_text(),
            Self::Object(object) => Some(Cow::Owned(Json::Object(object.into_owned()).to_string())),
        }
    }

    /// Each of several values; one is a list of one, absent is none.
    pub fn into_list(self) -> Vec<Self> {
        match self {
            Self::Null => Vec::new(),
            Self::List(values) => values,
            one => vec![one],
        }
    }

    /// The JSON that it stands for.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Text(text) => Json::String(text.clone().into_owned()),
            Self::Int(number) => Json::from(*number),
            Self::Bool(flag) => Json::Bool(*flag),
            Self::List(values) => Json::Array(values.iter().map(Self::to_json).collect()),
            Self::Object(object) => Json::Object(object.clone().into_owned()),
        }
    }

    /// What a JSON value is to an expression; numbers that are no whole ones become text.
    pub fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => {
                number.as_i64().map_or_else(|| Value::owned(number.to_string()), Self::Int)
            }
            Json::String(text) => Self::text(text),
            Json::Array(values) => Self::List(values.iter().map(Self::from_json).collect()),
            Json::Object(object) => Self::Object(Cow::Borrowed(object)),
        }
    }

    /// The same, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Int(number) => Value::Int(number),
            Self::Bool(flag) => Value::Bool(flag),
            Self::List(values) => Value::List(values.into_iter().map(Value::into_owned).collect()),
            Self::Object(object) => Value::Object(Cow::Owned(object.into_owned())),
        }
    }

    /// The same, borrowed from this one.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Int(number) => Value::Int(*number),
            Self::Bool(flag) => Value::Bool(*flag),
            Self::List(values) => Value::List(values.iter().map(Value::borrowed).collect()),
            Self::Object(object) => Value::Object(Cow::Borrowed(object)),
        }
    }
}
