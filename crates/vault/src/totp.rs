//! One-time codes from a shared seed (RFC 6238): the server computes them, so that sharing a code
//! does not share the seed.

mod uri;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use latchkey_kernel::Timestamp;
use secrecy::SecretString;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

pub use uri::TotpError;

/// The hash that codes are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// What nearly every site uses.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The word in an `otpauth` address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

/// A seed with all that its codes depend on. Wiped from memory when dropped.
pub struct Totp {
    seed: Zeroizing<Vec<u8>>,
    algorithm: Algorithm,
    digits: u8,
    period: u32,
    /// What the site calls the login, as `Example:alice`; empty if it said nothing.
    label: String,
    issuer: Option<String>,
}

/// A code, and how long it holds.
#[derive(Debug)]
pub struct Code {
    /// The digits, leading zeros included.
    pub code: SecretString,
    /// Whole seconds until the next one, at least 1.
    pub seconds_left: u32,
}

impl Totp {
    /// Reads what a site offers when two-factor login is set up: an `otpauth://totp/…` address, or
    /// the seed alone in base32 (SHA-1, 6 digits, 30 seconds).
    ///
    /// # Errors
    /// When it is neither, or asks for what no site does; the error names the part, never the seed.
    pub fn parse(text: &str) -> Result<Self, TotpError> {
        uri::parse(text.trim())
    }

    /// The `otpauth` address that gives this seed again: the form in which it is sealed.
    pub fn to_uri(&self) -> SecretString {
        uri::write(self)
    }

    /// The code at an instant.
    pub fn code(&self, at: Timestamp) -> Code {
        let seconds = u64::try_from(at.as_micros() / 1_000_000).unwrap_or(0);
        let period = u64::from(self.period);
        let left = period - seconds % period;
        Code {
            code: self.code_for(seconds / period),
            seconds_left: u32::try_from(left).expect("no more than the period"),
        }
    }

    /// The hash that codes are made with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How many digits a code has: 6 to 8.
    pub fn digits(&self) -> u8 {
        self.digits
    }

    /// For how many seconds a code holds.
    pub fn period(&self) -> u32 {
        self.period
    }

    /// What the site calls the login; empty if it said nothing.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What the site calls itself.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// RFC 4226, 5.3: four bytes of the hash, at a place that its last half-byte says.
    fn code_for(&self, counter: u64) -> SecretString {
        let hash = match self.algorithm {
            Algorithm::Sha1 => hash::<Hmac<Sha1>>(&self.seed, counter),
            Algorithm::Sha256 => hash::<Hmac<Sha256>>(&self.seed, counter),
            Algorithm::Sha512 => hash::<Hmac<Sha512>>(&self.seed, counter),
        };
        let at = usize::from(hash.last().expect("a hash is not empty") & 0xf);
        let four: [u8; 4] = hash[at..at + 4].try_into().expect("the shortest hash has 20 bytes");
        let number = (u32::from_be_bytes(four) & 0x7fff_ffff) % 10_u32.pow(u32::from(self.digits));
        SecretString::from(format!("{number:0width$}", width = usize::from(self.digits)))
    }
}

/// Shows nothing of the seed.
impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Totp({}, {} digits, {} s, ***)", self.algorithm.as_str(), self.digits, self.period)
    }
}

fn hash<M: Mac + KeyInit>(seed: &[u8], counter: u64) -> Zeroizing<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(seed).expect("HMAC takes keys of any length");
    mac.update(&counter.to_be_bytes());
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests;
