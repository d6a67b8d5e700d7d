//! What MySQL and MariaDB keep of a password, computed on our side, so that no statement and no log has it.

use latchkey_kernel::Entropy;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The plugins whose stored form is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plugin {
    /// MariaDB's default; MySQL's until 8.0.
    Native,
    /// MySQL's default since 8.0.
    CachingSha2,
}

/// The alphabet of crypt(3).
const CRYPT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What the server itself takes by default; it is written into the stored form in thousands.
const ROUNDS: usize = 5_000;

impl Plugin {
    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word {
            // MariaDB has rows of old with no plugin named.
            "mysql_native_password" | "" => Some(Self::Native),
            "caching_sha2_password" => Some(Self::CachingSha2),
            _ => None,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
        }
    }

    /// The stored form: letters, digits and `*$./` only, which any quoting leaves as they are.
    pub(super) fn stored(self, password: &str, entropy: &dyn Entropy) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Native => native(password),
            Self::CachingSha2 => {
                // 64 letters: six bits of each byte, all equally likely.
                let salt = entropy.bytes::<20>().map(|byte| CRYPT[usize::from(byte & 63)]);
                let digest = sha256_crypt(password.as_bytes(), &salt);
                format!("$A$005${}{}", String::from_utf8_lossy(&salt), *digest)
            }
        })
    }
}

/// `*` and the hexadecimal SHA-1 of the SHA-1.
fn native(password: &str) -> String {
    let once = Zeroizing::new(<[u8; 20]>::from(Sha1::digest(password)));
    let mut text = String::from("*");
    for byte in Sha1::digest(*once) {
        text.push_str(&format!("{byte:02X}"));
    }
    text
}

/// The digest of crypt(3)'s `$5$`, with MySQL's longer salt.
fn sha256_crypt(password: &[u8], salt: &[u8]) -> Zeroizing<String> {
    let digest = |parts: &[&[u8]]| {
        let mut hasher = Sha256::new();
        parts.iter().for_each(|part| hasher.update(part));
        Zeroizing::new(<[u8; 32]>::from(hasher.finalize()))
    };
    // As many bytes of a digest, over and over, as `like` has.
    let stretched = |digest: &[u8; 32], like: &[u8]| {
        Zeroizing::new(digest.iter().copied().cycle().take(like.len()).collect::<Vec<u8>>())
    };

    let b = digest(&[password, salt, password]);
    let mut a = Sha256::new();
    a.update(password);
    a.update(salt);
    a.update(&*stretched(&b, password));
    let mut bits = password.len();
    while bits > 0 {
        if bits & 1 == 1 {
            a.update(*b)
        } else {
            a.update(password)
        }
        bits >>= 1;
    }
    let mut round = Zeroizing::new(<[u8; 32]>::from(a.finalize()));
    let first = round[0];

    let mut passwords = Sha256::new();
    (0..password.len()).for_each(|_| passwords.update(password));
    let p = stretched(&Zeroizing::new(passwords.finalize().into()), password);
    let mut salts = Sha256::new();
    (0..16 + usize::from(first)).for_each(|_| salts.update(salt));
    let s = stretched(&salts.finalize().into(), salt);

    for number in 0..ROUNDS {
        let odd = number % 2 == 1;
        let mut hasher = Sha256::new();
        if odd {
            hasher.update(&*p)
        } else {
            hasher.update(*round)
        }
        if number % 3 != 0 {
            hasher.update(&*s);
        }
        if number % 7 != 0 {
            hasher.update(&*p);
        }
        if odd {
            hasher.update(*round)
        } else {
            hasher.update(&*p)
        }
        round = Zeroizing::new(hasher.finalize().into());
    }
    encoded(&round)
}

/// crypt(3)'s order of bytes and its base64.
fn encoded(digest: &[u8; 32]) -> Zeroizing<String> {
    let mut text = String::with_capacity(43);
    let mut push = |value: u32, letters: usize| {
        for at in 0..letters {
            text.push(char::from(CRYPT[(value >> (6 * at) & 63) as usize]));
        }
    };
    let (mut x, mut y, mut z) = (0, 10, 20);
    for _ in 0..10 {
        push(u32::from(digest[x]) << 16 | u32::from(digest[y]) << 8 | u32::from(digest[z]), 4);
        (x, y, z) = ((z + 1) % 30, (x + 1) % 30, (y + 1) % 30);
    }
    push(u32::from(digest[31]) << 8 | u32::from(digest[30]), 3);
    Zeroizing::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_kernel::SeededEntropy;

    #[test]
    fn native_is_what_the_server_computes() {
        assert_eq!(native("password"), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
    }

    /// The example of mode 7401 in hashcat's public list.
    #[test]
    fn caching_sha2_is_what_the_server_computes() {
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        };
        let salt = bytes("F9CC98CE08892924F50A213B6BC571A2C11778C5");
        let digest =
            bytes("625479393559393965414D45316477456B484F41316E64484742577A2E3162785353526B7554584647562F");
        assert_eq!(sha256_crypt(b"hashcat", &salt).as_bytes(), digest);
    }

    /// As glibc's crypt(3) has them.
    #[test]
    fn sha256_crypt_is_that_of_crypt() {
        let digest = sha256_crypt(b"Hello world!", b"saltstring");
        assert_eq!(*digest, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5");
        let digest = sha256_crypt(&[b'x'; 70], b"toolongsaltstrin");
        assert_eq!(*digest, "nHy3oaQxDt8X3fJ.XNRavvHReqdEVq9sfIc5wViEmc4");
        let digest = sha256_crypt(b"This is just a test", b"toolongsaltstrin");
        assert_eq!(*digest, "Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5");
    }

    #[test]
    fn stored_forms_need_no_quoting_and_no_two_are_alike() {
        let entropy = SeededEntropy::new(3);
        for plugin in [Plugin::Native, Plugin::CachingSha2] {
            let stored = plugin.stored("it's \"ü\"", &entropy);
            assert!(stored.bytes().all(|b| b.is_ascii_alphanumeric() || b"*$./".contains(&b)), "{}", *stored);
            assert_eq!(Plugin::from_word(plugin.as_str()), Some(plugin));
        }
        let stored = || Plugin::CachingSha2.stored("a", &entropy);
        assert_eq!(stored().len(), 7 + 20 + 43);
        assert_ne!(stored(), stored());
    }
}
