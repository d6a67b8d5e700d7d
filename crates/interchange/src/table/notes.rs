//! Fields that stand in the text of another.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::item::{Item, filled, secret};

/// Bitwarden's `fields`: a line for each, `name: value`; a line without a name goes on the one before.
pub(super) fn lines(item: &mut Item, text: &str) {
    for (name, value) in pairs(text, ": ") {
        item.push_extra(name, SecretString::from(value.as_str()));
    }
}

/// Our own `fields`: a JSON object of texts.
pub(super) fn object(item: &mut Item, text: &str) -> bool {
    let read: Result<Vec<(String, SecretString)>, _> = serde_json::from_str(text).map(|Pairs(pairs)| pairs);
    read.map(|pairs| pairs.into_iter().for_each(|(name, value)| item.push_extra(name, value))).is_ok()
}

/// LastPass writes a note as a login at `http://sn`, and one with fields as lines in its text.
pub(super) fn last_pass(item: &mut Item) {
    item.urls.retain(|url| url != "http://sn" && url != "http://");
    let Some(text) = item.notes.take_if(|text| text.expose_secret().starts_with("NoteType:")) else { return };
    for (name, value) in pairs(text.expose_secret(), ":") {
        match name.as_str() {
            "NoteType" | "Language" => {}
            "Notes" => item.notes = secret(&value),
            "Private Key" if value.contains("PRIVATE KEY-----") => item.ssh_key = secret(&value),
            "Username" if item.username.is_none() => item.username = filled(&value),
            "Password" if item.password.is_none() => item.password = secret(&value),
            _ => item.push_extra(name, SecretString::from(value.as_str())),
        }
    }
}

fn pairs(text: &str, between: &str) -> Vec<(String, Zeroizing<String>)> {
    // A name is short; a line of a key or of prose that has a colon in it goes on the one before.
    const NAME: usize = 40;
    let mut pairs: Vec<(String, Zeroizing<String>)> = Vec::new();
    let mut key = false;
    for line in text.lines() {
        let parted =
            line.split_once(between).or_else(|| line.strip_suffix(between.trim_end()).map(|n| (n, "")));
        let named =
            parted.filter(|(name, _)| !key && !name.is_empty() && name.len() <= NAME && !is_prose(&pairs));
        match (named, pairs.last_mut()) {
            (Some((name, value)), _) => {
                pairs.push((name.trim().to_owned(), Zeroizing::new(value.to_owned())))
            }
            (None, Some((_, last))) => {
                last.push('\n');
                last.push_str(line);
            }
            (None, None) if line.is_empty() => {}
            (None, None) => pairs.push(("field".to_owned(), Zeroizing::new(line.to_owned()))),
        }
        key = (key || line.contains("-----BEGIN")) && !line.contains("-----END");
    }
    pairs
}

/// After `Notes` comes free text, to the end.
fn is_prose(pairs: &[(String, Zeroizing<String>)]) -> bool {
    pairs.last().is_some_and(|(name, _)| name == "Notes")
}

/// An object with its order kept.
struct Pairs(Vec<(String, SecretString)>);

impl<'de> serde::Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Visit)
    }
}
