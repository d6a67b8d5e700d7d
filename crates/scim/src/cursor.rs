//! Cursors: where a list goes on (RFC 9865).
//!
//! A cursor holds the place itself, the last id of a page and what it was sorted by, so the server
//! remembers nothing and a list that changes meanwhile neither repeats nor skips what stays. It is sealed with a MAC over the
//! place *and* the query: one that is altered, or used with another filter, order or tenant, is
//! refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, ScimType};

/// A message authentication code under a key that only the caller knows.
pub type Mac<'a> = &'a dyn Fn(&[u8]) -> [u8; 32];

/// The end of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The id of the last resource.
    pub last_id: String,
    /// What that resource was sorted by, where the list is sorted. It may be somebody's data and a
    /// cursor stands in URLs, so the caller hands it in unreadable.
    pub last_key: Option<Vec<u8>>,
    /// How many there were in all when the first page was made.
    pub total: Option<u64>,
    /// When it was issued, in seconds.
    pub issued_at: i64,
}

/// Raised when the layout changes, so that old cursors are refused and not misread.
const LAYOUT: u8 = 1;

const MAC_LENGTH: usize = 32;

impl Cursor {
    /// The text for `nextCursor`. `query` is [`ListQuery::identity`](crate::list::ListQuery::identity)
    /// together with whatever else the cursor must not leave, such as the workspace.
    pub fn encode(&self, query: &str, mac: Mac<'_>) -> String {
        let mut bytes = vec![LAYOUT];
        bytes.extend(self.issued_at.to_be_bytes());
        push_optional(
            &mut bytes,
            self.total.map(|total| total.to_be_bytes()).as_ref().map(<[u8; 8]>::as_slice),
        );
        push_optional(&mut bytes, Some(self.last_id.as_bytes()));
        push_optional(&mut bytes, self.last_key.as_deref());
        let tag = mac(&sealed(&bytes, query));
        bytes.extend(tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that was issued for this query, not before `oldest` (in seconds).
    ///
    /// # Errors
    /// 400 `invalidCursor` for one that is not ours or belongs to another query, `expiredCursor`
    /// for one that is too old.
    pub fn decode(text: &str, query: &str, oldest: i64, mac: Mac<'_>) -> Result<Self, Error> {
        let cursor = Self::read(text, query, mac).ok_or_else(|| {
            let detail = "the cursor is not one that was given out for this query; \
                          begin again with an empty cursor and repeat all other parameters unchanged";
            Error::bad(ScimType::InvalidCursor, detail)
        })?;
        if cursor.issued_at < oldest {
            let detail = "the cursor is too old; begin again with an empty cursor";
            return Err(Error::bad(ScimType::ExpiredCursor, detail));
        }
        Ok(cursor)
    }

    fn read(text: &str, query: &str, mac: Mac<'_>) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (bytes, tag) = bytes.split_at_checked(bytes.len().checked_sub(MAC_LENGTH)?)?;
        // In constant time: an early end would tell how much of a forged tag is right.
        let wrong = mac(&sealed(bytes, query)).iter().zip(tag).fold(0, |wrong, (a, b)| wrong | (a ^ b));
        if wrong != 0 {
            return None;
        }
        let mut rest = bytes.strip_prefix(&[LAYOUT])?;
        let issued_at = i64::from_be_bytes(*rest.split_off(..8)?.first_chunk()?);
        let total = match take_optional(&mut rest)? {
            None => None,
            Some(total) => Some(u64::from_be_bytes(total.try_into().ok()?)),
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let last_id = text(take_optional(&mut rest)??)?;
        let last_key = take_optional(&mut rest)?.map(<[u8]>::to_vec);
        rest.is_empty().then_some(Self { last_id, last_key, total, issued_at })
    }
}

/// What the MAC is over. The place has a length, so that no part of it can pass for the query.
fn sealed(place: &[u8], query: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(place.len() + query.len() + 32);
    bytes.extend(b"latchkey scim cursor ");
    bytes.extend((place.len() as u64).to_be_bytes());
    bytes.extend(place);
    bytes.extend(query.as_bytes());
    bytes
}

/// Length plus one, then the bytes; 0 for nothing.
fn push_optional(bytes: &mut Vec<u8>, part: Option<&[u8]>) {
    let length = part.map_or(0, |part| u32::try_from(part.len()).unwrap_or(u32::MAX - 1) + 1);
    bytes.extend(length.to_be_bytes());
    bytes.extend(part.unwrap_or_default());
}

fn take_optional<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = u32::from_be_bytes(*rest.split_off(..4)?.first_chunk()?);
    match length.checked_sub(1) {
        None => Some(None),
        Some(length) => Some(Some(rest.split_off(..usize::try_from(length).ok()?)?)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Cursor;

    /// No MAC, but one that every byte of the message and its place change.
    fn mac(message: &[u8]) -> [u8; 32] {
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        for byte in message {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut tag = [7; 32];
        tag[..8].copy_from_slice(&state.to_be_bytes());
        tag
    }

    fn cursor() -> Cursor {
        Cursor { last_id: "u1".into(), last_key: Some(b"ida".to_vec()), total: Some(3), issued_at: 1000 }
    }

    #[track_caller]
    fn check_refused(text: &str, query: &str, oldest: i64, scim_type: &str) {
        let error = Cursor::decode(text, query, oldest, &mac).unwrap_err();
        assert_eq!((error.status, error.scim_type.unwrap().as_str()), (400, scim_type));
    }

    #[test]
    fn a_cursor_is_good_for_its_query_and_for_its_time() {
        let text = cursor().encode("q", &mac);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(Cursor::decode(&text, "q", 1000, &mac), Ok(cursor()));
        check_refused(&text, "q", 1001, "expiredCursor");
        check_refused(&text, "other", 0, "invalidCursor");
        check_refused(&text, "other", 1001, "invalidCursor");
        for wrong in ["", "x", "%%%", &text[1..], &format!("{text}AA"), &text.to_uppercase()] {
            check_refused(wrong, "q", 0, "invalidCursor");
        }
    }

    #[test]
    fn no_letter_of_a_cursor_can_be_changed() {
        let text = cursor().encode("q", &mac);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            check_refused(std::str::from_utf8(&changed).unwrap(), "q", 0, "invalidCursor");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            last_id: String, last_key: Option<Vec<u8>>, total: Option<u64>, issued_at: i64, query: String
        ) {
            let cursor = Cursor { last_id, last_key, total, issued_at };
            let text = cursor.encode(&query, &mac);
            prop_assert_eq!(Cursor::decode(&text, &query, i64::MIN, &mac), Ok(cursor));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            use base64::Engine as _;
            let _ = Cursor::decode(&text, "q", 0, &mac);
            // With a tag that fits, so that the reader behind the tag sees any bytes.
            let mut sealed = bytes.clone();
            sealed.extend(mac(&super::sealed(&bytes, "q")));
            let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sealed);
            let _ = Cursor::decode(&text, "q", 0, &mac);
        }
    }
}
