//! The tables that other programs write, each recognised by its columns alone.

use crate::support::{faults, items};
use latchkey_interchange::{Format, Limits, ReadError, Unlock, read, read_as};

fn check(text: &str, format: Format, expected: &[&str], errors: &[&str]) {
    let reading = read(text.as_bytes(), &Unlock::default(), &Limits::default()).unwrap();
    assert_eq!(reading.format, format);
    assert_eq!(items(&reading), expected);
    assert_eq!(faults(&reading), errors);
}

#[test]
fn chrome() {
    check(
        "name,url,username,password,note\r\n\
         example.com,https://example.com/login,ana@corp.example,\"comma, and \"\"quotes\"\"\",\r\n\
         ,https://www.shop.example/,kim, kept spaces ,my note\r\n",
        Format::ChromeCsv,
        &[
            "example.com | url=https://example.com/login | user=ana@corp.example | password=comma, and \"quotes\"",
            "shop.example | url=https://www.shop.example/ | user=kim | password= kept spaces  | notes=my note",
        ],
        &[],
    );
}

#[test]
fn one_password() {
    check(
        "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\n\
         Mail,https://mail.example,ana,pw,otpauth://totp/x?secret=JBSWY3DP,false,false,work;mail,\"two\nlines\"\n",
        Format::OnePasswordCsv,
        &[
            "Mail | url=https://mail.example | user=ana | password=pw | totp=otpauth://totp/x?secret=JBSWY3DP \
           | notes=two\nlines | tags=work;mail",
        ],
        &[],
    );
}

#[test]
fn bitwarden_of_a_person_and_of_an_organisation() {
    check(
        "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n\
         Work/Web,1,login,Site,a note,\"PIN: 0000\nhint: a: b\",0,\"https://a.example,https://b.example\",ana,pw,JBSWY3DP\n\
         ,,note,Just text,the text,,0,,,,\n",
        Format::BitwardenCsv,
        &[
            "Site | in=Work>Web | url=https://a.example | url=https://b.example | user=ana | password=pw \
             | totp=JBSWY3DP | notes=a note | PIN=0000 | hint=a: b",
            "Just text | notes=the text",
        ],
        &[],
    );
    check(
        "collections,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n\
         Ops,login,Box,,,0,ssh://box.example,root,pw,\n",
        Format::BitwardenCsv,
        &["Box | in=Ops | url=ssh://box.example | user=root | password=pw"],
        &[],
    );
}

#[test]
fn last_pass_with_its_notes_that_are_forms() {
    check(
        "url,username,password,totp,extra,name,grouping,fav\n\
         https://a.example,ana,pw,,a note,A,Shared-Ops\\Web,0\n\
         http://sn,,,,just a note,Note,,0\n\
         http://sn,,,,\"NoteType:SSH Key\nLanguage:en\nBit Strength:256\nPassphrase:words\n\
         Private Key:-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA: BBBB\n-----END OPENSSH PRIVATE KEY-----\n\
         Hostname:box\nNotes:one: a\ntwo: b\",Key,,0\n",
        Format::LastPassCsv,
        &[
            "A | in=Shared-Ops>Web | url=https://a.example | user=ana | password=pw | notes=a note",
            "Note | notes=just a note",
            "Key | key=-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA: BBBB\n-----END OPENSSH PRIVATE KEY----- \
             | notes=one: a\ntwo: b | Bit Strength=256 | Passphrase=words | Hostname=box",
        ],
        &[],
    );
}

#[test]
fn kee_pass_xc() {
    check(
        "\"Group\",\"Title\",\"Username\",\"Password\",\"URL\",\"Notes\",\"TOTP\",\"Icon\",\"Last Modified\",\"Created\"\n\
         \"Root/Servers\",\"Box\",\"root\",\"pw\",\"\",\"\",\"\",\"0\",\"2024-01-01T00:00:00Z\",\"2024-01-01T00:00:00Z\"\n",
        Format::KeePassCsv,
        &["Box | in=Root>Servers | user=root | password=pw"],
        &[],
    );
}

#[test]
fn what_a_spreadsheet_did_to_a_table_is_read_all_the_same() {
    for text in [
        "\u{feff}name;url;username;password\r\nA;https://a.example;ana;p,w\r\n",
        "Name\tURL\tUsername\tPassword\tExtra thing\nA\thttps://a.example\tana\tp,w\t\n\n\t\t\t\t\n",
    ] {
        check(text, Format::ChromeCsv, &["A | url=https://a.example | user=ana | password=p,w"], &[]);
    }
}

#[test]
fn each_row_that_fails_is_told_with_its_line_and_the_others_are_read() {
    let long = "x".repeat(3_000);
    check(
        &format!(
            "name,url,username,password\n\
             A,https://a.example,ana,\"two\nlines\"\n\
             B,too,few\n\
             ,,,\n\
             ,,,secret\n\
             C,,,\n\
             D,https://d.example,kim,{long}\n\
             E,https://e.example,kim,pw\n"
        ),
        Format::ChromeCsv,
        &[
            "A | url=https://a.example | user=ana | password=two\nlines",
            "E | url=https://e.example | user=kim | password=pw",
        ],
        &[
            "item line 4: the row: 3 fields where the first line has 4",
            "item line 6: name: no name, URL or login name",
            "item line 7 (C): password: neither a login nor a note",
            "item line 8 (D): password: 3000 bytes, more than 2000",
        ],
    );
}

#[test]
fn a_table_that_nobody_wrote_is_refused_by_its_columns_and_one_that_is_named_by_what_it_lacks() {
    let (unlock, limits) = (Unlock::default(), Limits::default());
    let refused = |text: &[u8]| read(text, &unlock, &limits).unwrap_err();
    assert_eq!(
        refused(b"city,country\nOslo,Norway\n"),
        ReadError::Columns { found: "city, country".to_owned() }
    );
    assert_eq!(refused(b"just some text"), ReadError::Unknown);
    assert_eq!(refused(b""), ReadError::Unknown);
    assert_eq!(refused(b"name,url\n\xff\xfe"), ReadError::Encoding { at: 9 });
    let text = b"site,user\na,b\n";
    let named = read_as(Format::ChromeCsv, text, &unlock, &limits).unwrap_err();
    assert_eq!(named, ReadError::NoColumn { format: Format::ChromeCsv, column: "name" });
    assert!(named.to_string().contains("`name`"));
}
