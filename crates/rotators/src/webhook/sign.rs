//! Signatures as Standard Webhooks have them, and the sealing of a secret to the receiver's key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dryoc::dryocbox::{DryocBox, PublicKey};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// What both ends sign with.
#[derive(Debug, Clone)]
pub(super) struct SigningKey(SecretSlice<u8>);

impl SigningKey {
    /// `whsec_` and base64 of 24 to 64 bytes.
    pub(super) fn parse(text: &SecretString) -> Option<Self> {
        let bytes = STANDARD.decode(text.expose_secret().trim().strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then(|| Self(bytes.into()))
    }

    /// The value of the header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).ok()?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// The receiver's X25519 key, to which nobody else holds the other half.
#[derive(Debug, Clone)]
pub(super) struct ReceiverKey(PublicKey);

impl ReceiverKey {
    /// Base64 of 32 bytes that are a point to which something can be sealed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = STANDARD.decode(text.trim()).ok()?.try_into().ok()?;
        let key = PublicKey::from(bytes);
        dryoc::keypair::is_valid_public_key(&key).then_some(Self(key))
    }

    /// A sealed box as of libsodium's `crypto_box_seal`, in base64.
    pub(super) fn seal(&self, secret: &SecretString) -> Option<String> {
        let sealed = DryocBox::seal_to_vecbox(secret.expose_secret().as_bytes(), &self.0).ok()?;
        Some(STANDARD.encode(sealed.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // Key, id, time, body and signature of the Standard Webhooks specification's reference.
        let key = SigningKey::parse(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).expect("a key");
        let signed = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(SigningKey::parse(&text.into()).is_none(), "{text}");
        }
        let zero = STANDARD.encode([0; 32]);
        for text in ["", "c2hvcnQ=", zero.as_str()] {
            assert!(ReceiverKey::parse(text).is_none(), "{text}");
        }
    }
}
