//! The keyed digest by which an earlier value is recognised without being kept.

use hmac::{Hmac, KeyInit, Mac};
use latchkey_kernel::id::{AccountId, WorkspaceId};
use sha2::Sha256;

use crate::KeyRing;

/// HMAC-SHA-256 of a secret's value under a key for this use, the same for the same value of the
/// same account: for *never an earlier value again*. Says nothing without the root key.
pub fn value_digest(ring: &KeyRing, workspace: WorkspaceId, account: AccountId, plain: &[u8]) -> [u8; 32] {
    let key = ring.key_for("value digest");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key[..]).expect("HMAC takes keys of any length");
    // Ids have one length, so nothing else can give the same bytes.
    mac.update(workspace.as_ref());
    mac.update(account.as_ref());
    mac.update(plain);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_kernel::{SeededEntropy, Timestamp};

    #[test]
    fn the_same_value_is_known_again_in_its_account_alone() {
        let entropy = SeededEntropy::new(1);
        let ring = KeyRing::ephemeral(&entropy);
        let now = Timestamp::from_micros(1);
        let workspace = WorkspaceId::fresh(now, &entropy);
        let (one, two) = (AccountId::fresh(now, &entropy), AccountId::fresh(now, &entropy));
        let digest = value_digest(&ring, workspace, one, b"value");
        assert_eq!(digest, value_digest(&ring, workspace, one, b"value"));
        assert_ne!(digest, value_digest(&ring, workspace, one, b"Value"));
        assert_ne!(digest, value_digest(&ring, workspace, two, b"value"));
        assert_ne!(digest, value_digest(&KeyRing::ephemeral(&entropy), workspace, one, b"value"));
    }
}
