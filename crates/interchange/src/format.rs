//! Which program wrote a file, told from its content.

use std::fmt;
use std::str::FromStr;

use crate::error::ReadError;
use crate::limits::Limits;
use crate::{kdbx, table};

/// A kind of file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// 1Password's 1PUX: a zip with `export.data`.
    OnePasswordPux,
    /// 1Password's CSV.
    OnePasswordCsv,
    /// Bitwarden's JSON, open or protected by a password.
    BitwardenJson,
    /// Bitwarden's CSV.
    BitwardenCsv,
    /// LastPass's CSV.
    LastPassCsv,
    /// A KeePass database, KDBX 4.
    Kdbx,
    /// KeePassXC's CSV.
    KeePassCsv,
    /// What Chrome and its kin write.
    ChromeCsv,
    /// Our own JSON.
    LatchkeyJson,
    /// Our own CSV.
    LatchkeyCsv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 10] = [
        Self::OnePasswordPux,
        Self::OnePasswordCsv,
        Self::BitwardenJson,
        Self::BitwardenCsv,
        Self::LastPassCsv,
        Self::Kdbx,
        Self::KeePassCsv,
        Self::ChromeCsv,
        Self::LatchkeyJson,
        Self::LatchkeyCsv,
    ];

    /// The word that names it on a command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnePasswordPux => "1pux",
            Self::OnePasswordCsv => "1password-csv",
            Self::BitwardenJson => "bitwarden-json",
            Self::BitwardenCsv => "bitwarden-csv",
            Self::LastPassCsv => "lastpass-csv",
            Self::Kdbx => "kdbx",
            Self::KeePassCsv => "keepass-csv",
            Self::ChromeCsv => "chrome-csv",
            Self::LatchkeyJson => "latchkey-json",
            Self::LatchkeyCsv => "latchkey-csv",
        }
    }

    /// All words, for a message.
    pub(crate) fn list() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// Tells the format from the first bytes, the keys or the columns.
    ///
    /// # Errors
    /// [`ReadError::Unknown`] or [`ReadError::Columns`].
    pub fn recognise(bytes: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        limits.check_size(bytes)?;
        if bytes.starts_with(b"PK\x03\x04") {
            return Ok(Self::OnePasswordPux);
        }
        if bytes.starts_with(&kdbx::SIGNATURE) {
            return Ok(Self::Kdbx);
        }
        let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
        if start.starts_with(b"{") {
            return of_json(start);
        }
        if start.is_empty() || start.starts_with(b"[") || start.starts_with(b"<") {
            return Err(ReadError::Unknown);
        }
        table::recognise(bytes)
    }
}

/// By the keys at the top; what stands under them is skipped unread.
fn of_json(bytes: &[u8]) -> Result<Format, ReadError> {
    #[derive(serde::Deserialize)]
    struct Top<'a> {
        #[serde(borrow)]
        format: Option<std::borrow::Cow<'a, str>>,
        encrypted: Option<bool>,
        items: Option<serde::de::IgnoredAny>,
    }
    let top: Top<'_> =
        serde_json::from_slice(bytes).map_err(|error| ReadError::json(Format::BitwardenJson, &error))?;
    match top {
        Top { format: Some(name), .. } if name == crate::native::MARK => Ok(Format::LatchkeyJson),
        Top { encrypted: Some(_), .. } | Top { items: Some(_), .. } => Ok(Format::BitwardenJson),
        _ => Err(ReadError::Unknown),
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|format| format.as_str() == text);
        known.ok_or_else(|| format!("there is no format `{text}`; there are {}", Self::list()))
    }
}
