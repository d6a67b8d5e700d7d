//! What a secret's plaintext holds, where it has a structure. Passwords, SSH keys, API keys and notes
//! are their bytes; a seed for one-time codes is its `otpauth` address ([`crate::totp`]).

mod attachment;
mod recovery_codes;

pub use attachment::{Attachment, AttachmentError};
pub use recovery_codes::{RecoveryCodes, RecoveryCodesError};

/// The text is not what a secret of this kind holds: a version was sealed by another program, or
/// bound to the wrong kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed as {what} is none: it was written by a newer version of Latchkey")]
pub struct ContentError {
    what: &'static str,
}
