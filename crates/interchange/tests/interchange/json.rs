//! 1Password's 1PUX and Bitwarden's JSON.

use std::io::{Cursor, Write};

use crate::support::{faults, items, password};
use latchkey_interchange::{Format, Limits, ReadError, Unlock, read};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

fn pux(data: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let packed = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in [("export.attributes", &b"{}"[..]), ("export.data", data), ("files/a__b", b"x")] {
        zip.start_file(name, packed).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn login(value: &str, designation: &str) -> Value {
    json!({ "value": value, "id": "", "name": designation, "fieldType": "T", "designation": designation })
}

#[test]
fn a_1pux_gives_its_logins_keys_and_fields_by_vault() {
    let data = json!({ "accounts": [{
        "attrs": { "accountName": "Corp", "name": "Ana", "email": "ana@corp.example" },
        "vaults": [
            { "attrs": { "uuid": "v1", "name": "Shared" }, "items": [
                { "uuid": "i1", "favIndex": 0, "state": "active", "categoryUuid": "001",
                  "details": {
                    "loginFields": [
                        login("ana", "username"), login("pw", "password"),
                        { "value": "✓", "name": "remember", "fieldType": "C" },
                    ],
                    "notesPlain": "a note",
                    "sections": [{ "title": "", "name": "s", "fields": [
                        { "title": "one-time password", "id": "t", "value": { "totp": "otpauth://totp/x?secret=JBSWY3DP" } },
                        { "title": "PIN", "id": "p", "value": { "concealed": "0000" } },
                        { "title": "second site", "id": "u", "value": { "url": "https://b.example" } },
                        { "title": "mail", "id": "m", "value": { "email": { "email_address": "a@b.example", "provider": null } } },
                        { "title": "until", "id": "d", "value": { "monthYear": 202_601 } },
                        { "title": "scan", "id": "f", "value": { "file": { "fileName": "scan.png" } } },
                    ] }],
                    "passwordHistory": [{ "value": "earlier", "time": 1 }] },
                  "overview": { "title": "Site", "subtitle": "ana", "url": "https://a.example",
                    "urls": [{ "label": "website", "url": "https://a.example" }], "tags": ["work"] } },
                { "item": { "uuid": "i2", "details": { "password": "alone", "loginFields": [], "sections": [] },
                  "overview": { "title": "Password" } } },
                { "uuid": "i3", "state": "archived", "details": {}, "overview": { "title": "Old" } },
                { "uuid": "i4", "overview": 7 },
            ] },
            { "attrs": { "name": "Ops" }, "items": [
                { "uuid": "i5", "categoryUuid": "114", "details": { "sections": [{ "fields": [
                    { "title": "private key", "id": "private_key", "value": { "sshKey": { "privateKey": "KEY", "metadata": {} } } },
                ] }] }, "overview": { "title": "Box" } },
            ] },
        ],
    }] });
    let reading = read(&pux(data.to_string().as_bytes()), &Unlock::default(), &Limits::default()).unwrap();
    assert_eq!(reading.format, Format::OnePasswordPux);
    assert_eq!(
        items(&reading),
        [
            "Site | in=Shared | url=https://a.example | url=https://b.example | user=ana | password=pw \
             | totp=otpauth://totp/x?secret=JBSWY3DP | notes=a note | PIN=0000 | mail=a@b.example \
             | until=202601 | tags=work",
            "Password | in=Shared | password=alone",
            "Box | in=Ops | key=KEY",
        ]
    );
    let faults = faults(&reading);
    assert_eq!(faults[0], "field item 1 (Site): scan: an attached file");
    assert_eq!(faults[1], "item item 3 (Old): state: archived");
    assert!(faults[2].starts_with("item item 4: the item: a value has another type"), "{}", faults[2]);
    assert_eq!(faults.len(), 3);
}

#[test]
fn a_zip_that_is_no_1pux_or_a_bomb_or_cut_is_refused() {
    let limits = Limits { unpacked_bytes: 1 << 20, ..Limits::default() };
    let bomb = pux(&vec![b' '; 2 << 20]);
    assert!(bomb.len() < 10_000);
    let refused = |bytes: &[u8]| read(bytes, &Unlock::default(), &limits).unwrap_err();
    assert!(matches!(refused(&bomb), ReadError::TooLarge { limit, .. } if limit == 1 << 20));
    assert!(matches!(refused(&bomb[..bomb.len() / 2]), ReadError::Malformed { .. }));
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    let other = zip.finish().unwrap().into_inner();
    assert!(refused(&other).to_string().contains("no `export.data`"));
    let deep = format!("{{\"accounts\":{}", "[".repeat(100_000));
    assert!(matches!(refused(&pux(deep.as_bytes())), ReadError::Malformed { .. }));
}

fn bitwarden() -> Value {
    json!({ "encrypted": false,
        "folders": [{ "id": "f1", "name": "Work/Web" }],
        "collections": [{ "id": "c1", "organizationId": "o", "name": "Ops", "externalId": null }],
        "items": [
            { "id": "1", "folderId": "f1", "type": 1, "name": "Site", "notes": null, "favorite": true,
              "fields": [{ "name": "PIN", "value": "0000", "type": 1 }, { "name": "on", "value": "true", "type": 2 },
                         { "name": "linked", "value": null, "type": 3, "linkedId": 100 }],
              "login": { "uris": [{ "match": null, "uri": "https://a.example" }, { "uri": null }],
                         "username": "ana", "password": "pw", "totp": "JBSWY3DP",
                         "fido2Credentials": [{ "credentialId": "x" }] },
              "passwordHistory": [{ "password": "earlier" }], "collectionIds": null },
            { "id": "2", "folderId": null, "collectionIds": ["c1"], "type": 5, "name": "Box",
              "sshKey": { "privateKey": "KEY", "publicKey": "PUB", "keyFingerprint": "FP" } },
            { "id": "3", "type": 3, "name": "Card", "card": { "number": "0000", "expYear": 2030, "code": null } },
            { "id": "4", "type": 2, "name": "Gone", "notes": "x", "deletedDate": "2024-01-01T00:00:00Z" },
            { "id": "5", "type": 1, "name": ["no text"] },
        ] })
}

#[test]
fn bitwarden_in_the_open() {
    let reading = read(bitwarden().to_string().as_bytes(), &Unlock::default(), &Limits::default()).unwrap();
    let mut found = items(&reading);
    assert_eq!(found.remove(2).split(" | ").count(), 3, "a card's two fields with its name");
    assert_eq!(
        found,
        [
            "Site | in=Work>Web | url=https://a.example | user=ana | password=pw | totp=JBSWY3DP | PIN=0000 | on=true",
            "Box | in=Ops | key=KEY",
        ]
    );
    let faults = faults(&reading);
    assert_eq!(
        faults[..2],
        ["field item 1 (Site): fido2Credentials: a passkey", "item item 4 (Gone): deletedDate: in the trash",]
    );
    assert!(faults[2].starts_with("item item 5: the item: a value has another type"));
}

/// Two files that another implementation sealed, by each of the two key derivations.
#[test]
fn bitwarden_under_a_password_opens_with_it_and_with_no_other() {
    for file in ["bitwarden-pbkdf2.json", "bitwarden-argon2.json"] {
        let bytes = std::fs::read(format!("{}/testdata/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let opened = |unlock: &Unlock| read(&bytes, unlock, &Limits::default());
        assert_eq!(items(&opened(&password("correct horse")).unwrap()), ["Site | user=ana | password=pw"]);
        assert_eq!(opened(&password("wrong horse")).unwrap_err(), ReadError::WrongKey);
        assert_eq!(opened(&Unlock::default()).unwrap_err(), ReadError::Locked { or: None });
        let unlock = password("correct horse");
        let text = String::from_utf8(bytes.clone()).unwrap();
        let at = text.find("\"data\": \"2.").unwrap() + 60;
        let altered = [&text[..at], if &text[at..=at] == "A" { "B" } else { "A" }, &text[at + 1..]].concat();
        assert_eq!(read(altered.as_bytes(), &unlock, &Limits::default()).unwrap_err(), ReadError::WrongKey);
        let dear = Limits { kdf_work: 1_000, ..Limits::default() };
        assert!(matches!(read(&bytes, &unlock, &dear), Err(ReadError::TooCostly { .. })));
    }
    let account = br#"{"encrypted":true,"encKeyValidation_DO_NOT_EDIT":"2.a|b|c","items":[]}"#;
    let refused = read(account, &password("x"), &Limits::default()).unwrap_err().to_string();
    assert!(refused.contains("only in the Bitwarden account that made it"), "{refused}");
}
