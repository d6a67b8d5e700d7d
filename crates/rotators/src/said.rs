//! What a target said, fit to be passed on: without any secret that we know, short, on one line.

use secrecy::{ExposeSecret, SecretString};

/// What stands in the place of a secret.
const MASK: &str = "[secret]";
/// Longer sayings tell no more.
const LONGEST: usize = 300;

/// A target's words without these secrets, also where they are quoted for SQL or a shell.
pub(crate) fn said<'a>(text: &str, secrets: impl IntoIterator<Item = &'a SecretString>) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if secret.is_empty() {
            continue;
        }
        for form in [
            secret.to_owned(),
            secret.replace('\'', "''"),
            secret.replace('\\', "\\\\").replace('\'', "\\'"),
            secret.replace('\\', "\\\\").replace('"', "\\\""),
        ] {
            text = text.replace(&form, MASK);
        }
        // A target may quote only the line or the part that it stumbled over.
        for part in secret.split(char::is_whitespace).filter(|part| part.len() >= 4) {
            text = text.replace(part, MASK);
        }
    }
    let mut line = String::with_capacity(text.len());
    for c in text.trim().chars().take(LONGEST) {
        line.push(if c.is_control() { ' ' } else { c });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_the_forms_in_which_targets_quote_them() {
        let secret = SecretString::from(r#"it's a "can\ary""#);
        for text in [
            r#"bad: it's a "can\ary"!"#,
            r#"near 'it''s a "can\ary"'"#,
            r#"near 'it\'s a "can\\ary"'"#,
            r#"at "can\ary" of line 1"#,
        ] {
            let words = said(text, [&secret]);
            assert!(!words.contains("ary"), "{words}");
            assert!(words.contains(MASK), "{words}");
        }
        assert_eq!(said("two\nlines", [&SecretString::from("")]), "two lines");
        assert_eq!(said(&"x".repeat(1_000), []).len(), LONGEST);
    }
}
