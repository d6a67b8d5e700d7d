//! The `otpauth` address, as sites show it in their QR codes.

use std::fmt::Write;

use data_encoding::{Encoding, Specification};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::SecretString;
use std::sync::LazyLock;
use zeroize::Zeroizing;

use super::{Algorithm, Totp};

const SCHEME: &str = "otpauth://";
const DEFAULT_DIGITS: u8 = 6;
const DEFAULT_PERIOD: u32 = 30;
const LONGEST_PERIOD: u32 = 86_400;
/// What need not be escaped in a label or an issuer.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// RFC 4648 base32 as people have it: lower case, in groups, with or without padding.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    spec.translate.from.push_str("abcdefghijklmnopqrstuvwxyz");
    spec.translate.to.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    spec.ignore.push_str(" -=\t\r\n");
    // Some sites cut seeds at a length that leaves bits over.
    spec.check_trailing_bits = false;
    spec.encoding().expect("32 symbols are a base32 alphabet")
});

/// Why a text gives no one-time codes. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// Another `otpauth` type.
    #[error(
        "this address is for codes by counter (HOTP), which cannot be shared: set up codes by time (TOTP) at the site"
    )]
    Hotp,
    /// Another address.
    #[error("this is no address for one-time codes: it must begin with otpauth://totp/")]
    NotOtpauth,
    /// The seed is missing.
    #[error("the address has no `secret`: copy the whole address, or the setup key alone")]
    NoSecret,
    /// A part stands twice.
    #[error("the address has more than one `{part}`")]
    Twice {
        /// The name of the part.
        part: &'static str,
    },
    /// The seed is not base32.
    #[error("the setup key is not base32 (letters A to Z and digits 2 to 7): copy it again from the site")]
    NotBase32,
    /// The seed holds nothing.
    #[error("the setup key is empty: copy it again from the site")]
    EmptySecret,
    /// Another hash.
    #[error("`algorithm` must be SHA1, SHA256 or SHA512")]
    Algorithm,
    /// Other digits.
    #[error("`digits` must be 6, 7 or 8")]
    Digits,
    /// Another period.
    #[error("`period` must be a number of seconds from 1 to 86400")]
    Period,
    /// Escapes that give no text.
    #[error("the address holds a %-escape in its {part} that is not UTF-8 text")]
    Escape {
        /// Which part of it.
        part: &'static str,
    },
}

pub(super) fn parse(text: &str) -> Result<Totp, TotpError> {
    let Some(scheme) = text.get(..SCHEME.len()).filter(|head| head.eq_ignore_ascii_case(SCHEME)) else {
        if text.contains("://") {
            return Err(TotpError::NotOtpauth);
        }
        return Parts { secret: Some(seed(text)?), ..Parts::default() }.finish(String::new());
    };
    let (kind, rest) = text[scheme.len()..].split_once('/').ok_or(TotpError::NotOtpauth)?;
    match kind.to_ascii_lowercase().as_str() {
        "totp" => {}
        "hotp" => return Err(TotpError::Hotp),
        _ => return Err(TotpError::NotOtpauth),
    }
    let (label, query) = rest.split_once('?').ok_or(TotpError::NoSecret)?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let mut parts = Parts::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        parts.take(name, value)?;
    }
    parts.finish(decode(label, "label")?.to_string())
}

pub(super) fn write(totp: &Totp) -> SecretString {
    let seed = Zeroizing::new(data_encoding::BASE32_NOPAD.encode(&totp.seed));
    let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
    let (label, issuer) = (escape(&totp.label), totp.issuer.as_deref().map(escape));
    // Room for all of it, for a text that grew would leave copies of the seed behind.
    let room = 128 + seed.len() + label.len() + issuer.as_ref().map_or(0, String::len);
    let mut out = String::with_capacity(room);
    write!(
        out,
        "{SCHEME}totp/{label}?secret={}&algorithm={}&digits={}&period={}",
        *seed,
        totp.algorithm.as_str(),
        totp.digits,
        totp.period
    )
    .expect("writing to a text does not fail");
    if let Some(issuer) = issuer {
        write!(out, "&issuer={issuer}").expect("writing to a text does not fail");
    }
    SecretString::from(out)
}

#[derive(Default)]
struct Parts {
    secret: Option<Zeroizing<Vec<u8>>>,
    algorithm: Option<Algorithm>,
    digits: Option<u8>,
    period: Option<u32>,
    issuer: Option<String>,
}

impl Parts {
    /// Parts that are not known, as `image` and `counter`, say nothing about the codes.
    fn take(&mut self, name: &str, value: &str) -> Result<(), TotpError> {
        match name.to_ascii_lowercase().as_str() {
            "secret" => set(&mut self.secret, seed(&decode(value, "secret")?)?, "secret"),
            "algorithm" => set(&mut self.algorithm, algorithm(value)?, "algorithm"),
            "digits" => {
                let digits = value.parse().ok().filter(|digits| (6..=8).contains(digits));
                set(&mut self.digits, digits.ok_or(TotpError::Digits)?, "digits")
            }
            "period" => {
                let period = value.parse().ok().filter(|period| (1..=LONGEST_PERIOD).contains(period));
                set(&mut self.period, period.ok_or(TotpError::Period)?, "period")
            }
            "issuer" => set(&mut self.issuer, decode(value, "issuer")?.to_string(), "issuer"),
            _ => Ok(()),
        }
    }

    fn finish(self, label: String) -> Result<Totp, TotpError> {
        Ok(Totp {
            seed: self.secret.ok_or(TotpError::NoSecret)?,
            algorithm: self.algorithm.unwrap_or_default(),
            digits: self.digits.unwrap_or(DEFAULT_DIGITS),
            period: self.period.unwrap_or(DEFAULT_PERIOD),
            label,
            issuer: self.issuer.filter(|issuer| !issuer.is_empty()),
        })
    }
}

fn set<T>(slot: &mut Option<T>, value: T, part: &'static str) -> Result<(), TotpError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(TotpError::Twice { part }),
    }
}

fn algorithm(value: &str) -> Result<Algorithm, TotpError> {
    match value.to_ascii_uppercase().as_str() {
        "SHA1" | "SHA-1" | "HMACSHA1" => Ok(Algorithm::Sha1),
        "SHA256" | "SHA-256" | "HMACSHA256" => Ok(Algorithm::Sha256),
        "SHA512" | "SHA-512" | "HMACSHA512" => Ok(Algorithm::Sha512),
        _ => Err(TotpError::Algorithm),
    }
}

fn seed(text: &str) -> Result<Zeroizing<Vec<u8>>, TotpError> {
    let seed = BASE32.decode(text.as_bytes()).map(Zeroizing::new).map_err(|_| TotpError::NotBase32)?;
    if seed.is_empty() { Err(TotpError::EmptySecret) } else { Ok(seed) }
}

fn decode(text: &str, part: &'static str) -> Result<Zeroizing<String>, TotpError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| TotpError::Escape { part })?;
    Ok(Zeroizing::new(decoded.into_owned()))
}
