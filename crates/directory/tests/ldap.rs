//! People and groups in a real OpenLDAP: what comes out, and what a second reading tells.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use latchkey_daemons::slapd::{BASE, ROTATOR, Slapd};
use latchkey_directory::{AnySource, Options, Reading};
use latchkey_expr::Surroundings;
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::jobfile::{Directory, SecretFrom};
use latchkey_provisioning::{Entry, EntryId, Kind, Presence, defaults, desired};
use ldap3::{Ldap, LdapConnAsync, Mod};
use secrecy::SecretString;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How the server tells what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It says what went.
    Log,
    /// It says what is there.
    Present,
    /// It says nothing but the times of changes.
    Times,
}

const WAYS: [Way; 3] = [Way::Log, Way::Present, Way::Times];
const PEOPLE: usize = 1_203;

struct Case {
    slapd: Slapd,
    writer: Ldap,
    folder: TempDir,
    options: Options,
}

fn dn(uid: &str) -> String {
    format!("uid={uid},ou=people,{BASE}")
}

fn group(name: &str) -> String {
    format!("cn={name},ou=groups,{BASE}")
}

fn ldif() -> String {
    let mut text = format!("dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: groups\n\n");
    for number in 0..PEOPLE {
        text.push_str(&format!(
            "dn: uid=p{number},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: p{number}\ncn: Given{number} Family{number}\n\
             givenName: Given{number}\nsn: Family{number}\nmail: p{number}@corp.example\nmail: more{number}@corp.example\n\
             employeeNumber: {number}\nl: Porto\nmanager: UID=P{},OU=People, {BASE}\n\n",
            number / 10
        ));
    }
    text.push_str(&format!(
        "dn: cn=Geology,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: Geology\nmember: {}\nmember: {}\nmember: {}\nmember: cn=nobody,{BASE}\n\n",
        dn("p1"), dn("p2"), group("Lab")
    ));
    text.push_str(&format!("dn: cn=Lab,ou=groups,{BASE}\nobjectClass: groupOfUniqueNames\ncn: Lab\n"));
    (0..PEOPLE)
        .for_each(|number| text.push_str(&format!("uniqueMember: uid=p{number}, ou=people, {BASE}\n")));
    text + "\n"
}

impl Case {
    async fn new(way: Way) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "127.0.0.2".to_owned()])
            .expect("a certificate");
        let syncs = match way {
            Way::Log => Some(100),
            Way::Present => Some(0),
            Way::Times => None,
        };
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let slapd = Slapd::of_people(&ldif(), syncs, &certificate, &key).expect("slapd");
        let (connection, mut writer) =
            LdapConnAsync::new(&format!("ldap://127.0.0.1:{}", slapd.port())).await.expect("a connection");
        tokio::spawn(async move { drop(connection.drive().await) });
        writer
            .simple_bind(ROTATOR, slapd.password())
            .await
            .and_then(ldap3::LdapResult::success)
            .expect("a login");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), certificate).expect("a file");
        let directory = Directory::Ldap {
            active_directory: false,
            url: format!("ldap://127.0.0.1:{}", slapd.port()),
            bind_dn: ROTATOR.to_owned(),
            password: SecretFrom::Environment("unused".to_owned()),
            base: BASE.to_owned(),
            user_filter: Some("(&(objectClass=inetOrgPerson)(!(l=Nowhere)))".to_owned()),
            group_filter: None,
            assigned_group: None,
            assigned_filter: None,
            ca_file: None,
        };
        let names = |mapping: latchkey_provisioning::ObjectMapping| -> Vec<String> {
            mapping.source_attributes().into_iter().map(str::to_owned).collect()
        };
        let mut users = names(defaults::users());
        users.extend(["objectId", "UID", "accountEnabled"].map(str::to_owned));
        let wanted = Wanted { users: Some(users), groups: Some(names(defaults::groups())) };
        let secret = Some(SecretString::from(slapd.password()));
        let options = Options {
            directory,
            base: PathBuf::from(folder.path()),
            source_dir: None,
            wanted,
            sync_all: true,
            secret,
        };
        Self { slapd, writer, folder, options }
    }

    fn set(&mut self, change: impl FnOnce(&mut Settings<'_>)) {
        let Directory::Ldap { url, bind_dn, base, assigned_group, assigned_filter, ca_file, .. } =
            &mut self.options.directory
        else {
            panic!("this is LDAP");
        };
        change(&mut Settings { url, bind_dn, base, assigned_group, assigned_filter, ca_file });
    }

    fn source(&self) -> AnySource {
        AnySource::open(self.options.clone()).expect("a source")
    }

    async fn modify(&mut self, dn: &str, mods: Vec<Mod<&str>>) {
        self.writer.modify(dn, mods).await.and_then(ldap3::LdapResult::success).expect(dn);
    }

    async fn add(&mut self, uid: &str) {
        let one = |value: &'static str| HashSet::from([value]);
        let attributes = vec![
            ("objectClass", one("inetOrgPerson")),
            ("uid", HashSet::from([uid])),
            ("cn", one("New")),
            ("sn", one("New")),
        ];
        self.writer.add(&dn(uid), attributes).await.and_then(ldap3::LdapResult::success).expect(uid);
    }
}

struct Settings<'s> {
    url: &'s mut String,
    bind_dn: &'s mut String,
    base: &'s mut String,
    assigned_group: &'s mut Option<String>,
    assigned_filter: &'s mut Option<String>,
    ca_file: &'s mut Option<String>,
}

async fn drain(mut reading: Reading) -> Result<(Vec<Change>, Watermark), SourceError> {
    let mut all = Vec::new();
    while let Some(page) = reading.next().await? {
        assert!(!page.is_empty() && page.len() <= 1_000);
        all.extend(page);
    }
    Ok((all, reading.watermark()))
}

async fn read(source: &AnySource, since: Option<&Watermark>) -> (Vec<Change>, Watermark) {
    let reading = source.read(since).await.expect("a reading");
    assert_eq!(reading.is_full(), since.is_none());
    drain(reading).await.expect("a whole reading")
}

fn entry<'c>(changes: &'c [Change], label: &str) -> &'c Entry {
    let of = |change: &'c Change| match change {
        Change::Present { entry, .. } if called(entry) == label => Some(&**entry),
        _ => None,
    };
    changes.iter().rev().find_map(of).unwrap_or_else(|| panic!("no {label}"))
}

/// Its uid, or its name.
fn called(entry: &Entry) -> &str {
    let text = |name: &str| entry.attributes.get(name).and_then(|value| value.as_str());
    text("UID").or_else(|| text("displayName")).unwrap_or_default()
}

fn members(changes: &[Change], label: &str) -> BTreeSet<EntryId> {
    let of = |change: &Change| match change {
        Change::Present { entry, members: Some(Members::Whole(members)) } if called(entry) == label => {
            Some(members.iter().cloned().collect())
        }
        _ => None,
    };
    changes.iter().rev().find_map(of).unwrap_or_else(|| panic!("no members of {label}"))
}

/// What is told of each, by name.
fn told(changes: &[Change], names: &BTreeMap<EntryId, String>) -> BTreeMap<String, Presence> {
    let one = |change: &Change| match change {
        Change::Present { entry, .. } => (called(entry).to_owned(), Presence::Present),
        Change::Left { id, presence, .. } => (names.get(id).cloned().unwrap_or_default(), *presence),
    };
    changes.iter().map(one).collect()
}

fn names(changes: &[Change]) -> BTreeMap<EntryId, String> {
    let present = changes.iter().filter_map(|change| match change {
        Change::Present { entry, .. } => Some((entry.id.clone(), called(entry).to_owned())),
        Change::Left { .. } => None,
    });
    present.collect()
}

#[tokio::test]
async fn all_are_told_whole_with_the_names_that_the_default_mappings_use() {
    for way in WAYS {
        let mut case = Case::new(way).await;
        case.modify(&dn("p7"), vec![Mod::Add("pwdAccountLockedTime", HashSet::from(["000001010000Z"]))])
            .await;
        let source = case.source();
        let reading = source.read(None).await.unwrap();
        assert_eq!(reading.expected(), Some(PEOPLE as u64 + 2), "{way:?}");
        let (changes, _) = drain(reading).await.unwrap();
        assert_eq!(changes.len(), PEOPLE + 2);
        assert!(changes[..PEOPLE].iter().all(|change| change.kind() == Kind::User), "people first");
        let ids: BTreeSet<&EntryId> = changes.iter().map(Change::id).collect();
        assert_eq!(ids.len(), changes.len());

        let person = entry(&changes, "p27");
        assert_eq!(person.manager.as_ref(), Some(&entry(&changes, "p2").id));
        assert_eq!(person.attributes["objectId"], json!(person.id.0));
        let resource = desired(person, &defaults::users(), false, &Surroundings::fixed()).unwrap().resource();
        let resource = serde_json::Value::Object(resource);
        assert_eq!(resource["userName"], "p27");
        assert_eq!(resource["name"]["familyName"], "Family27");
        assert_eq!(resource["displayName"], "Given27 Family27");
        assert_eq!(resource["emails"][0]["value"], "p27@corp.example");
        assert_eq!(resource["addresses"][0]["locality"], "Porto");
        assert!(!entry(&changes, "p7").enabled && person.enabled);
        assert_eq!(entry(&changes, "p7").attributes["accountEnabled"], json!(false));

        let id = |label: &str| entry(&changes, label).id.clone();
        let nobody = EntryId(format!("dn:cn=nobody,{BASE}"));
        assert_eq!(members(&changes, "Geology"), BTreeSet::from([id("p1"), id("p2"), id("Lab"), nobody]));
        assert_eq!(members(&changes, "Lab").len(), PEOPLE);
        assert!(members(&changes, "Lab").iter().all(|member| ids.contains(member)));
    }
}

#[tokio::test]
async fn a_second_reading_tells_what_changed_and_who_left() {
    for way in WAYS {
        let mut case = Case::new(way).await;
        let source = case.source();
        let (first, mark) = read(&source, None).await;
        let mut names = names(&first);
        let id = |label: &str| entry(&first, label).id.clone();

        if way != Way::Times {
            let (changes, same) = read(&source, Some(&mark)).await;
            assert_eq!(changes, [], "{way:?}: nothing changed");
            assert_eq!(same, mark);
        }

        case.modify(&dn("p1"), vec![Mod::Replace("l", HashSet::from(["Lisbon"]))]).await;
        case.modify(&dn("p2"), vec![Mod::Add("pwdAccountLockedTime", HashSet::from(["000001010000Z"]))])
            .await;
        case.modify(&dn("p3"), vec![Mod::Replace("l", HashSet::from(["Nowhere"]))]).await;
        case.writer.delete(&dn("p4")).await.unwrap().success().unwrap();
        case.writer.modifydn(&dn("p5"), "uid=five", true, None).await.unwrap().success().unwrap();
        case.add("new").await;
        case.modify(
            &group("Geology"),
            vec![
                Mod::Delete("member", HashSet::from([&*dn("p1")])),
                Mod::Add("member", HashSet::from([&*dn("new"), &*dn("p9")])),
            ],
        )
        .await;
        let (changes, mark) = read(&source, Some(&mark)).await;
        let mut expected = BTreeMap::from(
            ["p1", "p2", "five", "new", "Geology"].map(|name| (name.to_owned(), Presence::Present)),
        );
        expected.insert("p3".to_owned(), Presence::SoftDeleted);
        expected.insert("p4".to_owned(), Presence::Deleted);
        names.insert(entry(&changes, "new").id.clone(), "new".to_owned());
        let found = told(&changes, &names);
        if way == Way::Times {
            // Everything was written seconds ago, so much is told again; what left is told all the same.
            for (name, presence) in &expected {
                assert_eq!(found.get(name), Some(presence), "{name}");
            }
            assert_eq!(found.values().filter(|presence| **presence != Presence::Present).count(), 2);
        } else {
            assert_eq!(found, expected, "{way:?}");
        }
        assert_eq!(
            entry(&changes, "p1").manager,
            Some(id("p0")),
            "whole, with the manager that did not change"
        );
        assert!(!entry(&changes, "p2").enabled);
        assert_eq!(entry(&changes, "five").id, id("p5"), "renamed, and the same");
        let nobody = EntryId(format!("dn:cn=nobody,{BASE}"));
        let new = entry(&changes, "new").id.clone();
        assert_eq!(
            members(&changes, "Geology"),
            BTreeSet::from([id("p2"), id("p9"), id("Lab"), nobody, new])
        );

        // Once told, not told again; and who comes back is told whole.
        case.modify(&dn("p3"), vec![Mod::Replace("l", HashSet::from(["Porto"]))]).await;
        case.writer.delete(&dn("new")).await.unwrap().success().unwrap();
        let (changes, mark) = read(&source, Some(&mark)).await;
        let found = told(&changes, &names);
        assert_eq!(found.get("p3"), Some(&Presence::Present), "{way:?}");
        assert_eq!(found.get("new"), Some(&Presence::Deleted), "{way:?}");
        assert_eq!(found.get("p4"), None, "{way:?}");
        assert_eq!(entry(&changes, "p3").id, id("p3"));

        // More changes than the server remembers.
        for number in 100..260 {
            case.writer.delete(&dn(&format!("p{number}"))).await.unwrap().success().unwrap();
        }
        let (changes, _) = read(&source, Some(&mark)).await;
        let gone = changes
            .iter()
            .filter(|one| matches!(one, Change::Left { presence: Presence::Deleted, .. }))
            .count();
        assert_eq!(gone, 160, "{way:?}");
    }
}

#[tokio::test]
async fn who_is_assigned_says_a_group_or_a_filter_and_a_change_of_it_is_told() {
    for way in [Way::Log, Way::Times] {
        let mut case = Case::new(way).await;
        case.options.sync_all = false;
        let error = AnySource::open(case.options.clone()).unwrap_err();
        assert!(error.message.contains("name assigned_group or assigned_filter"), "{error}");

        case.set(|settings| *settings.assigned_group = Some(group("geology")));
        let source = case.source();
        let (changes, mark) = read(&source, None).await;
        let assigned = |changes: &[Change]| -> BTreeSet<String> {
            let entries = changes.iter().filter_map(|change| match change {
                Change::Present { entry, .. } if !entry.assignments.is_empty() => {
                    Some(called(entry).to_owned())
                }
                _ => None,
            });
            entries.collect()
        };
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(assigned(&changes), set(&["Geology", "p1", "p2"]), "direct members alone");

        case.modify(
            &group("Geology"),
            vec![
                Mod::Delete("member", HashSet::from([&*dn("p1")])),
                Mod::Add("member", HashSet::from([&*dn("p600")])),
            ],
        )
        .await;
        let (changes, _) = read(&source, Some(&mark)).await;
        assert_eq!(entry(&changes, "p1").assignments, [], "{way:?}: told, though p1 itself did not change");
        assert_eq!(entry(&changes, "p600").assignments.len(), 1);

        case.set(|settings| {
            *settings.assigned_group = None;
            *settings.assigned_filter = Some("(|(uid=p8)(cn=Lab))".to_owned());
        });
        let (changes, _) = read(&case.source(), None).await;
        assert_eq!(assigned(&changes), set(&["Lab", "p8"]));

        case.set(|settings| *settings.assigned_group = Some("cn=none,dc=corp,dc=example".to_owned()));
        let error = case.source().read(None).await.unwrap_err();
        assert!(error.message.contains("assigned_group cn=none,dc=corp,dc=example is not there"), "{error}");
    }
}

#[tokio::test]
async fn a_reading_that_breaks_off_is_an_error_and_its_watermark_worth_nothing() {
    let mut case = Case::new(Way::Times).await;
    let source = case.source();
    let mut reading = source.read(None).await.unwrap();
    assert!(reading.next().await.unwrap().is_some());
    drop(case.slapd);
    let error = loop {
        match reading.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("taken for a whole reading"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, SourceErrorKind::Unreachable, "{error}");
    assert_eq!(reading.next().await, Err(error));
    let mark = reading.watermark();
    let error = source.read(Some(&mark)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Expired);

    case = Case::new(Way::Log).await;
    let left = case.source().read(None).await.unwrap().watermark();
    assert_eq!(case.source().read(Some(&left)).await.unwrap_err().kind, SourceErrorKind::Expired);
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_is_said_with_what_to_do() {
    let mut case = Case::new(Way::Times).await;
    let said = case.source().test().await.unwrap();
    assert!(
        said.contains(
            "500 people on the first page, and there are more; 2 groups; changes are found by modifyTimestamp"
        ),
        "{said}"
    );

    let tls = format!("ldaps://127.0.0.1:{}", case.slapd.tls_port());
    case.set(|settings| *settings.url = tls);
    let error = case.source().test().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Refused, "{error}");
    assert!(error.message.contains("name its authority in ca_file"), "{error}");
    case.set(|settings| *settings.ca_file = Some("ca.pem".to_owned()));
    case.source().test().await.expect("over TLS");
    case.set(|settings| *settings.ca_file = Some("none.pem".to_owned()));
    let error = AnySource::open(case.options.clone()).unwrap_err();
    assert!(error.message.contains("none.pem") && error.message.contains("PEM form"), "{error}");
    std::fs::write(case.folder.path().join("none.pem"), "nothing").unwrap();
    assert!(AnySource::open(case.options.clone()).is_err());
    case.set(|settings| *settings.ca_file = Some("ca.pem".to_owned()));

    case.set(|settings| *settings.base = "dc=elsewhere".to_owned());
    let error = case.source().test().await.unwrap_err();
    assert!(error.message.contains("check base"), "{error}");
    case.set(|settings| *settings.base = format!("ou=groups,{BASE}"));
    let error = case.source().test().await.unwrap_err();
    assert!(error.message.contains("nobody below ou=groups"), "{error}");
    case.set(|settings| *settings.bind_dn = "cn=rotator".to_owned());
    let error = case.source().test().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Refused, "{error}");
    assert!(
        error.message.contains("check bind_dn") && !error.message.contains(case.slapd.password()),
        "{error}"
    );
    case.set(|settings| *settings.url = "ldap://127.0.0.1:1".to_owned());
    let error = case.source().test().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreachable, "{error}");
}

#[tokio::test]
async fn some_are_fetched_and_found_by_what_people_call_them() {
    let mut case = Case::new(Way::Log).await;
    let source = case.source();
    let (all, _) = read(&source, None).await;
    let id = |label: &str| entry(&all, label).id.clone();
    case.writer.delete(&dn("p4")).await.unwrap().success().unwrap();
    case.modify(&dn("p3"), vec![Mod::Replace("l", HashSet::from(["Nowhere"]))]).await;
    let strange = EntryId("nobody".to_owned());
    let found = source.fetch(Kind::User, &[id("p4"), id("p9"), id("p3"), strange.clone()]).await.unwrap();
    assert_eq!(entry(&found, "p9").manager, Some(id("p0")));
    let mut left: Vec<(EntryId, Presence)> = found
        .iter()
        .filter_map(|change| match change {
            Change::Left { id, presence, .. } => Some((id.clone(), *presence)),
            Change::Present { .. } => None,
        })
        .collect();
    left.sort_by_key(|(id, _)| *id != entry(&all, "p4").id);
    assert_eq!(found.len(), 4);
    assert_eq!(left[0], (id("p4"), Presence::Deleted));
    assert!(
        left.contains(&(id("p3"), Presence::SoftDeleted)) && left.contains(&(strange, Presence::Deleted))
    );

    for (kind, text, labels) in [
        (Kind::User, "P9", vec!["p9"]),
        (Kind::User, "p9@CORP.example", vec!["p9"]),
        (Kind::User, "given9 family9", vec!["p9"]),
        (Kind::User, &*id("p9").0, vec!["p9"]),
        (Kind::User, "p9*", vec![]),
        (Kind::User, "Lab", vec![]),
        (Kind::Group, "lab", vec!["Lab"]),
    ] {
        let found = source.search(kind, text).await.unwrap();
        let found: Vec<String> = told(&found, &BTreeMap::new()).into_keys().collect();
        assert_eq!(found, labels, "{text}");
    }
}

#[tokio::test]
async fn a_change_is_noticed_within_seconds() {
    for way in [Way::Log, Way::Times] {
        let mut case = Case::new(way).await;
        let source = case.source();
        let (_, mark) = read(&source, None).await;
        let waited = tokio::time::timeout(Duration::from_millis(2_500), source.changed(&mark)).await;
        assert!(waited.is_err(), "{way:?}: nothing changed");
        let watching = async {
            let began = Instant::now();
            source.changed(&mark).await.unwrap();
            began.elapsed()
        };
        let writing = async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            case.modify(&dn("p1"), vec![Mod::Replace("l", HashSet::from(["Lisbon"]))]).await;
        };
        let (after, ()) =
            tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(watching, writing) })
                .await
                .unwrap();
        assert!(after < Duration::from_secs(6), "{way:?}: {after:?}");
        let (changes, mark) = read(&source, Some(&mark)).await;
        assert_eq!(entry(&changes, "p1").attributes["city"], json!("Lisbon"));
        if way == Way::Log {
            let waited = tokio::time::timeout(Duration::from_millis(2_500), source.changed(&mark)).await;
            assert!(waited.is_err(), "what was read is not new");
        }
    }
}

/// Passes on what comes in at another address of this machine, and keeps what the client sent.
async fn forwarder(port: u16) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.2:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = sent.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", port)).await.expect("slapd");
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                (client.into_split(), server.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            let kept = kept.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4_096];
                while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
                    kept.lock().expect("what was sent").extend(&buffer[..length]);
                    if to_server.write_all(&buffer[..length]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, sent)
}

#[tokio::test]
async fn no_password_crosses_a_network_in_plain() {
    let mut case = Case::new(Way::Times).await;
    let (address, sent) = forwarder(case.slapd.port()).await;
    case.set(|settings| *settings.url = format!("ldap://{address}"));
    let error = case.source().test().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Refused, "{error}");
    assert!(error.message.contains("no TLS came about"), "{error}");
    case.set(|settings| *settings.ca_file = Some("ca.pem".to_owned()));
    case.source().test().await.expect("StartTLS");
    let sent = sent.lock().unwrap();
    let contains = |text: &str| sent.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(sent.len() > 500 && !contains(case.slapd.password()) && !contains(ROTATOR));
}
