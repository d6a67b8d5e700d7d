//! The one comparison form of text that is compared without case.

use std::borrow::Cow;

/// Folds the case of text whose attribute says `caseExact: false`.
///
/// Letter by letter, so that prefixes and parts of a text fold as they do within it: the standard
/// library's lower-casing of whole strings writes a final Greek sigma differently. Everything
/// that compares, indexes or keeps apart such values uses this function, or two names could be
/// one in a filter and two in the table.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    Cow::Owned(text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::fold;
    use proptest::prelude::*;

    #[test]
    fn case_is_gone_in_every_script() {
        for (a, b) in [("Ida", "iDA"), ("ÅSE", "åse"), ("ΟΔΟΣ", "οδος"), ("οδός", "ΟΔΌΣ"), ("Ж", "ж")]
        {
            assert_eq!(fold(a), fold(b), "{a} and {b}");
        }
        assert_ne!(fold("ida"), fold("ida "));
        assert_ne!(fold("strasse"), fold("straße"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in ".*") {
            let once = fold(&text).into_owned();
            prop_assert_eq!(fold(&once).into_owned(), once.clone());
        }

        #[test]
        fn a_part_folds_as_within_the_whole(head in ".*", tail in ".*") {
            let whole = format!("{head}{tail}");
            prop_assert_eq!(fold(&whole).into_owned(), format!("{}{}", fold(&head), fold(&tail)));
        }
    }
}
