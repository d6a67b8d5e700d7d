//! What other password managers export, as items; and items as Latchkey's own files.
//!
//! Pure: bytes in, items out. A file that is whole gives every item that it holds and, for each
//! thing that could not be taken over, the row, the field, what was found and what to do; nothing
//! is left out without a word. Every file is treated as hostile: sizes, counts, nesting and the
//! cost of a key derivation are bounded before they are paid for.
//! Knows nothing of accounts, workspaces or storage.
#![warn(missing_docs)]

mod bitwarden;
mod bitwarden_sealed;
mod duplicates;
mod error;
mod format;
mod item;
mod kdbx;
mod limits;
mod native;
mod one_password;
mod table;

pub use duplicates::{Duplicate, Known, Likeness, Twin, duplicates, host};
pub use error::{Lost, ReadError, RowError};
pub use format::Format;
pub use item::{Extra, Item, Place, Reading};
pub use limits::Limits;
pub use native::{to_csv, to_json};

use secrecy::SecretString;
use zeroize::Zeroizing;

/// What opens a file that is locked.
#[derive(Debug, Default)]
pub struct Unlock {
    /// The password that the file was exported or is kept under.
    pub password: Option<SecretString>,
    /// The content of a KeePass key file.
    pub key_file: Option<Zeroizing<Vec<u8>>>,
}

/// Reads a file in the format that its content shows.
///
/// # Errors
/// When the format is none of ours, or the file as a whole cannot be read; see [`ReadError`].
pub fn read(bytes: &[u8], unlock: &Unlock, limits: &Limits) -> Result<Reading, ReadError> {
    read_as(Format::recognise(bytes, limits)?, bytes, unlock, limits)
}

/// Reads a file in a format that somebody named.
///
/// # Errors
/// As [`read`].
pub fn read_as(format: Format, bytes: &[u8], unlock: &Unlock, limits: &Limits) -> Result<Reading, ReadError> {
    limits.check_size(bytes)?;
    let mut reading = Reading::new(format);
    match format {
        Format::OnePasswordPux => one_password::read(bytes, &mut reading, limits)?,
        Format::BitwardenJson => bitwarden::read(bytes, unlock, &mut reading, limits)?,
        Format::LatchkeyJson => native::read(bytes, &mut reading, limits)?,
        Format::Kdbx => kdbx::read(bytes, unlock, &mut reading, limits)?,
        Format::OnePasswordCsv
        | Format::BitwardenCsv
        | Format::LastPassCsv
        | Format::KeePassCsv
        | Format::ChromeCsv
        | Format::LatchkeyCsv => table::read(format, bytes, &mut reading, limits)?,
    }
    Ok(reading)
}
