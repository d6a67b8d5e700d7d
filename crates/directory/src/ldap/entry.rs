//! What an entry of a directory says of a person or a group.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use latchkey_provisioning::{Entry, EntryId, Kind, Presence};
use ldap3::SearchEntry;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::attributes::Selection;

/// The names that Entra's mappings use of people, and where directories have them: the first that
/// has a value, and its first value.
const PERSON: &[(&str, &[&str])] = &[
    ("userPrincipalName", &["userPrincipalName", "uid", "sAMAccountName", "mail"]),
    ("mail", &["mail"]),
    ("givenName", &["givenName"]),
    ("surname", &["sn"]),
    ("displayName", &["displayName", "cn"]),
    ("jobTitle", &["title"]),
    ("department", &["department", "departmentNumber"]),
    ("employeeId", &["employeeID", "employeeNumber"]),
    ("telephoneNumber", &["telephoneNumber"]),
    ("mobile", &["mobile"]),
    ("facsimileTelephoneNumber", &["facsimileTelephoneNumber"]),
    ("streetAddress", &["streetAddress", "street"]),
    ("city", &["l"]),
    ("state", &["st"]),
    ("postalCode", &["postalCode"]),
    ("country", &["c", "co"]),
    ("preferredLanguage", &["preferredLanguage"]),
    ("mailNickname", &["mailNickname", "uid", "sAMAccountName"]),
    ("physicalDeliveryOfficeName", &["physicalDeliveryOfficeName"]),
];
const GROUP: &[(&str, &[&str])] = &[("displayName", &["displayName", "cn"]), ("mail", &["mail"])];

/// Where members of groups are named.
const MEMBERS: &[&str] = &["member", "uniqueMember"];
/// Where it shows that somebody is disabled.
const DISABLED: &[&str] = &["userAccountControl", "pwdAccountLockedTime", "nsAccountLock"];

fn aliases(kind: Kind) -> &'static [(&'static str, &'static [&'static str])] {
    match kind {
        Kind::User => PERSON,
        Kind::Group => GROUP,
    }
}

/// What has to be asked for so that these attributes can be told.
pub(super) fn asked(kind: Kind, selection: &Selection, id: &str) -> Vec<String> {
    let mut names: Vec<&str> = selection.names().filter(|name| is_description(name)).collect();
    let wanted = aliases(kind).iter().filter(|(name, _)| selection.wants(name));
    names.extend(wanted.flat_map(|(_, others)| *others));
    names.push(id);
    names.extend(match kind {
        Kind::User => DISABLED.iter().chain(&["manager"]),
        Kind::Group => MEMBERS.iter().chain(&[]),
    });
    names.sort_unstable_by_key(|name| name.to_lowercase());
    names.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    names.into_iter().map(str::to_owned).collect()
}

/// Whether a directory could have an attribute of this name; a mapping may have computed ones too.
fn is_description(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '.' | ';'))
}

/// An entry, its attributes by names in small letters.
pub(super) struct Found {
    pub(super) dn: String,
    texts: HashMap<String, Vec<String>>,
    bytes: HashMap<String, Vec<Vec<u8>>>,
}

/// A part of a long list, and where its next part begins (Active Directory's range retrieval).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct More {
    pub(super) attribute: String,
    pub(super) from: u64,
}

impl From<SearchEntry> for Found {
    fn from(entry: SearchEntry) -> Self {
        let lower = |(name, values): (String, _)| (name.to_lowercase(), values);
        Self {
            dn: entry.dn,
            texts: entry.attrs.into_iter().map(lower).collect(),
            bytes: entry.bin_attrs.into_iter().map(|(name, values)| (name.to_lowercase(), values)).collect(),
        }
    }
}

impl Found {
    /// The id that never changes: `objectGUID` or `entryUUID`.
    pub(super) fn id(&self, attribute: &str) -> Result<Uuid, SourceError> {
        let raw = |name: &str| {
            let text =
                self.texts.get(name).and_then(|values| values.first()).map(|text| text.as_bytes().to_vec());
            self.bytes.get(name).and_then(|values| values.first().cloned()).or(text)
        };
        let value = raw(&attribute.to_lowercase());
        let id = value.as_deref().and_then(|value| match <[u8; 16]>::try_from(value) {
            Ok(bytes) => Some(Uuid::from_bytes_le(bytes)),
            Err(_) => std::str::from_utf8(value).ok().and_then(|text| Uuid::parse_str(text).ok()),
        });
        id.ok_or_else(|| {
            let message = format!(
                "{} has no {attribute} that this login may read, and without it nobody can be told from somebody of the same name; let the login read it",
                self.dn
            );
            SourceError::new(SourceErrorKind::Malformed, message)
        })
    }

    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.texts.get(&name.to_lowercase())?.iter().map(String::as_str).find(|text| !text.is_empty())
    }

    /// The names of a group's members.
    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        let values = MEMBERS.iter().filter_map(|name| self.texts.get(&name.to_lowercase())).flatten();
        // `uniqueMember` may carry a bit string after a sharp (RFC 4519 §2.40).
        values.map(|name| name.rsplit_once("#'").map_or(name.as_str(), |(name, _)| name))
    }

    pub(super) fn manager(&self) -> Option<&str> {
        self.first("manager")
    }

    /// Takes up the parts of lists, and says which go on (MS-ADTS 3.1.1.3.1.3.3).
    pub(super) fn take_ranges(&mut self) -> Vec<More> {
        let parts: Vec<String> = self.texts.keys().filter(|name| name.contains(";range=")).cloned().collect();
        let mut more = Vec::new();
        for name in parts {
            let values = self.texts.remove(&name).unwrap_or_default();
            let Some((attribute, range)) = name.split_once(";range=") else { continue };
            self.texts.entry(attribute.to_owned()).or_default().extend(values);
            if let Some(end) = range.split_once('-').and_then(|(_, end)| end.parse::<u64>().ok()) {
                more.push(More { attribute: attribute.to_owned(), from: end + 1 });
            }
        }
        more
    }

    /// Adds what a later part says.
    pub(super) fn take_more(&mut self, mut part: Self) -> Vec<More> {
        let more = part.take_ranges();
        for name in MEMBERS.iter().map(|name| name.to_lowercase()) {
            if let Some(values) = part.texts.remove(&name) {
                self.texts.entry(name).or_default().extend(values);
            }
        }
        more
    }

    fn is_enabled(&self) -> bool {
        /// ACCOUNTDISABLE (MS-ADTS 2.2.16).
        const DISABLED: i64 = 2;
        let control = self.first("userAccountControl").and_then(|text| text.parse::<i64>().ok());
        // Locked by an admin; a lock after wrong passwords has the time since when and ends by itself.
        let locked = self.first("pwdAccountLockedTime").is_some_and(|time| time.starts_with("000001010000"));
        let lock = self.first("nsAccountLock").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        !(control.is_some_and(|bits| bits & DISABLED != 0) || locked || lock)
    }

    /// The entry as all sources tell it; who it refers to is put in by the caller.
    pub(super) fn entry(&self, kind: Kind, id: Uuid, selection: &Selection) -> Entry {
        let enabled = kind == Kind::Group || self.is_enabled();
        let mut attributes = Map::new();
        for name in selection.names() {
            let value = match name {
                "objectId" => Some(Json::from(id.to_string())),
                "accountEnabled" if kind == Kind::User => Some(Json::Bool(enabled)),
                name => self.value(kind, name),
            };
            attributes.extend(value.map(|value| (name.to_owned(), value)));
        }
        Entry {
            id: EntryId(id.to_string()),
            kind,
            presence: Presence::Present,
            enabled,
            attributes,
            assignments: Vec::new(),
            manager: None,
        }
    }

    fn value(&self, kind: Kind, name: &str) -> Option<Json> {
        if let Some((_, others)) = aliases(kind).iter().find(|(alias, _)| *alias == name) {
            return others.iter().find_map(|other| self.first(other)).map(Json::from);
        }
        let name = name.to_lowercase();
        let values: Vec<Json> = match (self.texts.get(&name), self.bytes.get(&name)) {
            (Some(texts), _) => {
                texts.iter().filter(|text| !text.is_empty()).map(|text| Json::from(text.as_str())).collect()
            }
            (None, Some(bytes)) => bytes.iter().map(|value| Json::from(STANDARD.encode(value))).collect(),
            (None, None) => return None,
        };
        match <[Json; 1]>::try_from(values) {
            Ok([one]) => Some(one),
            Err(values) if values.is_empty() => None,
            Err(values) => Some(Json::Array(values)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(attributes: &[(&str, &[&str])]) -> Found {
        let attrs = attributes.iter().map(|(name, values)| {
            ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
        });
        SearchEntry { dn: "cn=a".to_owned(), attrs: attrs.collect(), bin_attrs: HashMap::new() }.into()
    }

    #[test]
    fn who_is_disabled_shows_in_what_each_kind_of_server_keeps() {
        for (attribute, value, enabled) in [
            ("userAccountControl", "512", true),
            ("userAccountControl", "514", false),
            ("userAccountControl", "66050", false),
            ("pwdAccountLockedTime", "000001010000Z", false),
            ("pwdAccountLockedTime", "20260301120000Z", true),
            ("nsAccountLock", "TRUE", false),
            ("nsAccountLock", "false", true),
            ("cn", "514", true),
        ] {
            assert_eq!(found(&[(attribute, &[value])]).is_enabled(), enabled, "{attribute} {value}");
        }
    }

    #[test]
    fn an_id_is_read_from_text_or_from_bytes_in_microsofts_order() {
        let text = "0195e2a4-7c1d-7000-8000-00000000abcd";
        assert_eq!(found(&[("entryUUID", &[text])]).id("entryUUID").unwrap().to_string(), text);
        let bytes = Uuid::parse_str(text).unwrap().to_bytes_le().to_vec();
        let mut entry = found(&[]);
        entry.bytes.insert("objectguid".to_owned(), vec![bytes]);
        assert_eq!(entry.id("objectGUID").unwrap().to_string(), text);
        let error = found(&[("entryUUID", &["7"])]).id("entryUUID").unwrap_err();
        assert!(error.message.contains("has no entryUUID that this login may read"), "{error}");
        assert_eq!(error.kind, SourceErrorKind::Malformed);
    }

    #[test]
    fn a_long_list_comes_in_parts_and_is_taken_up_whole() {
        let mut group = found(&[("member;range=0-1", &["cn=1", "cn=2"]), ("member", &[])]);
        let more = group.take_ranges();
        assert_eq!(more, [More { attribute: "member".to_owned(), from: 2 }]);
        assert_eq!(
            group.take_more(found(&[("member;range=2-3", &["cn=3", "cn=4"])])),
            [More { attribute: "member".to_owned(), from: 4 }]
        );
        assert_eq!(group.take_more(found(&[("Member;Range=4-*", &["cn=5"])])), []);
        assert_eq!(group.members().collect::<Vec<_>>(), ["cn=1", "cn=2", "cn=3", "cn=4", "cn=5"]);
        assert_eq!(found(&[("uniqueMember", &["cn=1#'01'B"])]).members().collect::<Vec<_>>(), ["cn=1"]);
    }
}
