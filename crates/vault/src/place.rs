//! Where a secret stands, as the bytes that its ciphertext is bound to.

use std::fmt;

use latchkey_kernel::id::{AccountId, SecretId, WorkspaceId};

/// What a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// The password of the login.
    Password,
    /// The seed of one-time codes, as an `otpauth` address.
    Totp,
    /// Codes that each let in once.
    RecoveryCodes,
    /// A private SSH key.
    SshKey,
    /// A note.
    Note,
    /// A key for an API.
    ApiKey,
    /// A file of up to 1 MiB.
    Attachment,
}

impl SecretKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Password,
        Self::Totp,
        Self::RecoveryCodes,
        Self::SshKey,
        Self::Note,
        Self::ApiKey,
        Self::Attachment,
    ];

    /// The word as it is stored and bound to.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::RecoveryCodes => "recovery_codes",
            Self::SshKey => "ssh_key",
            Self::Note => "note",
            Self::ApiKey => "api_key",
            Self::Attachment => "attachment",
        }
    }

    /// The kind of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where one version of a secret stands. What is sealed for one place opens at no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The account.
    pub account: AccountId,
    /// The secret.
    pub secret: SecretId,
    /// The number of the version.
    pub version: i64,
    /// The kind.
    pub kind: SecretKind,
}

/// Bytes that a ciphertext is bound to: fields, each with its length before it, so that no two
/// lists of fields give the same bytes. On the stack, for it is made at each seal.
pub(crate) struct Bound {
    bytes: [u8; Self::CAPACITY],
    length: usize,
}

impl Bound {
    /// Room for the longest: a label, four numbers, three ids and a kind.
    const CAPACITY: usize = 128;

    pub(crate) fn new(label: &str) -> Self {
        Self { bytes: [0; Self::CAPACITY], length: 0 }.with(label.as_bytes())
    }

    pub(crate) fn with(mut self, field: &[u8]) -> Self {
        let end = self.length + 1 + field.len();
        self.bytes[self.length] = u8::try_from(field.len()).expect("fields are ids, numbers and words");
        self.bytes[self.length + 1..end].copy_from_slice(field);
        self.length = end;
        self
    }

    pub(crate) fn at(self, place: &Place) -> Self {
        self.with(place.workspace.as_ref())
            .with(place.account.as_ref())
            .with(place.secret.as_ref())
            .with(&place.version.to_be_bytes())
            .with(place.kind.as_str().as_bytes())
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_word() {
        for kind in SecretKind::ALL {
            assert_eq!(SecretKind::from_word(kind.as_str()), Some(*kind));
        }
        assert_eq!(SecretKind::from_word("Password"), None);
    }

    #[test]
    fn no_two_lists_of_fields_bind_to_the_same_bytes() {
        let lists: [&[&[u8]]; 5] = [&[b"ab", b"c"], &[b"a", b"bc"], &[b"abc"], &[b"ab", b"c", b""], &[]];
        for (at, one) in lists.iter().enumerate() {
            for other in &lists[at + 1..] {
                let bind = |fields: &[&[u8]]| {
                    fields.iter().fold(Bound::new("x"), |bound, field| bound.with(field)).as_slice().to_vec()
                };
                assert_ne!(bind(one), bind(other));
            }
        }
    }
}
