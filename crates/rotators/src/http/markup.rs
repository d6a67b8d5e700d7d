//! Attributes of elements in HTML, read by a tokenizer: nothing is laid out or run.

use std::collections::BTreeMap;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};
use secrecy::SecretString;

/// One element by its name, id, classes and attributes, and the attribute that is wanted of it:
/// `input[name=csrf]`, `meta[name=csrf-token]@content`, `#token@data-value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    tag: Option<String>,
    attributes: Vec<(String, Wanted)>,
    take: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Present,
    Is(String),
    Word(String),
}

impl Selector {
    /// The form field of this name.
    pub(crate) fn field(name: &str) -> Self {
        Self {
            tag: Some("input".to_owned()),
            attributes: vec![("name".to_owned(), Wanted::Is(name.to_owned()))],
            take: None,
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is no selector of one element; write tag, #id, .class, [attribute=value] \
                 without spaces between, and @attribute for what is wanted of it"
            )
        };
        let (mut rest, take) = match text.rsplit_once('@') {
            Some((selector, take)) if is_word(take) => (selector, Some(take.to_owned())),
            Some(_) => return Err(wrong()),
            None => (text, None),
        };
        let end = rest.find(['#', '.', '[']).unwrap_or(rest.len());
        let (tag, behind) = rest.split_at(end);
        rest = behind;
        if !tag.is_empty() && !is_word(tag) {
            return Err(wrong());
        }
        let mut attributes = Vec::new();
        while let Some(mark) = rest.chars().next() {
            let after = &rest[1..];
            if mark == '[' {
                let (inside, behind) = after.split_once(']').ok_or_else(wrong)?;
                let (name, wanted) = match inside.split_once('=') {
                    Some((name, value)) => (name, Wanted::Is(value.trim_matches(['"', '\'']).to_owned())),
                    None => (inside, Wanted::Present),
                };
                if !is_word(name) {
                    return Err(wrong());
                }
                attributes.push((name.to_owned(), wanted));
                rest = behind;
            } else {
                let end = after.find(['#', '.', '[']).unwrap_or(after.len());
                let (word, behind) = after.split_at(end);
                if !is_word(word) {
                    return Err(wrong());
                }
                attributes.push(match mark {
                    '#' => ("id".to_owned(), Wanted::Is(word.to_owned())),
                    _ => ("class".to_owned(), Wanted::Word(word.to_owned())),
                });
                rest = behind;
            }
        }
        if tag.is_empty() && attributes.is_empty() {
            return Err(wrong());
        }
        let tag = (!tag.is_empty()).then(|| tag.to_ascii_lowercase());
        Ok(Self { tag, attributes, take })
    }

    /// The wanted attribute of the first element that fits: `value` or `content` if none is named.
    pub(crate) fn first(&self, html: &[u8]) -> Option<SecretString> {
        self.matching(html).find_map(|attributes| {
            let take = |name: &str| attributes.get(name).cloned().map(SecretString::from);
            match &self.take {
                Some(name) => take(name),
                None => take("value").or_else(|| take("content")),
            }
        })
    }

    /// Whether an element fits.
    pub(crate) fn stands_in(&self, html: &[u8]) -> bool {
        self.matching(html).next().is_some()
    }

    fn matching<'a>(&'a self, html: &'a [u8]) -> impl Iterator<Item = BTreeMap<String, String>> + 'a {
        let mut emitter = DefaultEmitter::default();
        // Else what stands in a script would pass for elements.
        emitter.naively_switch_states(true);
        Tokenizer::new_with_emitter(html, emitter).filter_map(move |token| {
            let Ok(Token::StartTag(tag)) = token else { return None };
            let name = String::from_utf8_lossy(&tag.name).into_owned();
            if self.tag.as_ref().is_some_and(|wanted| *wanted != name) {
                return None;
            }
            let attributes: BTreeMap<String, String> = tag
                .attributes
                .iter()
                .map(|(name, value)| {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    (text(name), text(value))
                })
                .collect();
            let fits = self.attributes.iter().all(|(name, wanted)| {
                attributes.get(name).is_some_and(|value| match wanted {
                    Wanted::Present => true,
                    Wanted::Is(text) => value == text,
                    Wanted::Word(word) => value.split_ascii_whitespace().any(|class| class == word),
                })
            });
            fits.then_some(attributes)
        })
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ':'))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const PAGE: &[u8] = br#"<!doctype html><meta name="csrf-token" content='m&amp;1'>
        <!-- <input name="csrf" value="commented"> -->
        <script>document.write('<input name="csrf" value="script">')</script>
        <form><input type=hidden NAME="csrf" value="f1"><input name=csrf value=f2>
        <p class="alert error" id=why data-code="weak">no</p></form>"#;

    #[test]
    fn the_first_element_that_fits_gives_its_attribute() {
        let cases = [
            ("input[name=csrf]", Some("f1")),
            ("input[name=\"csrf\"]@type", Some("hidden")),
            ("meta[name=csrf-token]", Some("m&1")),
            ("#why@data-code", Some("weak")),
            ("p.error@id", Some("why")),
            (".alert.error[data-code]@class", Some("alert error")),
            ("p.err@id", None),
            ("textarea[name=csrf]", None),
        ];
        for (selector, found) in cases {
            let selector = Selector::parse(selector).expect("a selector");
            let value = selector.first(PAGE);
            assert_eq!(value.as_ref().map(ExposeSecret::expose_secret), found, "{selector:?}");
        }
        assert!(Selector::parse(".error").expect("a selector").stands_in(PAGE));
    }

    #[test]
    fn selectors_beyond_one_element_are_refused() {
        for text in ["", "form input", "a > b", "a:hover", "[x", "a@", "a..b", "*", "a,b"] {
            // `a:hover` is a legal name of an element with a colon, and fits nothing; the others are errors.
            assert!(Selector::parse(text).is_err() || text == "a:hover", "{text}");
        }
    }
}
