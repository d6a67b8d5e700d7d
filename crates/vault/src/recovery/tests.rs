use latchkey_kernel::SeededEntropy;
use secrecy::ExposeSecret;

use super::*;
use crate::KeyError;

#[test]
fn what_is_sealed_for_the_kit_opens_with_it_and_where_it_belongs() {
    let entropy = SeededEntropy::new(1);
    let kit = RecoveryKit::fresh(&entropy);
    let sealed = kit.public().seal(b"here", &[7; KEY], &entropy);
    assert_eq!(*kit.open(b"here", &sealed).unwrap(), [7; KEY]);
    assert!(matches!(kit.open(b"there", &sealed), Err(KeyError::NotOpened { .. })));
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert!(kit.open(b"here", &altered).is_err(), "byte {at}");
        assert!(kit.open(b"here", &sealed[..at]).is_err(), "cut at {at}");
    }
    let other = RecoveryKit::fresh(&entropy);
    let error = other.open(b"here", &sealed).unwrap_err().to_string();
    assert!(error.contains(&kit.public().id()) && error.contains(&other.public().id()), "{error}");
}

#[test]
fn a_kit_that_was_printed_is_read_as_people_type_it() {
    let entropy = SeededEntropy::new(2);
    let kit = RecoveryKit::fresh(&entropy);
    let text = kit.to_text();
    let text = text.expose_secret();
    assert_eq!((text.len(), text.split('-').count()), (69, 14), "{text}");
    let typed = [
        text.to_owned(),
        text.to_lowercase().replace('-', " "),
        text.replace('-', ""),
        text.replace('0', "o").replace('1', "l"),
        format!("\n{text}\n"),
    ];
    for typed in typed {
        assert_eq!(RecoveryKit::parse(&typed).unwrap().public(), kit.public(), "{typed}");
    }
    assert_eq!(RecoveryKit::parse(&text[..68]).unwrap_err(), KitError::Length { count: 55 });
    assert_eq!(RecoveryKit::parse("").unwrap_err(), KitError::Length { count: 0 });
}

#[test]
fn any_one_letter_mistyped_is_found() {
    let kit = RecoveryKit::fresh(&SeededEntropy::new(3));
    let text = kit.to_text();
    let text = text.expose_secret();
    for (at, c) in text.char_indices().filter(|(_, c)| *c != '-') {
        let mut typed = text.to_owned();
        typed.replace_range(at..=at, if c == 'X' { "Y" } else { "X" });
        assert_eq!(RecoveryKit::parse(&typed).unwrap_err(), KitError::Mistyped, "letter {at}");
        typed.replace_range(at..=at, "!");
        assert!(RecoveryKit::parse(&typed).is_err());
    }
}

#[test]
fn v1_neither_debug_nor_an_error_shows_the_kit() {
    let kit = RecoveryKit::fresh(&SeededEntropy::new(4));
    let text = kit.to_text();
    let group = &text.expose_secret()[5..9];
    let shown =
        format!("{kit:?} {text:?} {:?}", RecoveryKit::parse(&text.expose_secret()[..60]).unwrap_err());
    assert!(!shown.contains(group), "{shown}");
}
