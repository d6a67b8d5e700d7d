//! Bitwarden's JSON, of a person's vault or of an organisation's.

use std::borrow::Cow;
use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::{ReadError, json_fault};
use crate::format::Format;
use crate::item::{Item, Place, Reading, is_blank};
use crate::limits::Limits;
use crate::{Unlock, bitwarden_sealed};

pub(crate) const FORMAT: Format = Format::BitwardenJson;

pub(crate) fn read(
    bytes: &[u8],
    unlock: &Unlock,
    reading: &mut Reading,
    limits: &Limits,
) -> Result<(), ReadError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match bitwarden_sealed::open(bytes, unlock, limits)? {
        Some(opened) => read_open(&opened, reading, limits),
        None => read_open(bytes, reading, limits),
    }
}

fn read_open(bytes: &[u8], reading: &mut Reading, limits: &Limits) -> Result<(), ReadError> {
    let export: Export<'_> =
        serde_json::from_slice(bytes).map_err(|error| ReadError::json(FORMAT, &error))?;
    let named = export.folders.iter().chain(&export.collections);
    let folders: HashMap<&str, &str> = named.map(|folder| (&*folder.id, &*folder.name)).collect();
    for (raw, number) in export.items.into_iter().zip(1..) {
        let place = Place::item(number);
        match serde_json::from_str::<Entry>(raw.get()) {
            Ok(entry) => take(place, entry, &folders, reading, limits),
            Err(error) => {
                let advice = "export it again with the newest Bitwarden, or add it by hand";
                reading.skip(place, "the item", json_fault(&error), advice);
            }
        }
        limits.check_count(reading)?;
    }
    Ok(())
}

fn take(place: Place, entry: Entry, folders: &HashMap<&str, &str>, reading: &mut Reading, limits: &Limits) {
    let mut item = Item::new(place);
    item.folder = place_of(&entry, folders);
    item.name = entry.name;
    item.place.name = crate::item::filled(&item.name);
    if entry.deleted_date.is_some() {
        let advice = "restore it in Bitwarden and export again if you want it";
        return reading.skip(item.place, "deletedDate", "in the trash", advice);
    }
    item.notes = entry.notes.filter(|text| !is_blank(text));
    if let Some(login) = entry.login {
        login.uris.into_iter().flatten().filter_map(|uri| uri.uri).for_each(|uri| item.push_url(&uri));
        item.username = login.username.filter(|name| !name.is_empty());
        item.password = login.password.filter(|value| !value.expose_secret().is_empty());
        item.totp = login.totp.filter(|value| !is_blank(value));
        if login.fido2_credentials.is_some_and(|keys| !keys.is_empty()) {
            let advice = "a passkey stays with its owner; make a new one at the site";
            reading.drop_field(item.place.clone(), "fido2Credentials", "a passkey", advice);
        }
    }
    item.ssh_key = entry.ssh_key.and_then(|key| key.private_key).filter(|key| !is_blank(key));
    for (name, value) in entry.card.into_iter().chain(entry.identity).flatten() {
        value.into_iter().for_each(|value| item.push_extra(name.clone(), value.0));
    }
    for field in entry.fields.into_iter().flatten() {
        let value = field.value.map(|value| value.0).unwrap_or_default();
        item.push_extra(field.name.unwrap_or_else(|| "field".to_owned()), value);
    }
    if entry.attachments.is_some_and(|files| !files.is_empty()) {
        let advice = "attach the file to the account by hand";
        reading.drop_field(item.place.clone(), "attachments", "an attached file", advice);
    }
    reading.take(item, limits);
}

/// The folder, or the first collection: an account lies in one.
fn place_of(entry: &Entry, folders: &HashMap<&str, &str>) -> Vec<String> {
    let ids = entry.folder_id.iter().chain(entry.collection_ids.iter().flatten());
    let path = ids.filter_map(|id| folders.get(id.as_str())).next();
    path.map(|path| path.split('/').map(str::to_owned).collect()).unwrap_or_default()
}

#[derive(Deserialize)]
struct Export<'a> {
    #[serde(default, borrow)]
    folders: Vec<Folder<'a>>,
    #[serde(default, borrow)]
    collections: Vec<Folder<'a>>,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Folder<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    name: String,
    folder_id: Option<String>,
    collection_ids: Option<Vec<String>>,
    notes: Option<SecretString>,
    fields: Option<Vec<Field>>,
    login: Option<Login>,
    ssh_key: Option<SshKey>,
    card: Option<HashMap<String, Option<Scalar>>>,
    identity: Option<HashMap<String, Option<Scalar>>>,
    attachments: Option<Vec<serde::de::IgnoredAny>>,
    deleted_date: Option<String>,
}

#[derive(Deserialize)]
struct Field {
    name: Option<String>,
    value: Option<Scalar>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    uris: Option<Vec<Uri>>,
    username: Option<String>,
    password: Option<SecretString>,
    totp: Option<SecretString>,
    fido2_credentials: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct Uri {
    uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SshKey {
    private_key: Option<SecretString>,
}

/// A text, or a number or boolean as one.
struct Scalar(SecretString);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Zeroizing::new(<Box<RawValue>>::deserialize(from)?.get().to_owned());
        let text = if raw.starts_with('"') {
            serde_json::from_str(&raw).map_err(serde::de::Error::custom)?
        } else {
            SecretString::from(raw.as_str())
        };
        Ok(Self(text))
    }
}
