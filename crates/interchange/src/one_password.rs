//! 1Password's 1PUX: a zip whose `export.data` is JSON, accounts of vaults of items.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::{ReadError, json_fault};
use crate::format::Format;
use crate::item::{Item, Place, Reading, filled, is_blank};
use crate::limits::Limits;

const FORMAT: Format = Format::OnePasswordPux;

pub(crate) fn read(bytes: &[u8], reading: &mut Reading, limits: &Limits) -> Result<(), ReadError> {
    let data = unpack(bytes, limits)?;
    let export: Export<'_> =
        serde_json::from_slice(&data).map_err(|error| ReadError::json(FORMAT, &error))?;
    let several = export.accounts.len() > 1;
    let mut number = 0;
    for account in &export.accounts {
        for vault in &account.vaults {
            let mut folder = Vec::new();
            if several {
                folder.extend(account.attrs.named());
            }
            folder.extend(vault.attrs.named());
            for raw in &vault.items {
                number += 1;
                take(Place::item(number), raw, folder.clone(), reading, limits);
                limits.check_count(reading)?;
            }
        }
    }
    Ok(())
}

fn unpack(bytes: &[u8], limits: &Limits) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let unreadable = |_| ReadError::malformed(FORMAT, "it is no whole zip archive");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    let entry = zip.by_name("export.data").map_err(|error| {
        let why = match error {
            zip::result::ZipError::FileNotFound => "there is no `export.data` in the archive",
            _ => "the `export.data` in the archive cannot be unpacked",
        };
        ReadError::malformed(FORMAT, why)
    })?;
    // The size that the archive states may be a lie; what is read is what counts.
    let limit = limits.unpacked_bytes;
    let room = usize::try_from(entry.size()).unwrap_or(limit).min(limit);
    let mut data = Zeroizing::new(Vec::with_capacity(room));
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    entry
        .take(bound)
        .read_to_end(&mut data)
        .map_err(|_| ReadError::malformed(FORMAT, "the `export.data` in the archive is damaged"))?;
    if data.len() > limit {
        return Err(ReadError::TooLarge { what: "the archive's `export.data`", limit });
    }
    Ok(data)
}

fn take(place: Place, raw: &RawValue, folder: Vec<String>, reading: &mut Reading, limits: &Limits) {
    // Early exports wrap each item once more.
    let wrapped: Option<Wrapped<'_>> = serde_json::from_str(raw.get()).ok();
    let entry = match serde_json::from_str::<Body>(wrapped.map_or(raw, |outer| outer.item).get()) {
        Ok(entry) => entry,
        Err(error) => {
            let advice = "export it again with the newest 1Password, or add it by hand";
            return reading.skip(place, "the item", json_fault(&error), advice);
        }
    };
    let mut item = Item::new(place);
    item.folder = folder;
    item.name = entry.overview.title;
    item.push_url(&entry.overview.url);
    entry.overview.urls.iter().for_each(|url| item.push_url(&url.url));
    item.place.name = filled(&item.name);
    if entry.state.as_deref() == Some("archived") {
        let advice = "unarchive it in 1Password and export again if you want it";
        return reading.skip(item.place, "state", "archived", advice);
    }
    let details = entry.details;
    item.password = details.password.filter(|value| !value.expose_secret().is_empty());
    for field in details.login_fields {
        let blank = is_blank(&field.value);
        match field.designation.as_deref() {
            Some("username") if !blank => item.username = filled(field.value.expose_secret()),
            Some("password") if !blank => item.password = Some(field.value),
            // What a login form has besides, as whether to stay signed in.
            _ if matches!(field.kind.as_deref(), Some("C" | "I" | "B")) => {}
            _ => item.push_extra(field.name, field.value),
        }
    }
    item.notes = details.notes_plain.filter(|text| !is_blank(text));
    let mut dropped = Vec::new();
    for section in details.sections {
        for field in section.fields {
            if let Err(what) = place_field(&mut item, field) {
                dropped.push(what);
            }
        }
    }
    if details.document_attributes.is_some() {
        dropped.push(("document".to_owned(), "an attached file"));
    }
    if !entry.overview.tags.is_empty() {
        item.push_extra("tags", SecretString::from(entry.overview.tags.join(", ")));
    }
    for (field, found) in dropped {
        let advice = "attach the file to the account by hand";
        reading.drop_field(item.place.clone(), field, found, advice);
    }
    reading.take(item, limits);
}

/// Puts a field where it belongs; files are named, for they are not taken over.
fn place_field(item: &mut Item, field: Field) -> Result<(), (String, &'static str)> {
    let name = if field.title.is_empty() { field.id } else { field.title };
    match field.value {
        Value::Totp(seed) if item.totp.is_none() && !is_blank(&seed) => item.totp = Some(seed),
        Value::SshKey(key) => {
            if item.ssh_key.is_none() {
                item.ssh_key = Some(key.private_key);
            } else {
                item.push_extra(name, key.private_key);
            }
        }
        Value::Concealed(text) | Value::String(text) | Value::Totp(text) => {
            let folded = name.to_lowercase();
            if folded == "username" && item.username.is_none() {
                item.username = filled(text.expose_secret());
            } else if folded == "password" && item.password.is_none() && !is_blank(&text) {
                item.password = Some(text);
            } else {
                item.push_extra(name, text);
            }
        }
        Value::Url(text) => item.push_url(text.expose_secret()),
        Value::File(_) => return Err((name, "an attached file")),
        Value::Other(value) => item.push_extra(name, value),
    }
    Ok(())
}

#[derive(Deserialize)]
struct Export<'a> {
    #[serde(borrow)]
    accounts: Vec<Account<'a>>,
}

#[derive(Deserialize)]
struct Account<'a> {
    #[serde(default, borrow)]
    attrs: Attrs<'a>,
    #[serde(borrow)]
    vaults: Vec<Vault<'a>>,
}

#[derive(Deserialize)]
struct Vault<'a> {
    #[serde(default, borrow)]
    attrs: Attrs<'a>,
    #[serde(default, borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Attrs<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "accountName")]
    account_name: Option<Cow<'a, str>>,
}

impl Attrs<'_> {
    fn named(&self) -> Option<String> {
        self.account_name.as_deref().or(self.name.as_deref()).and_then(filled)
    }
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    item: &'a RawValue,
}

#[derive(Deserialize)]
struct Body {
    state: Option<String>,
    #[serde(default)]
    details: Details,
    overview: Overview,
}

#[derive(Deserialize)]
struct Overview {
    #[serde(default)]
    title: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    urls: Vec<Url>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Url {
    url: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    login_fields: Vec<LoginField>,
    notes_plain: Option<SecretString>,
    sections: Vec<Section>,
    password: Option<SecretString>,
    document_attributes: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct LoginField {
    #[serde(default)]
    value: SecretString,
    #[serde(default)]
    name: String,
    #[serde(rename = "fieldType")]
    kind: Option<String>,
    designation: Option<String>,
}

#[derive(Deserialize)]
struct Section {
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(default)]
    title: String,
    #[serde(default)]
    id: String,
    value: Value,
}

enum Value {
    Concealed(SecretString),
    String(SecretString),
    Totp(SecretString),
    Url(SecretString),
    SshKey(SshKey),
    File(serde::de::IgnoredAny),
    /// A mail address, a date, a card's number.
    Other(SecretString),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SshKey {
    private_key: SecretString,
}

/// An object of one key that names the kind: `{"totp": "…"}`.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of one key")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut value = Value::Other(SecretString::default());
                while let Some(kind) = map.next_key::<String>()? {
                    value = match kind.as_str() {
                        "concealed" => Value::Concealed(map.next_value::<Text>()?.0),
                        "string" => Value::String(map.next_value::<Text>()?.0),
                        "totp" => Value::Totp(map.next_value::<Text>()?.0),
                        "url" => Value::Url(map.next_value::<Text>()?.0),

                        "sshKey" => Value::SshKey(map.next_value()?),
                        "file" => Value::File(map.next_value()?),
                        _ => Value::Other(map.next_value::<Text>()?.0),
                    };
                }
                Ok(value)
            }
        }
        from.deserialize_map(Visit)
    }
}

/// Whatever stands there, as a text: a text as it is, nothing as an empty one, an object as the
/// texts in it, one after the other.
struct Text(SecretString);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut text = Zeroizing::new(String::new());
        flatten(&Zeroizing::new(<Box<RawValue>>::deserialize(from)?.get().to_owned()), &mut text)
            .map_err(serde::de::Error::custom)?;
        Ok(Self(SecretString::from(text.as_str())))
    }
}

fn flatten(json: &str, out: &mut String) -> Result<(), serde_json::Error> {
    let mut push = |part: &str| {
        if !part.is_empty() {
            out.push_str(if out.is_empty() { "" } else { ", " });
            out.push_str(part);
        }
    };
    match json.trim_start().as_bytes().first() {
        Some(b'"') => push(&Zeroizing::new(serde_json::from_str::<String>(json)?)),
        Some(b'{') => {
            for part in serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(json)?.values()
            {
                flatten(part.get(), out)?;
            }
        }
        Some(b'n') => {}
        _ => push(json.trim()),
    }
    Ok(())
}
