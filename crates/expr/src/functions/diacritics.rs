//! The letters that `NormalizeDiacritics` changes; all others stay.

/// A plain letter and its accented forms, in lower case; the upper-case ones follow from it.
const PLAIN: &[(&str, &str)] = &[
    ("a", "äàâãåáąăāǟǡ"),
    ("c", "çčć"),
    ("d", "ďḏ"),
    ("e", "ëèéêęěėēḗḕ"),
    ("g", "ğḡ"),
    ("i", "ïîìíīı"),
    ("l", "ľłḹḻ"),
    ("n", "ñńňṉ"),
    ("o", "öòőõôóōṓṑȫǭȭȱ"),
    ("r", "řṟṝ"),
    ("s", "šśșş"),
    ("t", "ťțṯ"),
    ("u", "üùûúůűūǖṻ"),
    ("y", "ÿýȳ"),
    ("z", "źžżẕ"),
    ("ae", "æǣ"),
    ("oe", "ø"),
];

/// What may follow a letter to make it an accented one, longest first.
const COMBINING: &[&str] = &[
    "\u{304}\u{301}",
    "\u{304}\u{300}",
    "\u{304}\u{302}",
    "\u{304}\u{303}",
    "\u{304}\u{308}",
    "\u{304}",
    "\u{331}",
];

/// The text with its accents taken off.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let rest = &text[at + c.len_utf8()..];
        let marks = COMBINING.iter().find(|marks| rest.starts_with(**marks));
        match (c, marks) {
            ('ß', _) => out.push_str("ss"),
            ('İ', _) => out.push('I'),
            ('œ', Some(_)) => out.push_str("oe"),
            ('Œ', Some(_)) => out.push_str("OE"),
            _ => match plain(c) {
                Some(letters) => out.push_str(&letters),
                None => out.push(c),
            },
        }
        let folds = c.is_ascii_alphabetic() || matches!(c, 'œ' | 'Œ');
        if let (true, Some(marks)) = (folds, marks) {
            for _ in marks.chars() {
                chars.next();
            }
        }
    }
    out
}

fn plain(c: char) -> Option<String> {
    let mut lower = c.to_lowercase();
    let (first, rest) = (lower.next()?, lower.next());
    let letters = PLAIN.iter().find(|(_, accented)| rest.is_none() && accented.contains(first))?.0;
    Some(if c.is_uppercase() { letters.to_uppercase() } else { letters.to_owned() })
}
