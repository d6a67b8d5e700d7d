//! Where the next reading of a directory goes on, and whom the last one knew.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use latchkey_provisioning::Kind;
use latchkey_provisioning::feed::Watermark;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// How changes since the last reading are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tracker {
    /// By the server's own protocol for it (RFC 4533), one cookie for each kind.
    Sync { users: Bytes, groups: Bytes },
    /// By Active Directory's number of the last change, which holds at one server alone.
    Usn { server: String, usn: u64 },
    /// By the time of the last change that was seen, as the server writes it.
    Time { latest: String },
}

/// All that a watermark says. The ids are in it because most directories tell nobody who left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) tracker: Tracker,
    pub(super) users: Ids,
    pub(super) groups: Ids,
    /// Who is given the application.
    pub(super) assigned: Ids,
}

impl Mark {
    pub(super) fn of(watermark: &Watermark) -> Option<Self> {
        serde_json::from_str(&watermark.0).ok()
    }

    pub(super) fn watermark(&self) -> Watermark {
        // Texts and numbers alone: this cannot fail.
        Watermark(serde_json::to_string(self).unwrap_or_default())
    }

    pub(super) const fn known(&self, kind: Kind) -> &Ids {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }

    pub(super) const fn known_mut(&mut self, kind: Kind) -> &mut Ids {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }
}

/// A set of ids, written as 16 bytes each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ids(pub(super) BTreeSet<Uuid>);

impl Serialize for Ids {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|id| *id.as_bytes()).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        let (ids, rest) = bytes.as_chunks::<16>();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("ids are 16 bytes each"));
        }
        Ok(Self(ids.iter().map(|id| Uuid::from_bytes(*id)).collect()))
    }
}

/// Bytes that are written as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A time as directories write it (`20260314092653Z`), some seconds earlier: changes of one second
/// are told in any order, and clocks of servers differ.
pub(super) fn earlier(time: &str) -> Option<String> {
    let digits = time.get(..14)?;
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    let earlier = time.checked_sub(jiff::Span::new().seconds(OVERLAP)).ok()?;
    Some(earlier.strftime("%Y%m%d%H%M%SZ").to_string())
}

const OVERLAP: i64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watermark_says_what_was_put_into_it_and_nothing_else_is_one() {
        let ids = Ids([Uuid::from_u128(7), Uuid::from_u128(u128::MAX)].into());
        let tracker = Tracker::Sync { users: Bytes(b"rid=1,\xFF".to_vec()), groups: Bytes(vec![]) };
        let mark = Mark { tracker, users: ids.clone(), groups: Ids::default(), assigned: ids };
        assert_eq!(Mark::of(&mark.watermark()), Some(mark));
        for text in ["", "{}", "7"] {
            assert_eq!(Mark::of(&Watermark(text.to_owned())), None);
        }
    }

    #[test]
    fn times_overlap_by_seconds() {
        assert_eq!(earlier("20260301000002Z").as_deref(), Some("20260228235957Z"));
        assert_eq!(earlier("20260301000010.0Z").as_deref(), Some("20260301000005Z"));
        assert_eq!(earlier("2026"), None);
        assert_eq!(earlier("yesterday, noon"), None);
    }
}
