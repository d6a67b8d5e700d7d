//! A small file kept with a login, as a certificate or a configuration.

use std::fmt;

use zeroize::Zeroizing;

use super::ContentError;

const FORMAT: u8 = 1;
const LONGEST_NAME: usize = 255;

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// Too large.
    #[error(
        "the file has {size} bytes, and an attachment at most {}: keep it elsewhere, and its key here",
        Attachment::LARGEST
    )]
    TooLarge {
        /// How large it is.
        size: usize,
    },
    /// No name that a file could be saved under.
    #[error(
        "an attachment needs a file name of 1 to {LONGEST_NAME} bytes without slashes and control characters"
    )]
    Name,
}

/// A file: its name and its bytes. Wiped from memory when dropped.
pub struct Attachment {
    name: String,
    bytes: Zeroizing<Vec<u8>>,
}

impl Attachment {
    /// The largest: 1 MiB.
    pub const LARGEST: usize = 1 << 20;

    /// A file to be kept.
    ///
    /// # Errors
    /// When it is too large, or its name is none.
    pub fn new(name: &str, bytes: Zeroizing<Vec<u8>>) -> Result<Self, AttachmentError> {
        if bytes.len() > Self::LARGEST {
            return Err(AttachmentError::TooLarge { size: bytes.len() });
        }
        if !is_file_name(name) {
            return Err(AttachmentError::Name);
        }
        Ok(Self { name: name.to_owned(), bytes })
    }

    /// Reads what [`Attachment::encode`] wrote.
    ///
    /// # Errors
    /// When it is none of it.
    pub fn decode(encoded: &[u8]) -> Result<Self, ContentError> {
        let decoded = || {
            let (length, rest) = encoded.strip_prefix(&[FORMAT])?.split_first()?;
            let (name, bytes) = rest.split_at_checked(usize::from(*length))?;
            let name = std::str::from_utf8(name).ok()?;
            Self::new(name, Zeroizing::new(bytes.to_vec())).ok()
        };
        decoded().ok_or(ContentError { what: "an attachment" })
    }

    /// The form in which it is sealed.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(2 + self.name.len() + self.bytes.len()));
        let length = u8::try_from(self.name.len()).expect("a file name has at most 255 bytes");
        out.extend_from_slice(&[FORMAT, length]);
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(&self.bytes);
        out
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Shows the size alone.
impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attachment({} bytes, ***)", self.bytes.len())
    }
}

fn is_file_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name != "."
        && name != ".."
        && !name.contains(|c: char| c == '/' || c == '\\' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_with_its_name_up_to_a_mebibyte() {
        for (name, size) in [("a", 0), ("schlüssel.pem", 5), (&"x".repeat(255), Attachment::LARGEST)] {
            let file = Attachment::new(name, Zeroizing::new(vec![7; size])).unwrap();
            let back = Attachment::decode(&file.encode()).unwrap();
            assert_eq!((back.name(), back.bytes()), (name, &vec![7; size][..]));
        }
        let large = Attachment::new("a", Zeroizing::new(vec![0; Attachment::LARGEST + 1]));
        assert_eq!(large.unwrap_err(), AttachmentError::TooLarge { size: Attachment::LARGEST + 1 });
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["", ".", "..", "a/b", "a\\b", "a\nb", &"x".repeat(256)] {
            assert_eq!(
                Attachment::new(name, Zeroizing::default()).unwrap_err(),
                AttachmentError::Name,
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_no_file_does_not_decode_and_debug_shows_nothing_of_it() {
        for bytes in [&b""[..], b"\x02\x01a", b"\x01\x05abc", b"\x01\x01/", b"\x01\x00"] {
            assert!(Attachment::decode(bytes).is_err());
        }
        let file = Attachment::new("canary", Zeroizing::new(b"canary".to_vec())).unwrap();
        assert_eq!(format!("{file:?}"), "Attachment(6 bytes, ***)");
    }
}
