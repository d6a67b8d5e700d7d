//! Active Directory as a source: numbers of changes, ids in bytes, long groups in ranges.

mod controller;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use controller::{BASE, Domain, Shared, person};
use latchkey_directory::{AnySource, Options};
use latchkey_provisioning::feed::{Change, Members, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::jobfile::{Directory, SecretFrom};
use latchkey_provisioning::{Entry, EntryId, Kind, Presence, defaults};

const ALL: &str = "CN=All,OU=Groups,DC=corp,DC=example";

async fn domain() -> (Shared, AnySource) {
    let mut domain = Domain::default();
    (domain.usn, domain.server) = (1_000, "CN=NTDS Settings,CN=DC1".to_owned());
    for number in 0..12 {
        let (name, surname) = (format!("p{number}@corp.example"), format!("Tal{number}"));
        let control = if number == 4 { "514" } else { "512" };
        let manager = person(number / 10);
        domain.person(
            number,
            &[
                ("userPrincipalName", &[&name]),
                ("sn", &[&surname]),
                ("l", &["Porto"]),
                ("userAccountControl", &[control]),
                ("manager", &[&manager]),
            ],
        );
    }
    let members: Vec<String> = (0..11).map(person).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    domain.set(
        ALL,
        &[("objectClass", &["group"]), ("cn", &["All"]), ("sAMAccountName", &["all"]), ("member", &members)],
    );
    domain.id(ALL, 200);
    let (shared, port) = domain.start().await;
    let directory = Directory::Ldap {
        active_directory: true,
        url: format!("ldap://127.0.0.1:{port}"),
        bind_dn: "reader@corp.example".to_owned(),
        password: SecretFrom::Environment("unused".to_owned()),
        base: BASE.to_owned(),
        user_filter: Some("(&(objectCategory=person)(objectClass=user)(!(l=Nowhere)))".to_owned()),
        group_filter: None,
        assigned_group: None,
        assigned_filter: None,
        ca_file: None,
    };
    let names = |mapping: latchkey_provisioning::ObjectMapping| -> Vec<String> {
        mapping.source_attributes().into_iter().map(str::to_owned).collect()
    };
    let wanted = Wanted { users: Some(names(defaults::users())), groups: Some(names(defaults::groups())) };
    let secret = Some("secret".to_owned().into());
    let options = Options { directory, base: ".".into(), source_dir: None, wanted, sync_all: true, secret };
    (shared, AnySource::open(options).expect("a source"))
}

async fn read(source: &AnySource, since: Option<&Watermark>) -> (Vec<Change>, Watermark) {
    let mut reading = source.read(since).await.expect("a reading");
    assert_eq!(reading.is_full(), since.is_none());
    let mut all = Vec::new();
    while let Some(page) = reading.next().await.expect("a page") {
        all.extend(page);
    }
    (all, reading.watermark())
}

/// As Microsoft writes the bytes of an id.
fn id(number: u8) -> EntryId {
    EntryId(format!("0302ff{number:02x}-0504-0706-0809-0a0b0c0d0e0f"))
}

fn entry(changes: &[Change], number: u8) -> &Entry {
    let of = |change: &Change| match change {
        Change::Present { entry, .. } => entry.id == id(number),
        Change::Left { .. } => false,
    };
    match changes.iter().find(|change| of(change)) {
        Some(Change::Present { entry, .. }) => entry,
        _ => panic!("no {number}"),
    }
}

fn members(changes: &[Change]) -> BTreeSet<EntryId> {
    let of = |change: &Change| match change {
        Change::Present { members: Some(Members::Whole(members)), .. } => {
            Some(members.iter().cloned().collect())
        }
        _ => None,
    };
    changes.iter().find_map(of).expect("the group")
}

#[tokio::test]
async fn all_are_told_page_by_page_and_a_long_group_whole() {
    let (_, source) = domain().await;
    let said = source.test().await.unwrap();
    assert!(
        said.contains(
            "5 people on the first page, and there are more; 1 group; changes are found by uSNChanged"
        ),
        "{said}"
    );
    let (changes, _) = read(&source, None).await;
    assert_eq!(changes.len(), 13);
    let one = entry(&changes, 11);
    assert_eq!(one.manager, Some(id(1)));
    assert_eq!(one.attributes["userPrincipalName"], "p11@corp.example");
    assert_eq!(
        (&one.attributes["surname"], &one.attributes["city"], &one.attributes["mailNickname"]),
        (&"Tal11".into(), &"Porto".into(), &"p11".into())
    );
    assert!(one.enabled && !entry(&changes, 4).enabled);
    assert_eq!(members(&changes), (0..11).map(id).collect());
    let found = source.fetch(Kind::Group, &[id(200)]).await.unwrap();
    assert_eq!(members(&found).len(), 11);
    let found = source.search(Kind::User, "P7").await.unwrap();
    assert_eq!(found.iter().map(Change::id).collect::<Vec<_>>(), [&id(7)]);
}

#[tokio::test]
async fn a_second_reading_asks_for_what_has_a_higher_number() {
    let (shared, source) = domain().await;
    let (_, mark) = read(&source, None).await;
    let change = |act: &dyn Fn(&mut Domain)| act(&mut shared.lock().expect("the domain"));

    change(&|domain| domain.searches.clear());
    let (changes, same) = read(&source, Some(&mark)).await;
    assert_eq!((changes, &same), (vec![], &mark));
    change(&|domain| assert!(domain.searches.is_empty(), "one look at the number is enough"));
    let waited = tokio::time::timeout(Duration::from_millis(1_500), source.changed(&mark)).await;
    assert!(waited.is_err(), "nothing changed");

    change(&|domain| {
        domain.set(&person(5), &[("l", &["Lisbon"])]);
        domain.set(&person(6), &[("userAccountControl", &["514"])]);
        domain.set(&person(7), &[("l", &["Nowhere"])]);
        domain.remove(&person(8));
        domain.rename(&person(9), &format!("CN=Nine,OU=Moved,{BASE}"));
        domain.person(30, &[("sn", &["New"])]);
        domain.set(ALL, &[("member", &[&person(5), &person(30)])]);
    });
    tokio::time::timeout(Duration::from_secs(5), source.changed(&mark)).await.expect("noticed").unwrap();
    let (changes, next) = read(&source, Some(&mark)).await;
    let left: BTreeMap<EntryId, Presence> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Left { id, presence, .. } => Some((id.clone(), *presence)),
            Change::Present { .. } => None,
        })
        .collect();
    assert_eq!(left, BTreeMap::from([(id(7), Presence::SoftDeleted), (id(8), Presence::Deleted)]));
    let told: BTreeSet<&EntryId> =
        changes.iter().map(Change::id).filter(|id| !left.contains_key(id)).collect();
    assert_eq!(told, [5, 6, 9, 30, 200].map(id).iter().collect());
    assert_eq!(entry(&changes, 5).attributes["city"], "Lisbon");
    assert_eq!(entry(&changes, 5).attributes["surname"], "Tal5", "whole");
    assert!(!entry(&changes, 6).enabled && entry(&changes, 9).enabled);
    assert_eq!(members(&changes), [5, 30].map(id).into());
    assert_eq!(read(&source, Some(&next)).await.0, []);
}

#[tokio::test]
async fn numbers_of_another_controller_are_worth_nothing() {
    let (shared, source) = domain().await;
    let (_, mark) = read(&source, None).await;
    shared.lock().expect("the domain").usn = 1_003;
    let error = source.read(Some(&mark)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Expired, "restored from a backup");
    {
        let mut domain = shared.lock().expect("the domain");
        (domain.usn, domain.server) = (9_000, "CN=NTDS Settings,CN=DC2".to_owned());
    }
    let error = source.read(Some(&mark)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Expired, "another server");
}

#[tokio::test]
async fn what_is_no_ldap_is_an_error_like_any_other() {
    let (shared, source) = domain().await;
    let (_, mark) = read(&source, None).await;
    {
        let mut domain = shared.lock().expect("the domain");
        domain.garbled = true;
        domain.set(&person(1), &[]);
    }
    for since in [None, Some(&mark)] {
        let error = source.read(since).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Malformed);
        assert!(error.message.contains("answers with what is no LDAP"), "{error}");
    }
}
