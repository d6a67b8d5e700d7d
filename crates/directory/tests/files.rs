//! People and groups in files: what comes out, what is refused, and when nothing has to be read.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use latchkey_directory::{AnySource, Options, Reading};
use latchkey_expr::Surroundings;
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::jobfile::{Directory, FileFormat};
use latchkey_provisioning::{Entry, EntryId, Kind, ObjectMapping, Presence, defaults, desired};
use serde_json::json;
use tempfile::TempDir;

const PEOPLE: &str = "\
id,userName,firstName,lastName,mail,enabled,manager,otherMails[],role
17,mira@quarry.example,Mira,\"O'Kéfa, Dr.\",mira@quarry.example,yes,9,m@a.example; m@b.example,
9,Boris@quarry.example,Boris,Tal,boris@quarry.example,TRUE,,,
23,lena@quarry.example,Lena,Ost,,0,boris@QUARRY.example,,auditor;reader
";
const GROUPS: &str = "\
id,displayName,members,assigned
geo,Geology,17;BORIS@quarry.example;lab;17;nobody,true
lab,Laboratory,,false
";
const MEMBERSHIPS: &str = "group,member\nlab,23\nlab,9\ngeo,9\n";

struct Case {
    folder: TempDir,
    options: Options,
}

impl Case {
    fn new(format: FileFormat, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let named =
            |stem: &str| files.iter().map(|(name, _)| (*name).to_owned()).find(|name| name.starts_with(stem));
        let directory = Directory::Files {
            format,
            folder: None,
            users: named("people").unwrap_or_else(|| "people.csv".to_owned()),
            groups: named("groups"),
            memberships: named("memberships"),
        };
        let names = |mapping: ObjectMapping| -> Vec<String> {
            mapping.source_attributes().into_iter().map(str::to_owned).collect()
        };
        let mut users = names(defaults::users());
        users.extend(["objectId", "otherMails", "tags"].map(str::to_owned));
        let wanted = Wanted { users: Some(users), groups: Some(names(defaults::groups())) };
        let base = folder.path().to_owned();
        let options = Options { directory, base, source_dir: None, wanted, sync_all: true, secret: None };
        Self { folder, options }
    }

    fn csv() -> Self {
        let files = [("people.csv", PEOPLE), ("groups.csv", GROUPS), ("memberships.csv", MEMBERSHIPS)];
        Self::new(FileFormat::Csv, &files)
    }

    fn source(&self) -> AnySource {
        AnySource::open(self.options.clone()).expect("a source of files")
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    async fn error(&self) -> SourceError {
        match self.source().read(None).await {
            Err(error) => error,
            Ok(reading) => drain(reading).await.expect_err("the files are wrong"),
        }
    }
}

async fn drain(mut reading: Reading) -> Result<(Vec<Change>, Watermark), SourceError> {
    let mut all = Vec::new();
    while let Some(page) = reading.next().await? {
        assert!(page.len() <= 1_000);
        all.extend(page);
    }
    Ok((all, reading.watermark()))
}

async fn all(source: &AnySource) -> (Vec<Change>, Watermark) {
    drain(source.read(None).await.expect("files")).await.expect("whole files")
}

fn entry<'c>(changes: &'c [Change], id: &str) -> &'c Entry {
    let of = |change: &'c Change| match change {
        Change::Present { entry, .. } if entry.id.0 == id => Some(&**entry),
        _ => None,
    };
    changes.iter().find_map(of).unwrap_or_else(|| panic!("no {id}"))
}

fn members(changes: &[Change], id: &str) -> Vec<String> {
    let of = |change: &Change| match change {
        Change::Present { entry, members: Some(Members::Whole(members)) } if entry.id.0 == id => {
            Some(members.iter().map(|member| member.0.clone()).collect())
        }
        _ => None,
    };
    changes.iter().find_map(of).unwrap_or_else(|| panic!("no members of {id}"))
}

#[tokio::test]
async fn rows_become_whole_objects_with_the_names_that_the_default_mappings_use() {
    let source = Case::csv();
    let source = source.source();
    let reading = source.read(None).await.unwrap();
    assert!(reading.is_full());
    assert_eq!(reading.expected(), Some(5));
    let changes = drain(reading).await.unwrap().0;
    let kinds: Vec<Kind> = changes.iter().map(Change::kind).collect();
    assert_eq!(kinds, [Kind::User, Kind::User, Kind::User, Kind::Group, Kind::Group]);

    let mira = entry(&changes, "user:17");
    for (name, value) in [
        ("userPrincipalName", json!("mira@quarry.example")),
        ("givenName", json!("Mira")),
        ("surname", json!("O'Kéfa, Dr.")),
        ("mail", json!("mira@quarry.example")),
        ("objectId", json!("17")),
        ("otherMails", json!(["m@a.example", "m@b.example"])),
    ] {
        assert_eq!(mira.attributes.get(name), Some(&value), "{name}");
    }
    assert!(mira.enabled && mira.presence == Presence::Present);
    assert_eq!(mira.manager, Some(EntryId("user:9".to_owned())));
    let lena = entry(&changes, "user:23");
    assert!(!lena.enabled && !lena.attributes.contains_key("mail"));
    assert_eq!(lena.manager, Some(EntryId("user:9".to_owned())), "by login name, in any case");

    assert_eq!(members(&changes, "group:geo"), ["user:17", "user:9", "group:lab", "user:nobody"]);
    assert_eq!(members(&changes, "group:lab"), ["user:23", "user:9"]);

    let surroundings = Surroundings::fixed();
    let wanted = desired(mira, &defaults::users(), false, &surroundings).unwrap();
    let resource = serde_json::Value::Object(wanted.resource());
    assert_eq!(resource["userName"], "mira@quarry.example");
    assert_eq!(resource["name"]["familyName"], "O'Kéfa, Dr.");
    let geology = entry(&changes, "group:geo");
    let wanted = desired(geology, &defaults::groups(), false, &surroundings).unwrap();
    assert_eq!(
        serde_json::Value::Object(wanted.resource()),
        json!({"displayName": "Geology", "externalId": "geo"})
    );
}

#[tokio::test]
async fn json_says_the_same_as_csv() {
    let people = json!([
        {"id": 17, "userName": "mira@quarry.example", "firstName": "Mira", "lastName": "O'Kéfa, Dr.",
         "mail": "mira@quarry.example", "enabled": true, "manager": "9",
         "otherMails": ["m@a.example", "m@b.example"]},
        {"id": "9", "userName": "Boris@quarry.example", "firstName": "Boris", "lastName": "Tal",
         "mail": "boris@quarry.example"},
        {"id": "23", "userName": "lena@quarry.example", "firstName": "Lena", "lastName": "Ost", "mail": null,
         "enabled": "no", "manager": "boris@QUARRY.example", "role": ["auditor", "reader"]},
    ]);
    let groups = json!([
        {"id": "geo", "displayName": "Geology", "assigned": true,
         "members": ["17", "BORIS@quarry.example", "lab", 17, "nobody"]},
        {"id": "lab", "displayName": "Laboratory", "assigned": false},
    ]);
    let memberships = json!([{"group": "lab", "member": 23}, {"group": "lab", "member": "9"}, {"group": "geo", "member": "9"}]);
    let marked = format!("\u{feff}{people}\n");
    let files = [
        ("people.json", marked.as_str()),
        ("groups.json", &groups.to_string()),
        ("memberships.json", &memberships.to_string()),
    ];
    let from_json = all(&Case::new(FileFormat::Json, &files).source()).await.0;
    let from_csv = all(&Case::csv().source()).await.0;
    assert_eq!(from_json, from_csv);
}

#[tokio::test]
async fn who_is_assigned_says_a_column_or_a_group() {
    let mut case = Case::csv();
    case.options.sync_all = false;
    let changes = all(&case.source()).await.0;
    let roles = |id: &str| -> Vec<&str> {
        entry(&changes, id).assignments.iter().map(|one| one.role.as_str()).collect()
    };
    assert_eq!(roles("user:17"), [""], "through Geology");
    assert_eq!(roles("user:9"), [""], "through Geology, once");
    assert_eq!(roles("user:23"), ["auditor", "reader"]);
    assert_eq!((roles("group:geo"), roles("group:lab")), (vec![""], vec![]));

    let mut case = Case::new(FileFormat::Csv, &[("people.csv", "id\n1\n")]);
    case.options.sync_all = false;
    let error = case.error().await;
    assert!(error.message.contains("no column \"assigned\""), "{error}");
}

#[tokio::test]
async fn each_row_that_is_wrong_is_named_with_its_file_line_column_what_was_found_and_what_is_allowed() {
    for (file, from, to, words) in [
        (
            "people.csv",
            "TRUE",
            "maybe",
            "people.csv, line 3, column \"enabled\": found \"maybe\", but true, false, yes, no, 1 or 0",
        ),
        ("people.csv", "TRUE", "", "line 3, column \"enabled\": found nothing, but true"),
        ("people.csv", "\n9,", "\n,", "line 3, column \"id\": found nothing, but each row needs its own id"),
        ("people.csv", "\n9,", "\n17,", "line 3, column \"id\": found \"17\", which a row before has too"),
        ("people.csv", "23,lena", "23,more,lena", "line 4: found 10 cells, but the header has 9"),
        (
            "people.csv",
            "id,userName",
            "number,userName",
            "line 1: there is no column id or userPrincipalName; found number, userName",
        ),
        ("people.csv", "id,userName", "id,id", "line 1, column \"id\": there are two columns of this name"),
        ("people.csv", "id,userName", "id,", "line 1: column 2 has no name"),
        (
            "people.csv",
            "role",
            "accountEnabled",
            "column \"accountEnabled\": there is a column \"enabled\" too",
        ),
        ("groups.csv", "true", "ja", "groups.csv, line 2, column \"assigned\": found \"ja\""),
        (
            "groups.csv",
            "lab,Lab",
            "geo,Lab",
            "groups.csv, line 3, column \"id\": found \"geo\", which a row before",
        ),
        (
            "memberships.csv",
            "lab,9",
            "bal,9",
            "memberships.csv, line 3, column \"group\": found \"bal\", but the id of a group",
        ),
        ("memberships.csv", "lab,9", "lab,", "memberships.csv, line 3, column \"member\": found nothing"),
        (
            "memberships.csv",
            "group,",
            "team,",
            "memberships.csv, line 1: there is no column group; found team, member",
        ),
    ] {
        let case = Case::csv();
        let text = fs::read_to_string(case.path(file)).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(case.path(file), text.replacen(from, to, 1)).unwrap();
        let error = case.error().await;
        assert_eq!(error.kind, SourceErrorKind::Malformed, "{error}");
        assert!(error.message.contains(words), "{from} → {to}: wanted {words}; found {error}");
    }
    for (text, words) in [
        (r#"[{"id": "1", "enabled": 3}, 7]"#, "people.json, object 1, column \"enabled\": found \"3\""),
        (r#"[{"id": "1"}, 7]"#, "people.json, object 2: found the number 7, but an object is needed"),
        (r#"[{"id": ["1"]}]"#, "object 1, column \"id\": found a list, but a text is needed"),
        (r#"[{"name": "x"}]"#, "object 1, column \"id\": found nothing, but each row needs its own id"),
        (r#"[{"id": "1"}"#, "people.json: EOF while parsing a list at line 1"),
        (r#"{"id": "1"}"#, "a list of objects is needed"),
        (r#"[{"id": "1"}] x"#, "trailing characters"),
        ("", "EOF"),
    ] {
        let error = Case::new(FileFormat::Json, &[("people.json", text)]).error().await;
        assert!(error.message.contains(words), "{text}: {error}");
        assert_eq!(error.kind, SourceErrorKind::Malformed);
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_and_bounded() {
    let case = Case::csv();
    let rows: String = (0..60).map(|number| format!("{number},perhaps\n")).collect();
    fs::write(case.path("people.csv"), format!("id,enabled\n{rows}")).unwrap();
    fs::write(case.path("memberships.csv"), "group,member\nx,1\n").unwrap();
    let error = case.error().await;
    assert!(error.message.starts_with("61 places in the files are wrong"), "{error}");
    assert!(error.message.contains("line 51,") && !error.message.contains("line 52,"), "{error}");
    assert!(error.message.ends_with("and 11 more"), "{error}");
}

#[tokio::test]
async fn nobody_leaves_because_a_file_is_empty_or_gone() {
    for text in ["id,enabled\n", "\n", ""] {
        let error = Case::new(FileFormat::Csv, &[("people.csv", text)]).error().await;
        assert_eq!(error.kind, SourceErrorKind::Malformed);
    }
    let error = Case::new(FileFormat::Csv, &[("people.csv", "id\n")]).error().await;
    assert!(error.message.contains("has no people: an empty file would disable everybody"), "{error}");
    let error = Case::new(FileFormat::Json, &[("people.json", "[]")]).error().await;
    assert!(error.message.contains("has no people"), "{error}");
    let error = Case::new(FileFormat::Csv, &[]).error().await;
    assert_eq!(error.kind, SourceErrorKind::Malformed);
    assert!(
        error.message.contains("people.csv cannot be read") && error.message.contains("put it there"),
        "{error}"
    );
    let error = Case::new(FileFormat::Csv, &[("people.csv", "id;userName\n1;a\n")]).error().await;
    assert!(error.message.contains("cells are separated by commas"), "{error}");
    let case = Case::csv();
    fs::write(case.path("people.csv"), b"id,surname\n1,M\xFCller\n").unwrap();
    assert!(case.error().await.message.contains("line 2: this is not UTF-8"));
}

#[tokio::test]
async fn files_that_say_the_same_are_not_read_again() {
    let case = Case::csv();
    let source = case.source();
    let (changes, mark) = all(&source).await;
    assert_eq!(changes.len(), 5);
    let again = source.read(Some(&mark)).await.unwrap();
    assert!(!again.is_full());
    assert_eq!(drain(again).await.unwrap(), (vec![], mark.clone()));

    // Written again with the same in it: looked at, and nothing is new.
    fs::write(case.path("people.csv"), PEOPLE).unwrap();
    let again = source.read(Some(&mark)).await.unwrap();
    assert!(!again.is_full());
    let (changes, mark) = drain(again).await.unwrap();
    assert_eq!(changes, []);

    // One letter in a file beside it.
    fs::write(case.path("memberships.csv"), MEMBERSHIPS.replace("lab,23", "lab,17")).unwrap();
    let again = source.read(Some(&mark)).await.unwrap();
    assert!(again.is_full());
    let (changes, next) = drain(again).await.unwrap();
    assert_eq!(members(&changes, "group:lab"), ["user:17", "user:9"]);
    assert_ne!(next, mark);

    // Of other files, or of a reading that was left: all is read.
    for mark in ["", "7", "{\"files\":[]}"] {
        assert!(source.read(Some(&Watermark(mark.to_owned()))).await.unwrap().is_full());
    }
    let left = source.read(None).await.unwrap().watermark();
    assert!(source.read(Some(&left)).await.unwrap().is_full());
}

/// `count` people, every tenth of them disabled.
fn many(count: usize) -> String {
    let row = |number: usize| {
        format!(
            "{number},p{number}@quarry.example,Given{number},Family{number},{},{}\n",
            !number.is_multiple_of(10),
            number / 7
        )
    };
    "id,userPrincipalName,givenName,surname,enabled,manager\n".to_owned()
        + &(0..count).map(row).collect::<String>()
}

#[tokio::test]
async fn a_file_that_is_replaced_in_the_middle_is_no_whole_reading() {
    fn replace_by_another(path: &Path, text: &str) {
        let beside = path.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }
    let write_into_it = |path: &Path, text: &str| fs::write(path, text).unwrap();
    let ways: [fn(&Path, &str); 2] = [replace_by_another, write_into_it];
    for (at, replace) in ways.into_iter().enumerate() {
        for file in ["people.csv", "groups.csv"] {
            let case = Case::csv();
            fs::write(case.path("people.csv"), many(20_000)).unwrap();
            let mut reading = case.source().read(None).await.unwrap();
            assert!(reading.next().await.unwrap().is_some());
            if file == "people.csv" {
                replace(&case.path(file), &many(5_000));
            } else {
                replace(&case.path(file), "id,displayName\nlab,Laboratory\n");
            }
            let error = loop {
                match reading.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("taken for a whole reading: {file}, way {at}"),
                    Err(error) => break error,
                }
            };
            assert_eq!(reading.next().await, Err(error), "it stays so");
            assert_eq!(reading.watermark(), Watermark(String::new()));
        }
    }
}

#[tokio::test]
async fn some_are_fetched_and_found_by_what_people_call_them() {
    let case = Case::csv();
    let source = case.source();
    let ids = ["user:9", "user:99"].map(|id| EntryId(id.to_owned()));
    let found = source.fetch(Kind::User, &ids).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(entry(&found, "user:9").attributes["givenName"], "Boris");
    let gone = Change::Left { id: ids[1].clone(), kind: Kind::User, presence: Presence::Deleted };
    assert_eq!(found[1], gone);
    let found = source.fetch(Kind::Group, &[EntryId("group:lab".to_owned())]).await.unwrap();
    assert_eq!(members(&found, "group:lab"), ["user:23", "user:9"]);
    for (kind, text, ids) in [
        (Kind::User, "17", vec!["user:17"]),
        (Kind::User, "BORIS@quarry.EXAMPLE", vec!["user:9"]),
        (Kind::User, "boris", vec![]),
        (Kind::Group, "geology", vec!["group:geo"]),
        (Kind::Group, "17", vec![]),
    ] {
        let found = source.search(kind, text).await.unwrap();
        let found: Vec<&str> = found.iter().map(|change| change.id().0.as_str()).collect();
        assert_eq!(found, ids, "{text}");
    }
    let said = source.test().await.unwrap();
    let there = "people.csv has 3 people, groups.csv has 2 groups; every row can be read";
    assert_eq!(said, format!("{there}, but none has tags, which the mappings ask for"));
}

#[tokio::test]
async fn a_write_is_noticed_within_seconds() {
    let case = Case::csv();
    let source = case.source();
    let mark = all(&source).await.1;
    let waited = tokio::time::timeout(Duration::from_millis(300), source.changed(&mark)).await;
    assert!(waited.is_err(), "nothing changed");
    let path = case.path("people.csv");
    let writer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        fs::write(path, PEOPLE.replace("yes", "no")).unwrap();
    });
    tokio::time::timeout(Duration::from_secs(10), source.changed(&mark)).await.unwrap().unwrap();
    writer.await.unwrap();
    assert!(source.read(Some(&mark)).await.unwrap().is_full());
}

#[tokio::test]
async fn a_hundred_thousand_are_told_page_by_page_and_not_at_all_when_nothing_changed() {
    let case = Case::csv();
    fs::write(case.path("people.csv"), many(100_000)).unwrap();
    let everybody: Vec<String> = (0..100_000).map(|number: u32| number.to_string()).collect();
    let row = |group: u32| format!("g{group},Group {group},{}\n", everybody.join(";"));
    let groups: String = (0..3).map(row).collect();
    fs::write(case.path("groups.csv"), format!("id,displayName,members\n{groups}")).unwrap();
    fs::write(case.path("memberships.csv"), "group,member\ng0,p5@quarry.example\ng0,new\n").unwrap();
    let source = case.source();
    let mut reading = source.read(None).await.unwrap();
    assert_eq!(reading.expected(), Some(100_003));
    let (mut count, mut disabled, mut last) = (0, 0, Vec::new());
    while let Some(page) = reading.next().await.unwrap() {
        count += page.len();
        disabled +=
            page.iter().filter(|one| matches!(one, Change::Present { entry, .. } if !entry.enabled)).count();
        last = page;
    }
    assert_eq!((count, disabled), (100_003, 10_000));
    assert_eq!(members(&last, "group:g0").len(), 100_001);
    assert_eq!(members(&last, "group:g2").len(), 100_000);
    let mark = reading.watermark();
    let began = Instant::now();
    let again = source.read(Some(&mark)).await.unwrap();
    assert!(!again.is_full());
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
}
