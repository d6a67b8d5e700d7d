//! Latchkey's own files. What is written reads again as what it was.

use std::fmt::Write as _;

use secrecy::{ExposeSecret, SecretString};
use serde::ser::{SerializeMap, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::{ReadError, json_fault};
use crate::format::Format;
use crate::item::{Item, Place, Reading, filled, is_blank};
use crate::limits::Limits;

/// What stands under `format` at the top of our JSON.
pub(crate) const MARK: &str = "latchkey-export-1";

/// The columns of our CSV.
pub(crate) const COLUMNS: [&str; 9] =
    ["collection", "name", "urls", "username", "password", "totp", "ssh_key", "notes", "fields"];

/// The items as JSON.
pub fn to_json(items: &[Item]) -> Zeroizing<Vec<u8>> {
    let file = File { format: MARK, items: items.iter().map(Written).collect() };
    // Room for all, so that nothing is left behind by growing.
    let mut out = Zeroizing::new(Vec::with_capacity(room(items)));
    serde_json::to_writer_pretty(&mut *out, &file).expect("texts and lists of texts are JSON");
    out
}

/// The items as CSV.
pub fn to_csv(items: &[Item]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(String::with_capacity(room(items)));
    row(&mut out, &COLUMNS);
    for item in items {
        let of = |value: &Option<SecretString>| {
            Zeroizing::new(value.as_ref().map_or("", ExposeSecret::expose_secret).to_owned())
        };
        let (password, totp) = (of(&item.password), of(&item.totp));
        let (key, notes) = (of(&item.ssh_key), of(&item.notes));
        let fields = if item.extra.is_empty() {
            Zeroizing::default()
        } else {
            Zeroizing::new(serde_json::to_string(&Fields(item)).expect("texts are JSON"))
        };
        row(
            &mut out,
            &[
                &item.folder.join("/"),
                &item.name,
                &item.urls.join("\n"),
                item.username.as_deref().unwrap_or_default(),
                &password,
                &totp,
                &key,
                &notes,
                &fields,
            ],
        );
    }
    Zeroizing::new(std::mem::take(&mut *out).into_bytes())
}

/// Reads what [`to_json`] wrote.
pub(crate) fn read(bytes: &[u8], reading: &mut Reading, limits: &Limits) -> Result<(), ReadError> {
    #[derive(Deserialize)]
    struct Top<'a> {
        #[serde(borrow)]
        items: Vec<&'a RawValue>,
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let top: Top<'_> =
        serde_json::from_slice(bytes).map_err(|error| ReadError::json(Format::LatchkeyJson, &error))?;
    for (raw, number) in top.items.into_iter().zip(1..) {
        let mut item = Item::new(Place::item(number));
        match serde_json::from_str::<Login>(raw.get()) {
            Ok(login) => {
                item.name = login.name;
                item.folder = login.collection;
                login.urls.iter().for_each(|url| item.push_url(url));
                item.username = login.username.as_deref().and_then(filled);
                let some = |value: Option<SecretString>| value.filter(|value| !is_blank(value));
                item.password = login.password.filter(|value| !value.expose_secret().is_empty());
                item.totp = some(login.totp);
                item.ssh_key = some(login.ssh_key);
                item.notes = some(login.notes);
                for field in login.fields {
                    item.push_extra(field.name, field.value);
                }
                reading.take(item, limits);
            }
            Err(error) => {
                reading.skip(
                    item.place,
                    "the item",
                    json_fault(&error),
                    "write it as an export of Latchkey does",
                );
            }
        }
        limits.check_count(reading)?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    name: String,
    #[serde(default)]
    collection: Vec<String>,
    #[serde(default)]
    urls: Vec<String>,
    username: Option<String>,
    password: Option<SecretString>,
    totp: Option<SecretString>,
    ssh_key: Option<SecretString>,
    notes: Option<SecretString>,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    name: String,
    value: SecretString,
}

#[derive(Serialize)]
struct File<'a> {
    format: &'static str,
    items: Vec<Written<'a>>,
}

struct Written<'a>(&'a Item);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let item = self.0;
        let open = |value: &'_ Option<SecretString>| {
            value.as_ref().map(|v| v.expose_secret().to_owned()).map(Zeroizing::new)
        };
        let mut out = to.serialize_struct("item", 9)?;
        out.serialize_field("name", &item.name)?;
        out.serialize_field("collection", &item.folder)?;
        out.serialize_field("urls", &item.urls)?;
        out.serialize_field("username", &item.username)?;
        for (name, value) in [
            ("password", &item.password),
            ("totp", &item.totp),
            ("ssh_key", &item.ssh_key),
            ("notes", &item.notes),
        ] {
            out.serialize_field(name, &open(value).as_ref().map(|text| text.as_str()))?;
        }
        out.serialize_field("fields", &item.extra.iter().map(NameValue).collect::<Vec<_>>())?;
        out.end()
    }
}

struct NameValue<'a>(&'a crate::Extra);

impl Serialize for NameValue<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut out = to.serialize_struct("field", 2)?;
        out.serialize_field("name", &self.0.name)?;
        out.serialize_field("value", self.0.value.expose_secret())?;
        out.end()
    }
}

struct Fields<'a>(&'a Item);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut out = to.serialize_map(Some(self.0.extra.len()))?;
        for extra in &self.0.extra {
            out.serialize_entry(&extra.name, extra.value.expose_secret())?;
        }
        out.end()
    }
}

/// A line of CSV (RFC 4180). No field is changed to please a spreadsheet: a password may begin with `=`.
fn row(out: &mut String, fields: &[&str]) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let needs_quotes = field.contains([',', ';', '\t', '"', '\n', '\r']) || field.trim() != *field;
        if needs_quotes {
            write!(out, "\"{}\"", Zeroizing::new(field.replace('"', "\"\"")).as_str())
                .expect("a text takes what is written to it");
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

/// More than the items take, every byte escaped.
fn room(items: &[Item]) -> usize {
    let of = |value: &Option<SecretString>| value.as_ref().map_or(0, |value| value.expose_secret().len());
    let size = |item: &Item| {
        let texts = item.folder.iter().chain(&item.urls).chain(&item.username).map(|text| text.len() + 20);
        let secrets = [&item.password, &item.totp, &item.ssh_key, &item.notes].map(of);
        let extra = item.extra.iter().map(|extra| extra.name.len() + extra.value.expose_secret().len() + 60);
        item.name.len() + texts.chain(secrets).chain(extra).sum::<usize>()
    };
    items.iter().map(|item| 6 * size(item) + 400).sum::<usize>() + 400
}
