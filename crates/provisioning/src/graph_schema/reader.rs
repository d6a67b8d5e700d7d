//! Reading JSON field by field, so that each wrong one is named with its place and what is allowed.

use std::cell::RefCell;

use serde_json::{Map, Value as Json};

use super::Note;

/// What has been found so far.
#[derive(Default)]
pub(super) struct Found {
    /// Wrong fields: the schema is refused.
    pub(super) faults: RefCell<Vec<Note>>,
    /// What cannot be kept as it is.
    pub(super) warnings: RefCell<Vec<Note>>,
}

impl Found {
    /// Notes a fault, once: some fields are looked at twice.
    fn say(&self, fault: Note) {
        let mut faults = self.faults.borrow_mut();
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
}

/// An object of the schema, and where it stands.
#[derive(Clone)]
pub(super) struct At<'j> {
    pub(super) object: &'j Map<String, Json>,
    pub(super) place: String,
    found: &'j Found,
}

impl<'j> At<'j> {
    /// The whole schema.
    pub(super) fn root(json: &'j Json, found: &'j Found) -> Option<Self> {
        one(json, String::new(), found)
    }

    pub(super) fn of(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    pub(super) fn fault(&self, key: &str, message: impl Into<String>) {
        self.found.say(Note { place: self.of(key), message: message.into() });
    }

    pub(super) fn warn(&self, key: &str, message: impl Into<String>) {
        self.found.warnings.borrow_mut().push(Note { place: self.of(key), message: message.into() });
    }

    /// A value; null is as good as absent.
    fn get(&self, key: &str) -> Option<&'j Json> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, value: &Json, wanted: &str) {
        self.fault(key, format!("found {}, but {wanted} is needed", describe(value)));
    }

    pub(super) fn text(&self, key: &str) -> Option<&'j str> {
        let value = self.get(key)?;
        if !value.is_string() {
            self.wrong(key, value, "a text");
        }
        value.as_str()
    }

    /// A text that has to be there and not empty.
    pub(super) fn need(&self, key: &str, what: &str) -> Option<&'j str> {
        match self.get(key) {
            None | Some(Json::String(_)) => {
                let text = self.text(key).filter(|text| !text.trim().is_empty());
                if text.is_none() {
                    self.fault(key, format!("it is missing or empty: {what}"));
                }
                text
            }
            Some(_) => self.text(key),
        }
    }

    pub(super) fn flag(&self, key: &str, absent: bool) -> bool {
        let Some(value) = self.get(key) else { return absent };
        if !value.is_boolean() {
            self.wrong(key, value, "true or false");
        }
        value.as_bool().unwrap_or(absent)
    }

    pub(super) fn number(&self, key: &str, allowed: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = self.get(key)?;
        let number = value.as_u64().filter(|number| allowed.contains(number));
        if number.is_none() {
            self.wrong(key, value, &format!("a whole number from {} to {}", allowed.start(), allowed.end()));
        }
        number
    }

    /// One of several words, without regard to case.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let known = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        if known.is_none() {
            let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(key, format!("found {text:?}, but one of {} is needed", allowed.join(", ")));
        }
        known.map(|(_, value)| *value)
    }

    pub(super) fn object(&self, key: &str) -> Option<Self> {
        one(self.get(key)?, self.of(key), self.found)
    }

    pub(super) fn objects(&self, key: &str) -> Vec<Self> {
        let values = self.values(key).iter().enumerate();
        values.filter_map(|(at, value)| one(value, format!("{}[{at}]", self.of(key)), self.found)).collect()
    }

    pub(super) fn values(&self, key: &str) -> &'j [Json] {
        let Some(value) = self.get(key) else { return &[] };
        if !value.is_array() {
            self.wrong(key, value, "a list");
        }
        value.as_array().map_or(&[], Vec::as_slice)
    }
}

fn one<'j>(value: &'j Json, place: String, found: &'j Found) -> Option<At<'j>> {
    if let Json::Object(object) = value {
        return Some(At { object, place, found });
    }
    let message = format!("found {}, but an object is needed", describe(value));
    found.say(Note { place, message });
    None
}

pub(super) fn describe(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}
