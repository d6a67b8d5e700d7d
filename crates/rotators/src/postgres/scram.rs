//! The verifier that PostgreSQL keeps of a password (RFC 5802, RFC 7677), computed on our side, so that the
//! password itself never reaches the server, its log or its statistics.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The fewest rounds that RFC 7677 allows, and what PostgreSQL itself uses.
pub(super) const FEWEST_ROUNDS: u32 = 4_096;
/// Each login costs the client this many; more would look like a target that hangs.
pub(super) const MOST_ROUNDS: u32 = 1_000_000;

/// `SCRAM-SHA-256$rounds:salt$StoredKey:ServerKey`.
pub(super) fn verifier(password: &str, salt: &[u8; 16], rounds: u32) -> Zeroizing<String> {
    // What SASLprep refuses, PostgreSQL and its clients take as it is.
    let prepared = match stringprep::saslprep(password) {
        Ok(prepared) => Zeroizing::new(prepared.into_owned()),
        Err(_) => Zeroizing::new(password.to_owned()),
    };
    let salted = salted(prepared.as_bytes(), salt, rounds);
    let client_key = Zeroizing::new(hmac(&*salted, b"Client Key"));
    let stored_key: [u8; 32] = Sha256::digest(*client_key).into();
    let server_key = hmac(&*salted, b"Server Key");
    Zeroizing::new(format!(
        "SCRAM-SHA-256${rounds}:{}${}:{}",
        BASE64.encode(salt),
        BASE64.encode(stored_key),
        BASE64.encode(server_key)
    ))
}

/// PBKDF2 with HMAC-SHA-256, one block (RFC 5802's `Hi`).
fn salted(password: &[u8], salt: &[u8; 16], rounds: u32) -> Zeroizing<[u8; 32]> {
    let keyed = keyed(password);
    let mut mac = keyed.clone();
    mac.update(salt);
    mac.update(&1_u32.to_be_bytes());
    let mut last: [u8; 32] = mac.finalize().into_bytes().into();
    let mut sum = Zeroizing::new(last);
    for _ in 1..rounds {
        let mut mac = keyed.clone();
        mac.update(&last);
        last = mac.finalize().into_bytes().into();
        for (sum, byte) in sum.iter_mut().zip(last) {
            *sum ^= byte;
        }
    }
    sum
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against RFC 7677's example: user `user`, password `pencil`, 4096 rounds.
    #[test]
    fn the_keys_are_those_of_rfc_7677() {
        let salt: [u8; 16] = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let messages = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
                        r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
                        c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let verifier = verifier("pencil", &salt, 4_096);
        let server_key = BASE64.decode(verifier.rsplit_once(':').unwrap().1).unwrap();
        let signature = BASE64.encode(hmac(&server_key, messages.as_bytes()));
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert!(verifier.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"), "{}", *verifier);
    }

    #[test]
    fn what_saslprep_makes_one_has_one_verifier_and_what_it_refuses_is_taken_as_it_is() {
        let salt = [7; 16];
        assert_eq!(verifier("\u{2168}", &salt, 4_096), verifier("IX", &salt, 4_096));
        assert_eq!(verifier("a\u{ad}b", &salt, 4_096), verifier("ab", &salt, 4_096));
        assert_ne!(verifier("a\u{7}b", &salt, 4_096), verifier("ab", &salt, 4_096));
        assert_ne!(verifier("a", &salt, 4_096), verifier("a", &salt, 4_097));
    }
}
