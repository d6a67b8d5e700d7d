//! Items as text, so that a test can say what it expects in one line.

use latchkey_interchange::{Item, Reading, RowError, Unlock};
use secrecy::{ExposeSecret, SecretString};

/// All that an item holds, the fields that have nothing left out.
pub(crate) fn shown(item: &Item) -> String {
    let mut parts = vec![item.name.clone()];
    let mut push = |name: &str, value: &str| parts.push(format!("{name}={value}"));
    if !item.folder.is_empty() {
        push("in", &item.folder.join(">"));
    }
    item.urls.iter().for_each(|url| push("url", url));
    item.username.iter().for_each(|name| push("user", name));
    for (name, value) in
        [("password", &item.password), ("totp", &item.totp), ("key", &item.ssh_key), ("notes", &item.notes)]
    {
        value.iter().for_each(|value| push(name, value.expose_secret()));
    }
    item.extra.iter().for_each(|extra| push(&extra.name, extra.value.expose_secret()));
    parts.join(" | ")
}

/// Each error as one line.
pub(crate) fn faults(reading: &Reading) -> Vec<String> {
    let line = |error: &RowError| {
        format!("{} {}: {}: {}", error.lost.as_str(), error.place, error.field, error.found)
    };
    reading.errors.iter().map(line).collect()
}

/// All items as lines.
pub(crate) fn items(reading: &Reading) -> Vec<String> {
    reading.items.iter().map(shown).collect()
}

/// A password to open a file with.
pub(crate) fn password(text: &str) -> Unlock {
    Unlock { password: Some(SecretString::from(text)), key_file: None }
}
