//! The text of a token: `lk_scim_` or `lk_api_`, 43 characters that hold 256 random bits, and a
//! checksum of 6, so that scanners find leaked ones and typing errors are told from wrong tokens.
//!
//! Pattern for secret scanners: `lk_(scim|api)_[0-9A-Za-z]{49}`.

use latchkey_access::TokenKind;
use latchkey_kernel::Entropy;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY: usize = 43;
const CHECK: usize = 6;
/// How much of a token people are shown to recognise it by: the prefix and four characters.
const HINT: usize = 4;

/// What stands before the random part.
pub(crate) const fn prefix(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Scim => "lk_scim_",
        TokenKind::Api => "lk_api_",
    }
}

/// A fresh token.
pub(crate) fn mint(kind: TokenKind, entropy: &dyn Entropy) -> SecretString {
    let mut text = Zeroizing::new(String::with_capacity(prefix(kind).len() + BODY + CHECK));
    text.push_str(prefix(kind));
    // Rejection sampling: 248 is the largest multiple of 62 in a byte, so every character is equally likely.
    while text.len() < prefix(kind).len() + BODY {
        let byte = entropy.bytes::<1>()[0];
        if byte < 248 {
            text.push(char::from(ALPHABET[usize::from(byte % 62)]));
        }
    }
    let check = checksum(&text);
    text.push_str(&check);
    SecretString::from(text.as_str())
}

/// Whether this could be a token of this kind: prefix, length, characters and checksum.
pub(crate) fn is_well_formed(kind: TokenKind, text: &str) -> bool {
    let Some(rest) = text.strip_prefix(prefix(kind)) else { return false };
    rest.len() == BODY + CHECK
        && rest.bytes().all(|b| b.is_ascii_alphanumeric())
        && checksum(&text[..text.len() - CHECK]) == text[text.len() - CHECK..]
}

/// The part that people may see.
pub(crate) fn hint(kind: TokenKind, text: &SecretString) -> String {
    text.expose_secret()[..prefix(kind).len() + HINT].to_owned()
}

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|b| char::from(*b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_kernel::SeededEntropy;

    #[test]
    fn a_minted_token_is_well_formed_for_its_kind_alone() {
        let entropy = SeededEntropy::new(11);
        for kind in TokenKind::ALL.iter().copied() {
            let token = mint(kind, &entropy);
            let text = token.expose_secret();
            assert_eq!(text.len(), prefix(kind).len() + 49);
            assert!(is_well_formed(kind, text));
            for other in TokenKind::ALL.iter().copied().filter(|k| *k != kind) {
                assert!(!is_well_formed(other, text));
            }
            assert_ne!(text, mint(kind, &entropy).expose_secret());
        }
    }

    #[test]
    fn one_wrong_character_is_told_by_the_checksum() {
        let token = mint(TokenKind::Scim, &SeededEntropy::new(12));
        let text = token.expose_secret();
        for at in prefix(TokenKind::Scim).len()..text.len() {
            let mut wrong = text.as_bytes().to_vec();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(TokenKind::Scim, std::str::from_utf8(&wrong).unwrap()), "at {at}");
        }
        for wrong in ["", "lk_scim_", "lk_scim_é", &text[..text.len() - 1], &format!("{text}0")] {
            assert!(!is_well_formed(TokenKind::Scim, wrong), "{wrong}");
        }
    }
}
