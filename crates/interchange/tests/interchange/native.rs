//! Our own files: what is written reads again as what it was.

use latchkey_interchange::{Format, Item, Limits, Unlock, read, to_csv, to_json};
use proptest::prelude::*;

use crate::support::{faults, items};

/// Items as they come, by way of a file that somebody else could have written.
fn read_all(bytes: &[u8]) -> Vec<Item> {
    let reading = read(bytes, &Unlock::default(), &Limits::default()).unwrap();
    assert_eq!(faults(&reading), [] as [String; 0]);
    reading.items
}

fn lines(bytes: &[u8]) -> Vec<String> {
    items(&read(bytes, &Unlock::default(), &Limits::default()).unwrap())
}

proptest! {
    #[test]
    fn what_is_exported_is_imported_as_it_was(
        texts in prop::collection::vec(("[a-zA-Z\",;\n 'é=+@-]{1,12}", "\\PC{1,20}", "[^/\\pC\\s]{1,8}"), 1..6)
    ) {
        let written: Vec<_> = texts.iter().map(|(name, value, folder)| serde_json::json!({
            "name": format!("n{name}"), "collection": [folder], "urls": ["https://a.example/?a=1,2;3"],
            "username": format!("u{value}"), "password": value, "totp": "JBSWY3DP",
            "notes": format!("a\r\n{value}"), "ssh_key": "-----BEGIN\nx\n-----END\n",
            "fields": [{ "name": "PIN", "value": format!("v{value}") }, { "name": "PIN", "value": "two" }],
        })).collect();
        let file = serde_json::json!({ "format": "latchkey-export-1", "items": written }).to_string();
        let first = read_all(file.as_bytes());
        let shown = lines(file.as_bytes());
        prop_assert_eq!(first.len(), texts.len());
        prop_assert_eq!(lines(&to_json(&first)), shown.clone());
        prop_assert_eq!(lines(&to_csv(&first)), shown);
    }
}

#[test]
fn our_files_are_known_by_their_content() {
    let limits = Limits::default();
    assert_eq!(Format::recognise(&to_json(&[]), &limits), Ok(Format::LatchkeyJson));
    assert_eq!(Format::recognise(&to_csv(&[]), &limits), Ok(Format::LatchkeyCsv));
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
}

#[test]
fn an_item_with_a_field_that_we_would_lose_is_told() {
    let file =
        br#"{"format":"latchkey-export-1","items":[{"name":"A","passwrd":"x"},{"name":"B","password":"y"}]}"#;
    let reading = read(file, &Unlock::default(), &Limits::default()).unwrap();
    assert_eq!(items(&reading), ["B | password=y"]);
    assert_eq!(reading.errors.len(), 1);
    assert!(!faults(&reading)[0].contains("passwrd\":\"x"), "no value is quoted");
}
