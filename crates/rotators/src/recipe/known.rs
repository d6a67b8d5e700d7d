//! The secrets of one run, to look for where none may stand.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Secrets that are known in a run, and their spellings.
#[derive(Default)]
pub(crate) struct Known {
    spellings: Vec<Zeroizing<String>>,
}

impl Known {
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut known = Self::default();
        for secret in secrets {
            known.add(secret.expose_secret());
        }
        known
    }

    fn add(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        for spelling in
            [secret.to_owned(), form, percent, STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)]
        {
            self.spellings.push(Zeroizing::new(spelling));
        }
    }

    /// Whether a secret stands in the text, plain or encoded.
    pub(crate) fn stands_in(&self, text: &str) -> bool {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        self.spellings
            .iter()
            .any(|secret| text.contains(secret.as_str()) || decoded.contains(secret.as_str()))
    }

    /// The secrets themselves, for a page to blank them out.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = &str> {
        self.spellings.iter().map(|spelling| spelling.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_each_spelling() {
        let secret = SecretString::from("p ä/s+s&1");
        let known = Known::of([&secret]);
        let cases = [
            "https://a.test/?p=p%20%C3%A4%2Fs%2Bs%261",
            "https://a.test/?p=p+%C3%A4%2Fs%2Bs%261",
            "https://a.test/p%20ä/s+s&1",
            "Basic cCDDpC9zK3MmMQ",
        ];
        for text in cases {
            assert!(known.stands_in(text), "{text}");
        }
        assert!(!known.stands_in("https://a.test/?p=nothing"));
        assert!(!Known::of([&SecretString::from("")]).stands_in("anything"));
    }
}
