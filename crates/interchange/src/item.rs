//! What is read: items, each with where it stood, and what could not be taken over.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::error::{Lost, RowError};
use crate::format::Format;
use crate::limits::Limits;

/// Where in its file an item stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line of a CSV file, or the count of the item in another, both from 1.
    pub number: u64,
    /// What the number counts.
    pub unit: &'static str,
    /// The item's name, where it is known.
    pub name: Option<String>,
}

impl Place {
    pub(crate) const fn line(number: u64) -> Self {
        Self { number, unit: "line", name: None }
    }

    /// The item of this count, from 1.
    pub const fn item(number: u64) -> Self {
        Self { number, unit: "item", name: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.unit, self.number)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

/// A login, note or key out of a file.
#[derive(Debug)]
pub struct Item {
    /// Where it stood.
    pub place: Place,
    /// What people call it.
    pub name: String,
    /// Where to sign in, the first first.
    pub urls: Vec<String>,
    /// The login name.
    pub username: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// The TOTP seed, as an `otpauth:` URI or in base32, as it was found.
    pub totp: Option<SecretString>,
    /// Free text.
    pub notes: Option<SecretString>,
    /// A private SSH key in its text form.
    pub ssh_key: Option<SecretString>,
    /// Everything else that had a value.
    pub extra: Vec<Extra>,
    /// The folders that it lay in, from the top.
    pub folder: Vec<String>,
}

/// A field that Latchkey has no place of its own for.
#[derive(Debug)]
pub struct Extra {
    /// What it is called.
    pub name: String,
    /// What it holds; all are treated as secrets.
    pub value: SecretString,
}

impl Item {
    /// An item with nothing in it yet.
    pub const fn new(place: Place) -> Self {
        Self {
            place,
            name: String::new(),
            urls: Vec::new(),
            username: None,
            password: None,
            totp: None,
            notes: None,
            ssh_key: None,
            extra: Vec::new(),
            folder: Vec::new(),
        }
    }

    pub(crate) fn push_extra(&mut self, name: impl Into<String>, value: SecretString) {
        if !is_blank(&value) {
            self.extra.push(Extra { name: name.into(), value });
        }
    }

    pub(crate) fn push_url(&mut self, url: &str) {
        let url = url.trim();
        if !url.is_empty() && !self.urls.iter().any(|known| known == url) {
            self.urls.push(url.to_owned());
        }
    }

    const fn holds_anything(&self) -> bool {
        self.username.is_some()
            || self.password.is_some()
            || self.totp.is_some()
            || self.notes.is_some()
            || self.ssh_key.is_some()
            || !self.urls.is_empty()
            || !self.extra.is_empty()
    }
}

/// What a file gave.
#[derive(Debug)]
pub struct Reading {
    /// The format that it was read in.
    pub format: Format,
    /// The items, in the file's order.
    pub items: Vec<Item>,
    /// What could not be taken over, in the file's order.
    pub errors: Vec<RowError>,
}

impl Reading {
    pub(crate) const fn new(format: Format) -> Self {
        Self { format, items: Vec::new(), errors: Vec::new() }
    }

    /// An item is left out.
    pub(crate) fn skip(
        &mut self,
        place: Place,
        field: impl Into<String>,
        found: impl Into<String>,
        advice: &'static str,
    ) {
        let (field, found) = (field.into(), found.into());
        self.errors.push(RowError { place, field, found, advice, lost: Lost::Item });
    }

    /// A field is left out.
    pub(crate) fn drop_field(
        &mut self,
        place: Place,
        field: impl Into<String>,
        found: impl Into<String>,
        advice: &'static str,
    ) {
        let (field, found) = (field.into(), found.into());
        self.errors.push(RowError { place, field, found, advice, lost: Lost::Field });
    }

    /// Takes an item in, if its fields are within bounds and it has any.
    pub(crate) fn take(&mut self, mut item: Item, limits: &Limits) {
        item.name = item.name.trim().to_owned();
        if item.name.is_empty() {
            item.name = crate::host(item.urls.first().map_or("", String::as_str))
                .or_else(|| item.username.clone())
                .unwrap_or_default();
        }
        item.place.name = Some(shortened(&item.name)).filter(|name| !name.is_empty());
        if item.name.is_empty() {
            return self.skip(item.place, "name", "no name, URL or login name", "give it a name");
        }
        if !item.holds_anything() {
            return self.skip(
                item.place,
                "password",
                "neither a login nor a note",
                "nothing to do if it was empty",
            );
        }
        let texts = [("name", Some(item.name.len())), ("username", item.username.as_ref().map(String::len))];
        let secrets = [("password", &item.password), ("totp", &item.totp)];
        let small = texts.into_iter().chain(secrets.map(|(field, value)| (field, bytes(value.as_ref()))));
        let large = [("notes", bytes(item.notes.as_ref())), ("ssh key", bytes(item.ssh_key.as_ref()))];
        let over = small.map(|(field, size)| (field, size, limits.field_bytes));
        let mut over = over.chain(large.map(|(field, size)| (field, size, limits.note_bytes)));
        if let Some((field, Some(size), limit)) =
            over.find(|(_, size, limit)| size.is_some_and(|n| n > *limit))
        {
            let found = format!("{size} bytes, more than {limit}");
            return self.skip(item.place, field, found, "shorten it, and import the item again");
        }
        self.bound_parts(&mut item, limits);
        bound_folders(&mut item.folder, limits.folders);
        self.items.push(item);
    }

    fn bound_parts(&mut self, item: &mut Item, limits: &Limits) {
        let before = (item.urls.len(), item.extra.len());
        item.urls.retain(|url| url.len() <= limits.field_bytes);
        item.urls.truncate(limits.parts);
        item.extra.retain(|extra| {
            extra.value.expose_secret().len() <= limits.note_bytes && extra.name.len() <= limits.field_bytes
        });
        item.extra.truncate(limits.parts);
        for (field, before, after) in
            [("urls", before.0, item.urls.len()), ("fields", before.1, item.extra.len())]
        {
            if after < before {
                let found = format!("{} of {before} too long or too many", before - after);
                self.drop_field(item.place.clone(), field, found, "shorten them, or add them by hand");
            }
        }
    }
}

/// The text, unless there is nothing to be seen in it.
pub(crate) fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The secret as it is, unless it is empty: a password may begin or end with a space.
pub(crate) fn secret(text: &str) -> Option<SecretString> {
    (!text.is_empty()).then(|| SecretString::from(text))
}

pub(crate) fn is_blank(value: &SecretString) -> bool {
    value.expose_secret().trim().is_empty()
}

fn bytes(value: Option<&SecretString>) -> Option<usize> {
    value.map(|value| value.expose_secret().len())
}

/// A name for a message; people paste anything into names.
fn shortened(name: &str) -> String {
    const MOST: usize = 60;
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = name.chars().take(MOST).map(clean).collect();
    if name.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}

fn bound_folders(folder: &mut Vec<String>, levels: usize) {
    folder.iter_mut().for_each(|name| *name = name.trim().chars().take(200).collect());
    folder.retain(|name| !name.is_empty());
    if folder.len() > levels {
        let rest = folder.split_off(levels - 1).join(" / ");
        folder.push(rest.chars().take(200).collect());
    }
}
