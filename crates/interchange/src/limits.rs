//! Bounds on what a file may cost before it is refused.

use crate::error::ReadError;
use crate::item::Reading;

/// What is refused before it is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file. A large team's export has a few megabytes.
    pub file_bytes: usize,
    /// Bytes after unpacking, so that a small file cannot become a large one.
    pub unpacked_bytes: usize,
    /// Items and rows, those with errors included.
    pub items: usize,
    /// Bytes of one name, URL, login name or password.
    pub field_bytes: usize,
    /// Bytes of one note or key.
    pub note_bytes: usize,
    /// URLs, and further fields, of one item.
    pub parts: usize,
    /// How deep elements may nest in a KeePass database.
    pub nesting: usize,
    /// Levels of folders; the names of those below are joined into one.
    pub folders: usize,
    /// KiB of memory that a key derivation may take.
    pub kdf_memory: u32,
    /// What a key derivation may cost: rounds of a hash, or KiB touched by all of Argon2's passes.
    pub kdf_work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            unpacked_bytes: 256 << 20,
            items: 50_000,
            field_bytes: 2_000,
            note_bytes: 64 << 10,
            parts: 100,
            nesting: 64,
            folders: 8,
            // KeePassXC's slider ends at 1 GiB.
            kdf_memory: 1 << 20,
            kdf_work: 100_000_000,
        }
    }
}

impl Limits {
    /// For a server, where many may ask at the same time.
    pub fn serving() -> Self {
        Self {
            file_bytes: 8 << 20,
            unpacked_bytes: 32 << 20,
            items: 10_000,
            kdf_memory: 64 << 10,
            kdf_work: 5_000_000,
            ..Self::default()
        }
    }

    pub(crate) fn check_size(&self, bytes: &[u8]) -> Result<(), ReadError> {
        if bytes.len() > self.file_bytes {
            return Err(ReadError::TooLarge { what: "the file", limit: self.file_bytes });
        }
        Ok(())
    }

    pub(crate) fn check_count(&self, reading: &Reading) -> Result<(), ReadError> {
        if reading.items.len() + reading.errors.len() > self.items {
            return Err(ReadError::TooMany { limit: self.items });
        }
        Ok(())
    }
}
