//! No bytes make a reader panic, hang or keep more than the bounds allow; no error has a value in it.

use latchkey_interchange::{Format, Limits, ReadError, read, read_as};
use proptest::prelude::*;

use crate::kdbx::{Made, database};
use crate::support::password;

fn small() -> Limits {
    Limits { file_bytes: 1 << 20, unpacked_bytes: 1 << 16, items: 100, kdf_work: 10_000, ..Limits::default() }
}

fn run(bytes: &[u8]) {
    let _ = read(bytes, &password("pw"), &small());
    for format in Format::ALL {
        let _ = read_as(format, bytes, &password("pw"), &small());
    }
}

/// The start of a file of each kind, to get past the first look.
const STARTS: &[&str] = &[
    "",
    "PK\u{3}\u{4}",
    "name,url,username,password\n",
    "url,username,password,totp,extra,name,grouping,fav\nhttp://sn,,,,\"NoteType:SSH Key\n",
    "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n",
    "collection,name,urls,username,password,totp,ssh_key,notes,fields\n,a,,,,,,,\"{\"",
    "{\"encrypted\":false,\"items\":[{\"name\":\"a\",\"login\":{",
    "{\"encrypted\":true,\"passwordProtected\":true,\"kdfType\":0,\"kdfIterations\":1,\"data\":\"2.",
    "{\"format\":\"latchkey-export-1\",\"items\":[{\"name\":\"a\",\"fields\":[",
    "{\"accounts\":[{\"vaults\":[{\"items\":[{\"overview\":{\"title\":\"a\"},\"details\":{\"sections\":[{\"fields\":[{\"value\":{",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_panic(start in 0..STARTS.len(), rest in prop::collection::vec(any::<u8>(), 0..300)) {
        run(&[STARTS[start].as_bytes(), &rest].concat());
    }

    #[test]
    fn no_text_of_a_format_s_own_signs_panics(start in 0..STARTS.len(), rest in "[\\[\\]{}\":,;\n\\\\a-e0-9.|=-]{0,200}") {
        run(format!("{}{rest}", STARTS[start]).as_bytes());
    }

    #[test]
    fn no_xml_panics(rest in "(<[/]?(Group|Entry|String|Key|Value|History|UUID|Name|Binary)( Protected=\"True\")?>|[a-zA-Z0-9+/=&; ]{0,6}){0,60}") {
        let _ = read(&Made::cheap(rest).file(), &password("pw"), &small());
    }

    #[test]
    fn no_change_of_a_database_panics(at in 0_usize..700, byte in any::<u8>(), cut in 0_usize..900) {
        let mut file = Made::cheap(database()).file();
        let at = at % file.len();
        file[at] = byte;
        file.truncate(file.len().min(cut.max(at + 1)));
        let _ = read(&file, &password("pw"), &small());
    }
}

#[test]
fn too_many_items_and_too_large_a_file_are_refused() {
    let mut text = "name,url,username,password\n".to_owned();
    text.extend((0..200).map(|n| format!("a,b,c{n},d\n")));
    let refused = |text: &str| read(text.as_bytes(), &password("pw"), &small()).unwrap_err();
    assert_eq!(refused(&text), ReadError::TooMany { limit: 100 });
    // Rows that fail count too.
    let text = format!("name,url,username,password\n{}", "x\n".repeat(200));
    assert_eq!(refused(&text), ReadError::TooMany { limit: 100 });
    assert_eq!(refused(&" ".repeat((1 << 20) + 1)), ReadError::TooLarge { what: "the file", limit: 1 << 20 });
}

#[test]
fn v1_no_error_has_a_value_of_a_field_in_it() {
    const CANARY: &str = "canary-5d1f";
    for text in [
        format!("name,url,username,password\nA,b,{CANARY}\n"),
        format!("name,url,username,password\nA,b,c,{}\n", CANARY.repeat(1_000)),
        format!("name,url,username,password\nA,b,c,\"{CANARY}"),
        format!(r#"{{"encrypted":false,"items":[{{"name":"A","login":{{"password":["{CANARY}"]}}}}]}}"#),
        format!(r#"{{"encrypted":false,"items":"{CANARY}"}}"#),
        format!(r#"{{"format":"latchkey-export-1","items":[{{"name":"A","password":"x","{CANARY}":1}}]}}"#),
        format!(r#"{{"format":"latchkey-export-1","items":[{{"name":"A","fields":"{CANARY}"}}]}}"#),
        format!("{{\"{CANARY}"),
        CANARY.to_owned(),
    ] {
        let reading = read(text.as_bytes(), &password(CANARY), &small());
        let said =
            format!("{reading:?} {}", reading.as_ref().map_or_else(ToString::to_string, |_| String::new()));
        assert!(!said.contains(CANARY), "{said}");
    }
}
