//! Codes that each let in once, and which of them are used up.

use std::fmt;

use latchkey_kernel::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::ContentError;

const HEADER: &str = "latchkey recovery codes 1";
const MOST: usize = 100;
const LONGEST: usize = 128;

/// Why a list of recovery codes is not taken. Never holds a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryCodesError {
    /// No code in it.
    #[error("there is no recovery code: write one a line")]
    Empty,
    /// Too many.
    #[error("there are more than {MOST} recovery codes: leave out those that are used")]
    TooMany,
    /// Too long for a code.
    #[error("line {line} is longer than {LONGEST} characters: write one code a line")]
    TooLong {
        /// Which line, from 1.
        line: usize,
    },
    /// The same code again.
    #[error("line {line} repeats an earlier code: each lets in once")]
    Repeated {
        /// Which line, from 1.
        line: usize,
    },
    /// No such code.
    #[error("there is no recovery code number {number}")]
    NoSuchCode {
        /// Which, from 0.
        number: usize,
    },
    /// It is used up already.
    #[error("recovery code number {number} was used on {at}: take another")]
    Burnt {
        /// Which, from 0.
        number: usize,
        /// When.
        at: Timestamp,
    },
}

/// Recovery codes of a login, in the order in which the site gave them.
pub struct RecoveryCodes {
    codes: Vec<Entry>,
}

struct Entry {
    code: SecretString,
    burnt_at: Option<Timestamp>,
}

impl RecoveryCodes {
    /// Reads codes as a site lists them: one a line, empty lines left out.
    ///
    /// # Errors
    /// When there is none, there are too many, or one is too long or stands twice.
    pub fn parse(text: &str) -> Result<Self, RecoveryCodesError> {
        let mut codes: Vec<Entry> = Vec::new();
        for (at, code) in text.lines().map(str::trim).enumerate() {
            let line = at + 1;
            if code.is_empty() {
                continue;
            }
            if code.chars().count() > LONGEST {
                return Err(RecoveryCodesError::TooLong { line });
            }
            if codes.iter().any(|entry| entry.code.expose_secret() == code) {
                return Err(RecoveryCodesError::Repeated { line });
            }
            if codes.len() == MOST {
                return Err(RecoveryCodesError::TooMany);
            }
            codes.push(Entry { code: SecretString::from(code), burnt_at: None });
        }
        if codes.is_empty() { Err(RecoveryCodesError::Empty) } else { Ok(Self { codes }) }
    }

    /// Reads what [`RecoveryCodes::encode`] wrote.
    ///
    /// # Errors
    /// When it is none of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        let decoded = || {
            let mut lines = std::str::from_utf8(bytes).ok()?.lines();
            if lines.next()? != HEADER {
                return None;
            }
            let entry = |line: &str| {
                let (burnt, code) = line.split_once(' ')?;
                let burnt_at = match burnt {
                    "-" => None,
                    micros => Some(Timestamp::from_micros(micros.parse().ok()?)),
                };
                Some(Entry { code: SecretString::from(code), burnt_at })
            };
            Some(Self { codes: lines.map(entry).collect::<Option<_>>()? })
        };
        decoded().ok_or(ContentError { what: "recovery codes" })
    }

    /// The form in which they are sealed.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let lengths = self.codes.iter().map(|entry| entry.code.expose_secret().len() + 24);
        // Room for all of it, for a buffer that grew would leave copies behind.
        let mut out = Zeroizing::new(Vec::with_capacity(HEADER.len() + 1 + lengths.sum::<usize>()));
        out.extend_from_slice(HEADER.as_bytes());
        out.push(b'\n');
        for entry in &self.codes {
            let burnt = entry.burnt_at.map_or_else(|| "-".to_owned(), |at| at.as_micros().to_string());
            out.extend_from_slice(burnt.as_bytes());
            out.push(b' ');
            out.extend_from_slice(entry.code.expose_secret().as_bytes());
            out.push(b'\n');
        }
        out
    }

    /// How many there are, used ones included.
    pub fn count(&self) -> usize {
        self.codes.len()
    }

    /// How many can still be used.
    pub fn left(&self) -> usize {
        self.codes.iter().filter(|entry| entry.burnt_at.is_none()).count()
    }

    /// When a code was used; `None` if it was not, or there is none of this number (from 0).
    pub fn burnt_at(&self, number: usize) -> Option<Timestamp> {
        self.codes.get(number)?.burnt_at
    }

    /// The number of the next code that can be used, from 0.
    pub fn next(&self) -> Option<usize> {
        self.codes.iter().position(|entry| entry.burnt_at.is_none())
    }

    /// Gives a code out and marks it as used. What [`RecoveryCodes::encode`] gives from then on must
    /// be durable before the code is shown.
    ///
    /// # Errors
    /// When there is none of this number, or it was used before.
    pub fn burn(&mut self, number: usize, now: Timestamp) -> Result<SecretString, RecoveryCodesError> {
        let entry = self.codes.get_mut(number).ok_or(RecoveryCodesError::NoSuchCode { number })?;
        if let Some(at) = entry.burnt_at {
            return Err(RecoveryCodesError::Burnt { number, at });
        }
        entry.burnt_at = Some(now);
        Ok(entry.code.clone())
    }
}

/// Shows how many there are.
impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryCodes({} of {} left, ***)", self.left(), self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_given_out_once_and_the_mark_outlives_sealing() {
        let mut codes = RecoveryCodes::parse("aaaa-1111\r\n\n  bbbb 2222 \ncccc-3333").unwrap();
        assert_eq!((codes.count(), codes.left(), codes.next()), (3, 3, Some(0)));
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        assert_eq!(codes.burn(0, now).unwrap().expose_secret(), "aaaa-1111");
        let mut codes = RecoveryCodes::decode(&codes.encode()).unwrap();
        assert_eq!((codes.left(), codes.next(), codes.burnt_at(0)), (2, Some(1), Some(now)));
        assert_eq!(codes.burn(0, now).unwrap_err(), RecoveryCodesError::Burnt { number: 0, at: now });
        assert_eq!(codes.burn(1, now).unwrap().expose_secret(), "bbbb 2222");
        assert_eq!(codes.burn(3, now).unwrap_err(), RecoveryCodesError::NoSuchCode { number: 3 });
        codes.burn(2, now).unwrap();
        assert_eq!((codes.left(), codes.next()), (0, None));
    }

    #[test]
    fn a_list_that_is_none_is_refused_with_its_line() {
        let many = (0..=MOST).map(|n| format!("{n}\n")).collect::<String>();
        let long = format!("a\n{}", "x".repeat(LONGEST + 1));
        for (text, error) in [
            ("", RecoveryCodesError::Empty),
            (" \n\n", RecoveryCodesError::Empty),
            ("canary\nb\n\ncanary", RecoveryCodesError::Repeated { line: 4 }),
            (&long, RecoveryCodesError::TooLong { line: 2 }),
            (&many, RecoveryCodesError::TooMany),
        ] {
            assert_eq!(RecoveryCodes::parse(text).unwrap_err(), error);
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn what_is_no_list_of_codes_does_not_decode_and_debug_shows_none() {
        for bytes in [
            &b""[..],
            b"canary",
            b"latchkey recovery codes 2\n- a\n",
            b"latchkey recovery codes 1\nx",
            b"\xff",
        ] {
            assert!(RecoveryCodes::decode(bytes).is_err());
        }
        let codes = RecoveryCodes::parse("canary").unwrap();
        assert_eq!(format!("{codes:?}"), "RecoveryCodes(1 of 1 left, ***)");
        assert!(codes.encode().len() <= codes.encode().capacity());
    }
}
