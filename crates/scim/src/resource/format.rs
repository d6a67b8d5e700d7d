//! The formats of text that is more than text (RFC 7643 §2.3).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The instant that an xsd:dateTime names; one without an offset is taken as UTC.
pub fn instant(text: &str) -> Option<Timestamp> {
    // The date parser is more generous than XML Schema, which has a capital T and nothing else.
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil = text.parse::<DateTime>().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// Whether it is base64 in one of the two alphabets, padded or not (RFC 7643 §2.3.6).
pub(super) fn is_base64(text: &str) -> bool {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .any(|alphabet| GeneralPurpose::new(alphabet, lenient).decode(text).is_ok())
}

/// Whether it can be a URI, absolute or relative (RFC 3986 §4.1): no spaces, no controls, none of
/// the characters that a URI writes in percent escapes.
pub(super) fn is_reference(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`'))
}
