//! Reading tables field by field, so that each mistake is named with its line and what is allowed.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One mistake in a job file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// As `users.mapping[3].apply`; empty where the file as a whole is wrong.
    pub field: String,
    /// What was found there and what is allowed.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// The text of the file and the mistakes found so far.
pub(super) struct File<'t> {
    pub(super) text: &'t str,
    pub(super) problems: RefCell<Vec<Problem>>,
    /// Whether secrets are kept elsewhere, and nothing of this machine may be named.
    pub(super) kept: bool,
}

/// The line in which something begins, from 1.
pub(super) fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1)
}

impl File<'_> {
    pub(super) fn say(&self, span: &Range<usize>, field: &str, message: impl Into<String>) {
        let line = line_of(self.text, span);
        self.problems.borrow_mut().push(Problem { line, field: field.to_owned(), message: message.into() });
    }
}

/// One table of the file, from which fields are taken.
pub(super) struct Fields<'f> {
    file: &'f File<'f>,
    table: &'f DeTable<'f>,
    span: Range<usize>,
    path: String,
    known: RefCell<Vec<&'static str>>,
}

impl<'f> Fields<'f> {
    pub(super) fn new(file: &'f File<'f>, table: &'f DeTable<'f>, span: Range<usize>, path: String) -> Self {
        Self { file, table, span, path, known: RefCell::default() }
    }

    /// Whether secrets are kept elsewhere, and nothing of this machine may be named.
    pub(super) const fn is_kept(&self) -> bool {
        self.file.kept
    }

    /// A file of this machine, which only a job that is performed from a file may name.
    pub(super) fn local(&self, key: &'static str) -> Option<String> {
        let found = self.text(key).map(str::to_owned);
        if found.is_some() && self.is_kept() {
            self.say(
                key,
                "a job of a workspace reads no files of the server; only jobs at the command line do",
            );
        }
        found
    }

    /// A field's whole path.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn say(&self, key: &str, message: impl Into<String>) {
        let span = self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span);
        self.file.say(&span, &self.path(key), message);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn get(&self, key: &'static str) -> Option<&'f Spanned<DeValue<'f>>> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    fn wrong(&self, key: &str, value: &DeValue<'_>, wanted: &str) {
        self.say(key, format!("found {}, but {wanted} is needed", describe(value)));
    }

    pub(super) fn text(&self, key: &'static str) -> Option<&'f str> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text),
            other => {
                self.wrong(key, other, "a text in quotes");
                None
            }
        }
    }

    /// A text that has to be there and not empty.
    pub(super) fn need_text(&self, key: &'static str, what: &str) -> Option<&'f str> {
        if !self.has(key) {
            self.known.borrow_mut().push(key);
            self.say(key, format!("it is missing: {what}"));
            return None;
        }
        let text = self.text(key)?;
        if text.trim().is_empty() {
            self.say(key, format!("it is empty: {what}"));
            return None;
        }
        Some(text)
    }

    pub(super) fn flag(&self, key: &'static str, absent: bool) -> bool {
        match self.get(key).map(Spanned::get_ref) {
            None => absent,
            Some(DeValue::Boolean(flag)) => *flag,
            Some(other) => {
                self.wrong(key, other, "true or false");
                absent
            }
        }
    }

    pub(super) fn number(&self, key: &'static str, allowed: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = self.get(key)?.get_ref();
        let number = match value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            other => {
                self.wrong(key, other, "a whole number");
                return None;
            }
        };
        let number = number.filter(|number| allowed.contains(number));
        if number.is_none() {
            let message = format!(
                "found {}, but {} to {} are allowed",
                describe(value),
                allowed.start(),
                allowed.end()
            );
            self.say(key, message);
        }
        number
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.say(key, format!("found {text:?}, but one of {} is needed", allowed.join(", ")));
        }
        found
    }

    pub(super) fn table(&self, key: &'static str) -> Option<Self> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(self.file, table, value.span(), self.path(key))),
            other => {
                self.wrong(key, other, &format!("a table, as [{}]", self.path(key)));
                None
            }
        }
    }

    /// The tables of a list, as `[[users.mapping]]` or `[{…}, {…}]`; a single one may stand alone.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let one = |value: &'f Spanned<DeValue<'f>>, path: String| match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(self.file, table, value.span(), path)),
            other => {
                self.file.say(
                    &value.span(),
                    &path,
                    format!("found {}, but a table is needed", describe(other)),
                );
                None
            }
        };
        match value.get_ref() {
            DeValue::Array(values) => {
                let numbered = values.iter().enumerate();
                numbered
                    .filter_map(|(at, value)| one(value, format!("{}[{}]", self.path(key), at + 1)))
                    .collect()
            }
            _ => one(value, self.path(key)).into_iter().collect(),
        }
    }

    pub(super) fn texts(&self, key: &'static str) -> Vec<&'f str> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::String(text) => vec![text],
            DeValue::Array(values) => {
                let mut texts = Vec::new();
                for (at, value) in values.iter().enumerate() {
                    match value.get_ref() {
                        DeValue::String(text) => texts.push(&**text),
                        other => {
                            let field = format!("{}[{}]", self.path(key), at + 1);
                            self.file.say(
                                &value.span(),
                                &field,
                                format!("found {}, but a text is needed", describe(other)),
                            );
                        }
                    }
                }
                texts
            }
            other => {
                self.wrong(key, other, "a text or a list of texts");
                Vec::new()
            }
        }
    }

    /// Names each field that nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let mut fields: Vec<&str> = known.clone();
            fields.sort_unstable();
            fields.dedup();
            let field = self.path(key.get_ref());
            self.file.say(
                &key.span(),
                &field,
                format!("there is no such field here; there are {}", fields.join(", ")),
            );
        }
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => {
            let short: String = text.chars().take(40).collect();
            format!("the text {short:?}")
        }
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Float(_) => "a fraction".to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
