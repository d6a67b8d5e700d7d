//! Secrets of accounts, their versions, and the keys that versions are sealed under.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, SecretId, WorkspaceId};

use crate::member::words;

words! {
    /// What a secret is.
    SecretKind {
        /// The account's password; an account has at most one.
        Password = "password",
        /// The seed of one-time codes.
        Totp = "totp",
        /// Codes for when the second factor is lost, each good once.
        RecoveryCodes = "recovery_codes",
        /// A private key for SSH.
        SshKey = "ssh_key",
        /// A text.
        Note = "note",
        /// A key for an API.
        ApiKey = "api_key",
        /// A small file.
        Attachment = "attachment",
    }
}

words! {
    /// Where a version of a secret stands.
    VersionState {
        /// Stored before anything was tried with it (V2).
        Pending = "pending",
        /// The one in use.
        Current = "current",
        /// The one before.
        Previous = "previous",
        /// An earlier one, or one that never came into use.
        Retired = "retired",
    }
}

/// Something that an account holds and that is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: SecretId,
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// What it is.
    pub kind: SecretKind,
    /// What people call it.
    pub label: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// Who added it, as the audit log writes actors.
    pub created_by: String,
}

/// A version of a secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// The secret.
    pub secret_id: SecretId,
    /// Its number, which only grows within the secret.
    pub version: i64,
    /// Where it stands.
    pub state: VersionState,
    /// The workspace key that it is sealed under.
    pub key_number: i64,
    /// A keyed hash of the value, so that none is used twice.
    pub digest: [u8; 32],
    /// When it was stored.
    pub created_at: Timestamp,
    /// Who stored it, as the audit log writes actors.
    pub created_by: String,
    /// When it was proven at the system that it opens.
    pub verified_at: Option<Timestamp>,
    /// When it stopped being the one in use, or was given up before it was.
    pub retired_at: Option<Timestamp>,
}

/// A value that has been sealed for its place, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedValue {
    /// The version that it was sealed as.
    pub version: i64,
    /// The workspace key that it was sealed under.
    pub key_number: i64,
    /// A keyed hash of the value.
    pub digest: [u8; 32],
    /// The ciphertext.
    pub sealed: Vec<u8>,
}

/// That a recovery code was used, and is no good any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BurnedCode {
    /// The secret.
    pub secret_id: SecretId,
    /// The version that the code is in.
    pub version: i64,
    /// Which code of it, from 0.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// By whom, as the audit log writes actors.
    pub by: String,
}

/// A workspace key as it is kept: wrapped, twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its number in the workspace, from 1. The highest seals; the others open.
    pub number: i64,
    /// The key-encryption key that `primary` is wrapped under.
    pub kek_id: String,
    /// The wrap that opens every day.
    pub primary: Vec<u8>,
    /// The wrap for when the key-encryption key is lost.
    pub recovery: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the last version that it sealed was sealed anew under another; it seals nothing from then on.
    pub retired_at: Option<Timestamp>,
}
