//! Text with slots: `{{username}}`, `{{secret.current}}`, `{{secret.staged}}`, captures.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What may stand between `{{` and `}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    Username,
    Current,
    Staged,
    Admin,
    Code,
    Captured(String),
}

impl Slot {
    fn parse(word: &str) -> Result<Self, String> {
        match word {
            "username" => Ok(Self::Username),
            "secret.current" => Ok(Self::Current),
            "secret.staged" => Ok(Self::Staged),
            "admin.secret" => Ok(Self::Admin),
            "totp" => Ok(Self::Code),
            name if is_name(name) => Ok(Self::Captured(name.to_owned())),
            other => Err(format!(
                "{{{{{other}}}}} is no slot; there are username, secret.current, secret.staged, \
                 admin.secret, totp and the names of captures"
            )),
        }
    }

    /// Whether it is a secret, and so may stand only in a body's field or a header's value.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Current | Self::Staged | Self::Admin | Self::Code)
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Slot(Slot),
}

/// Text with slots, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

impl Template {
    /// Text without slots.
    pub(crate) fn fixed(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (word, behind) = after.split_once("}}").ok_or("a {{ has no }}")?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Slot(Slot::parse(word.trim())?));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|part| match part {
            Part::Slot(slot) => Some(slot),
            Part::Text(_) => None,
        })
    }

    /// The text with its slots filled; each value goes through `encode` first, the text around not.
    pub(crate) fn fill(
        &self,
        values: &Values<'_>,
        encode: impl Fn(&str) -> String,
    ) -> Result<Zeroizing<String>, Missing> {
        // Grown by hand, a string leaves copies of secrets behind in memory that nobody wipes.
        let mut pieces = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            pieces.push(Zeroizing::new(match part {
                Part::Text(text) => text.clone(),
                Part::Slot(slot) => encode(values.get(slot)?),
            }));
        }
        let mut out = Zeroizing::new(String::with_capacity(pieces.iter().map(|piece| piece.len()).sum()));
        for piece in &pieces {
            out.push_str(piece);
        }
        Ok(out)
    }

    pub(crate) fn fill_plain(&self, values: &Values<'_>) -> Result<Zeroizing<String>, Missing> {
        self.fill(values, str::to_owned)
    }
}

/// What the slots of one run hold.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    pub(crate) username: &'a str,
    pub(crate) current: Option<&'a SecretString>,
    pub(crate) staged: Option<&'a SecretString>,
    pub(crate) admin: Option<&'a SecretString>,
    pub(crate) code: Option<SecretString>,
    pub(crate) captured: BTreeMap<String, SecretString>,
}

/// A slot that nothing fills in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) Slot);

impl<'a> Values<'a> {
    pub(crate) fn of(username: &'a str) -> Self {
        Self { username, current: None, staged: None, admin: None, code: None, captured: BTreeMap::new() }
    }

    fn get(&self, slot: &Slot) -> Result<&str, Missing> {
        match slot {
            Slot::Username => Some(self.username),
            Slot::Current => self.current.map(ExposeSecret::expose_secret),
            Slot::Staged => self.staged.map(ExposeSecret::expose_secret),
            Slot::Admin => self.admin.map(ExposeSecret::expose_secret),
            Slot::Code => self.code.as_ref().map(ExposeSecret::expose_secret),
            Slot::Captured(name) => self.captured.get(name).map(ExposeSecret::expose_secret),
        }
        .ok_or_else(|| Missing(slot.clone()))
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Slot::Username => f.write_str("the login name is not known"),
            Slot::Current => f.write_str("the password that works now is not known"),
            Slot::Staged => f.write_str("there is no new password in this run"),
            Slot::Admin => f.write_str("the connector was given no admin secret"),
            Slot::Code => f.write_str("the account has no TOTP secret in Latchkey"),
            Slot::Captured(name) => write!(f, "nothing was captured as {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_and_only_their_values_encoded() {
        let current = SecretString::from("a&b {{username}}");
        let values = Values { current: Some(&current), ..Values::of("ada") };
        let template = Template::parse("u={{ username }}&p={{secret.current}}!").expect("a template");
        assert_eq!(template.fill_plain(&values).expect("filled").as_str(), "u=ada&p=a&b {{username}}!");
        let encoded = template.fill(&values, |value| value.replace('&', "%26")).expect("filled");
        assert_eq!(encoded.as_str(), "u=ada&p=a%26b {{username}}!");
    }

    #[test]
    fn what_is_no_slot_is_refused() {
        for text in ["{{", "{{secret.old}}", "{{}}", "{{a b}}", "{{1}}", "x {{username"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_slot_without_a_value_is_an_error_and_not_an_empty_text() {
        let template = Template::parse("{{secret.staged}}").expect("a template");
        assert_eq!(template.fill_plain(&Values::of("ada")), Err(Missing(Slot::Staged)));
    }
}
