//! Microsoft Graph as a source: rounds of delta queries with all that they may bring.

mod tenant;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use latchkey_directory::{AnySource, Options, Reading};
use latchkey_expr::Surroundings;
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::jobfile::{Directory, SecretFrom};
use latchkey_provisioning::{Entry, EntryId, Kind, ObjectMapping, Presence, defaults, desired};
use serde_json::{Value as Json, json};
use tenant::{Shared, Tenant, Trouble, id};

const ZERO: &str = "00000000-0000-0000-0000-000000000000";
const GEOLOGY: usize = 500;
const LAB: usize = 501;

struct Case {
    shared: Shared,
    options: Options,
}

fn person(number: usize) -> Json {
    json!({
        "userPrincipalName": if number == 7 { "p7_partner.example#EXT#@quarry.example".to_owned() } else { format!("p{number}@quarry.example") },
        "displayName": format!("Person {number}"), "givenName": format!("Given{number}"), "surname": "Tal",
        "mail": format!("p{number}@mail.example"), "mailNickname": format!("nick{number}"), "accountEnabled": number != 4,
        "jobTitle": "Surveyor", "department": "Geology", "businessPhones": ["+1 234"], "officeLocation": "B 12", "employeeId": null,
        "manager": {"id": id(number / 10)}, "aboutMe": "not asked for",
    })
}

impl Case {
    async fn new(people: usize, change: impl FnOnce(&mut Tenant)) -> Self {
        let mut tenant = Tenant::default();
        tenant.page = 4;
        (0..people).for_each(|number| tenant.set("users", &id(number), person(number)));
        tenant.set("groups", &id(GEOLOGY), json!({"displayName": "Geology", "securityEnabled": true}));
        tenant.set("groups", &id(LAB), json!({"displayName": "Lab", "securityEnabled": true}));
        (0..people).for_each(|number| tenant.member(&id(LAB), &id(number), true));
        for member in [id(1), id(2), id(LAB), id(777)] {
            tenant.member(&id(GEOLOGY), &member, true);
        }
        change(&mut tenant);
        let (shared, base) = tenant.start().await;
        let names = |mapping: ObjectMapping| -> Vec<String> {
            mapping.source_attributes().into_iter().map(str::to_owned).collect()
        };
        let mut users = names(defaults::users());
        users.extend(["objectId", "originalUserPrincipalName"].map(str::to_owned));
        let directory = Directory::Graph {
            tenant: "quarry.example".to_owned(),
            client_id: "the-app".to_owned(),
            client_secret: SecretFrom::Environment("unused".to_owned()),
            assigned_to: None,
            graph_url: Some(base.clone()),
            login_url: Some(base),
        };
        let wanted = Wanted { users: Some(users), groups: Some(names(defaults::groups())) };
        let secret = Some("s&cret".to_owned().into());
        let options =
            Options { directory, base: ".".into(), source_dir: None, wanted, sync_all: true, secret };
        Self { shared, options }
    }

    fn source(&self) -> AnySource {
        AnySource::open(self.options.clone()).expect("a source")
    }

    fn change<T>(&self, change: impl FnOnce(&mut Tenant) -> T) -> T {
        change(&mut self.shared.lock().expect("the tenant"))
    }

    fn assign_to(&mut self, application: &str) {
        let Directory::Graph { assigned_to, .. } = &mut self.options.directory else {
            panic!("this is Graph")
        };
        *assigned_to = Some(application.to_owned());
        self.options.sync_all = false;
    }
}

async fn drain(reading: &mut Reading) -> Result<Vec<Change>, SourceError> {
    let mut all = Vec::new();
    while let Some(page) = reading.next().await? {
        assert!(!page.is_empty() && page.len() <= 1_000);
        all.extend(page);
    }
    Ok(all)
}

async fn read(source: &AnySource, since: Option<&Watermark>) -> (Vec<Change>, Watermark) {
    let mut reading = source.read(since).await.expect("a reading");
    assert_eq!(reading.is_full(), since.is_none());
    let all = drain(&mut reading).await.expect("a whole reading");
    (all, reading.watermark())
}

/// What is known of each at the end: what is told last of somebody holds.
fn last(changes: &[Change]) -> BTreeMap<EntryId, Change> {
    changes.iter().map(|change| (change.id().clone(), change.clone())).collect()
}

fn entry(changes: &[Change], number: usize) -> Entry {
    match last(changes).remove(&EntryId(id(number))) {
        Some(Change::Present { entry, .. }) => *entry,
        other => panic!("{number} is {other:?}"),
    }
}

fn left(changes: &[Change]) -> BTreeMap<EntryId, Presence> {
    let of = |change: Change| match change {
        Change::Left { id, presence, .. } => Some((id, presence)),
        Change::Present { .. } => None,
    };
    last(changes).into_values().filter_map(of).collect()
}

fn members(changes: &[Change], number: usize) -> Members {
    match last(changes).remove(&EntryId(id(number))) {
        Some(Change::Present { members: Some(members), .. }) => members,
        other => panic!("{number} is {other:?}"),
    }
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<EntryId> {
    numbers.into_iter().map(|number| EntryId(id(number))).collect()
}

fn whole(changes: &[Change], number: usize) -> Vec<EntryId> {
    let Members::Whole(mut members) = members(changes, number) else { panic!("not whole") };
    members.sort();
    members
}

#[tokio::test]
async fn a_first_round_tells_all_whole_whatever_the_order_of_its_parts() {
    for disorder in [false, true] {
        let case = Case::new(31, |tenant| tenant.disorder = disorder).await;
        let reading = case.source().read(None).await.unwrap();
        assert_eq!(reading.expected(), Some(33));
        let (changes, _) = read(&case.source(), None).await;
        let users = changes.iter().take_while(|change| change.kind() == Kind::User).count();
        assert!(changes[users..].iter().all(|change| change.kind() == Kind::Group), "people first");
        assert_eq!(last(&changes).len(), 33, "{disorder}");
        let one = entry(&changes, 27);
        assert_eq!(one.manager, Some(EntryId(id(2))));
        let resource = Json::Object(
            desired(&one, &defaults::users(), false, &Surroundings::fixed()).unwrap().resource(),
        );
        assert_eq!(resource["userName"], "p27@quarry.example");
        assert_eq!(resource["phoneNumbers"][0]["value"], "+1 234");
        assert_eq!(resource["addresses"][0]["formatted"], "B 12");
        assert_eq!(one.attributes["objectId"], json!(id(27)));
        assert!(one.enabled && !entry(&changes, 4).enabled && !one.attributes.contains_key("aboutMe"));
        let guest = entry(&changes, 7);
        assert_eq!(guest.attributes["userPrincipalName"], "p7@partner.example");
        assert_eq!(guest.attributes["originalUserPrincipalName"], "p7_partner.example#EXT#@quarry.example");
        assert_eq!(whole(&changes, LAB), ids(0..31));
        assert_eq!(whole(&changes, GEOLOGY), ids([1, 2, LAB]), "no devices");
        let asked = case.change(|tenant| tenant.asked.clone());
        assert!(asked.iter().all(|url| !url.contains("aboutMe")), "no more than is wanted");
    }
}

#[tokio::test]
async fn what_changes_while_a_first_round_is_read_is_told_as_it_is_at_the_end() {
    let case = Case::new(31, |_| {}).await;
    let source = case.source();
    let mut reading = source.read(None).await.unwrap();
    let mut changes = reading.next().await.unwrap().expect("a page");
    case.change(|tenant| {
        tenant.set("users", &id(0), json!({"accountEnabled": false}));
        tenant.remove("users", &id(1), false);
        tenant.remove("users", &id(2), true);
        tenant.member(&id(GEOLOGY), &id(5), true);
        tenant.member(&id(GEOLOGY), &id(1), false);
    });
    changes.extend(drain(&mut reading).await.unwrap());
    assert!(!entry(&changes, 0).enabled && entry(&changes, 0).attributes["surname"] == "Tal");
    let gone = [(EntryId(id(1)), Presence::SoftDeleted), (EntryId(id(2)), Presence::Deleted)];
    assert_eq!(left(&changes), gone.into());
    assert_eq!(whole(&changes, GEOLOGY), ids([5, LAB]));
    assert_eq!(read(&source, Some(&reading.watermark())).await.0, []);
}

#[tokio::test]
async fn a_second_round_tells_whole_objects_and_who_left() {
    for disorder in [false, true] {
        let case = Case::new(31, |tenant| tenant.disorder = disorder).await;
        let source = case.source();
        let (_, mark) = read(&source, None).await;
        let (changes, mark) = read(&source, Some(&mark)).await;
        assert_eq!(changes, []);

        case.change(|tenant| {
            tenant.set("users", &id(5), json!({"jobTitle": "Geologist"}));
            tenant.set("users", &id(6), json!({"accountEnabled": false}));
            tenant.set("users", &id(8), json!({"manager": {"id": id(3)}}));
            tenant.set("users", &id(9), json!({"jobTitle": null}));
            tenant.set("users", &id(50), person(50));
            tenant.remove("users", &id(10), false);
            tenant.remove("users", &id(11), true);
            tenant.remove("users", &id(12), false);
            tenant.restore(&id(12));
            tenant.remove("groups", &id(LAB), true);
            tenant.set("groups", &id(GEOLOGY), json!({"displayName": "Rocks"}));
            tenant.member(&id(GEOLOGY), &id(2), false);
            tenant.member(&id(GEOLOGY), &id(20), true);
            tenant.member(&id(GEOLOGY), &id(21), true);
        });
        let (changes, mark) = read(&source, Some(&mark)).await;
        let told: BTreeSet<EntryId> = last(&changes).into_keys().collect();
        assert_eq!(told, ids([5, 6, 8, 9, 10, 11, 12, 50, GEOLOGY, LAB]).into_iter().collect(), "{disorder}");
        let five = entry(&changes, 5);
        assert_eq!(five.attributes["jobTitle"], "Geologist");
        assert_eq!(five.attributes["department"], "Geology", "whole, though only the title was told");
        assert_eq!(five.manager, Some(EntryId(id(0))));
        assert!(!entry(&changes, 6).enabled && entry(&changes, 12).enabled);
        assert_eq!(entry(&changes, 8).manager, Some(EntryId(id(3))));
        assert!(!entry(&changes, 9).attributes.contains_key("jobTitle"), "cleared");
        assert_eq!(entry(&changes, 50).attributes["surname"], "Tal");
        let gone = BTreeMap::from([
            (EntryId(id(10)), Presence::SoftDeleted),
            (EntryId(id(11)), Presence::Deleted),
            (EntryId(id(LAB)), Presence::Deleted),
        ]);
        assert_eq!(left(&changes), gone);
        assert_eq!(entry(&changes, GEOLOGY).attributes["displayName"], "Rocks");
        let Members::Delta { mut added, removed } = members(&changes, GEOLOGY) else { panic!("a part") };
        added.sort();
        assert_eq!((added, removed), (ids([20, 21]), ids([2])));

        // Came and went, in an order that cannot be seen: then all members are told.
        case.change(|tenant| {
            tenant.member(&id(GEOLOGY), &id(22), true);
            tenant.member(&id(GEOLOGY), &id(22), false);
            tenant.set("users", &id(5), json!({"jobTitle": "Chief"}));
            tenant.set("users", &id(5), json!({"jobTitle": "Head"}));
        });
        let (changes, _) = read(&source, Some(&mark)).await;
        assert_eq!(whole(&changes, GEOLOGY), ids([1, 20, 21]));
        assert_eq!(entry(&changes, 5).attributes["jobTitle"], "Head", "in whichever order it was told");
    }
}

#[tokio::test]
async fn what_was_told_counts_more_than_a_copy_that_lags() {
    let case = Case::new(5, |_| {}).await;
    let source = case.source();
    let (_, mark) = read(&source, None).await;
    case.change(|tenant| {
        let before = tenant.users[&id(1)].clone();
        tenant.stale.insert(id(1), before);
        tenant.set("users", &id(1), json!({"accountEnabled": false}));
        // In the bin, changed just before, and a copy has it still.
        tenant.set("users", &id(2), json!({"jobTitle": "Leaver"}));
        let copy = tenant.users[&id(2)].clone();
        tenant.remove("users", &id(2), false);
        tenant.users.insert(id(2), copy);
    });
    let (changes, _) = read(&source, Some(&mark)).await;
    assert!(!entry(&changes, 1).enabled);
    assert_eq!(left(&changes), BTreeMap::from([(EntryId(id(2)), Presence::SoftDeleted)]));
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_renewed() {
    let case = Case::new(31, |tenant| tenant.token_lasts = Some(3)).await;
    let (changes, _) = read(&case.source(), None).await;
    assert_eq!(changes.len(), 33);
    let given = case.change(|tenant| tenant.tokens_given);
    assert!(given > 3, "{given}");

    case.change(|tenant| tenant.token_lasts = Some(0));
    let source = case.source();
    let error = source.read(None).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Refused, "{error}");
    assert_eq!(case.change(|tenant| tenant.tokens_given), given + 2, "one, and one anew");
}

#[tokio::test]
async fn a_watermark_that_is_known_no_more_asks_for_all_anew() {
    let gone = |headers| Trouble::Status(410, headers, "");
    let state = |status, code| Trouble::Status(status, vec![], code);
    for trouble in [
        gone(vec![]),
        gone(vec![("location", "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=")]),
        state(404, r#"{"error": {"code": "syncStateNotFound", "message": "x"}}"#),
        state(400, r#"{"error": {"code": "SyncStateNotFound", "message": "x"}}"#),
        state(410, r#"{"error": {"code": "resyncRequired", "message": "x"}}"#),
    ] {
        for before in [0, 1] {
            let case = Case::new(9, |_| {}).await;
            let source = case.source();
            let (_, mark) = read(&source, None).await;
            case.change(|tenant| {
                (0..9).for_each(|number| tenant.set("users", &id(number), json!({"jobTitle": "x"})));
                tenant.trouble.extend(vec![Trouble::Fine; before]);
                tenant.trouble.push_back(trouble.clone());
            });
            let mut reading = source.read(Some(&mark)).await.unwrap();
            let error = drain(&mut reading).await.unwrap_err();
            assert_eq!(error.kind, SourceErrorKind::Expired, "{error}");
            let (changes, _) = read(&source, None).await;
            assert_eq!(changes.len(), 11);
        }
    }
    // Links go on tracking what was asked for first.
    let mut case = Case::new(3, |_| {}).await;
    let (_, mark) = read(&case.source(), None).await;
    case.options.wanted.users = Some(vec!["city".to_owned()]);
    assert_eq!(case.source().read(Some(&mark)).await.unwrap_err().kind, SourceErrorKind::Expired);
}

#[tokio::test]
async fn throttling_is_waited_out_within_bounds() {
    let case = Case::new(9, |tenant| {
        tenant.trouble = [
            Trouble::Fine,
            Trouble::Status(429, vec![("retry-after", "2")], r#"{"error": {"code": "TooManyRequests"}}"#),
            Trouble::Fine,
            Trouble::Status(503, vec![("retry-after", "1")], ""),
        ]
        .into();
    })
    .await;
    let began = Instant::now();
    assert_eq!(read(&case.source(), None).await.0.len(), 11);
    assert!(began.elapsed() >= Duration::from_secs(3));
    case.change(|tenant| tenant.trouble = [Trouble::Status(429, vec![("retry-after", "600")], "")].into());
    let error = case.source().read(None).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Throttled(Some(Duration::from_secs(600))), "{error}");
}

#[tokio::test]
async fn half_a_round_is_never_taken_for_a_whole_one() {
    let page = |links: Json| {
        let mut page = json!({"value": [person(0)]});
        page["value"][0]["id"] = json!(id(0));
        page.as_object_mut().expect("a page").extend(links.as_object().expect("links").clone());
        Trouble::Page(page)
    };
    for (trouble, kind, words) in [
        (page(json!({})), SourceErrorKind::Unreachable, "has no deltaLink: the list broke off"),
        (
            page(json!({"@odata.nextLink": "https://elsewhere.example/steal"})),
            SourceErrorKind::Malformed,
            "not its own",
        ),
        (Trouble::Page(json!({"values": []})), SourceErrorKind::Malformed, "without a list of values"),
        (
            Trouble::Page(json!({"value": [{"displayName": "x"}]})),
            SourceErrorKind::Malformed,
            "without its id",
        ),
        (Trouble::Status(500, vec![], ""), SourceErrorKind::Unreachable, "the service failed"),
        (
            Trouble::Status(
                403,
                vec![],
                r#"{"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}"#,
            ),
            SourceErrorKind::Refused,
            "Insufficient privileges",
        ),
        (Trouble::Status(200, vec![], "<html>"), SourceErrorKind::Malformed, "a web page instead of JSON"),
    ] {
        for before in [2, 4] {
            // Two counts, then pages.
            let case = Case::new(31, |tenant| {
                tenant.trouble = vec![Trouble::Fine; before].into();
                tenant.trouble.push_back(trouble.clone());
            })
            .await;
            let mut reading = case.source().read(None).await.unwrap();
            let error = drain(&mut reading).await.unwrap_err();
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.contains(words), "{error}");
            assert_eq!(reading.next().await, Err(error), "it stays so");
            let mark = reading.watermark();
            assert_eq!(case.source().read(Some(&mark)).await.unwrap_err().kind, SourceErrorKind::Expired);
        }
    }
    // Whoever stops waiting has no whole reading either.
    let case = Case::new(31, |tenant| {
        tenant.trouble =
            [Trouble::Fine, Trouble::Fine, Trouble::Status(429, vec![("retry-after", "60")], "")].into()
    })
    .await;
    let mut reading = case.source().read(None).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(300), reading.next()).await.is_err());
    assert!(reading.next().await.unwrap_err().message.contains("interrupted"));
    let case = Case::new(0, |_| {}).await;
    let error = drain(&mut case.source().read(None).await.unwrap()).await.unwrap_err();
    assert!(error.message.contains("lists no people at all"), "{error}");
}

#[tokio::test]
async fn who_is_assigned_directly_or_through_a_group_is_told_when_that_changes() {
    for application in ["portal", "the-portal"] {
        let mut case = Case::new(31, |tenant| {
            tenant.assignments = vec![
                json!({"principalId": id(3), "principalType": "User", "appRoleId": ZERO}),
                json!({"principalId": id(1), "principalType": "User", "appRoleId": id(901)}),
                json!({"principalId": id(GEOLOGY), "principalType": "Group", "appRoleId": ZERO}),
                json!({"principalId": id(950), "principalType": "ServicePrincipal", "appRoleId": ZERO}),
            ];
        })
        .await;
        case.options.sync_all = false;
        let error = AnySource::open(case.options.clone()).unwrap_err();
        assert!(error.message.contains("name assigned_to"), "{error}");
        case.assign_to(application);
        let source = case.source();
        let (changes, mark) = read(&source, None).await;
        let roles = |changes: &[Change], number: usize| -> Vec<String> {
            let mut roles: Vec<String> =
                entry(changes, number).assignments.into_iter().map(|one| one.role).collect();
            roles.sort();
            roles
        };
        assert_eq!(roles(&changes, 3), [""]);
        assert_eq!(roles(&changes, 1), ["", "auditor"], "by the group, and directly");
        assert_eq!(roles(&changes, 2), [""]);
        assert_eq!(roles(&changes, 5), [""; 0], "in a group of the group alone");
        assert_eq!((roles(&changes, GEOLOGY).len(), roles(&changes, LAB).len()), (1, 0));

        let (changes, mark) = read(&source, Some(&mark)).await;
        assert_eq!(changes, [], "nothing changed");
        case.change(|tenant| {
            tenant.assignments[0]["principalId"] = json!(id(6));
            tenant.member(&id(GEOLOGY), &id(2), false);
        });
        let (changes, _) = read(&source, Some(&mark)).await;
        let told: BTreeSet<EntryId> = last(&changes).into_keys().collect();
        assert_eq!(told, ids([2, 3, 6, GEOLOGY]).into_iter().collect());
        assert_eq!((roles(&changes, 3).len(), roles(&changes, 2).len(), roles(&changes, 6).len()), (0, 0, 1));
        assert_eq!(entry(&changes, 3).attributes["surname"], "Tal", "whole");
        let said = source.test().await.unwrap();
        assert!(
            said.contains("4 people on the first page, and there are more; 2 groups")
                || said.contains("2 people are assigned"),
            "{said}"
        );
    }
    let mut case = Case::new(3, |_| {}).await;
    case.assign_to("nothing");
    let error = case.source().read(None).await.unwrap_err();
    assert!(error.message.contains("no application of this tenant"), "{error}");
}

#[tokio::test]
async fn some_are_fetched_and_found_by_what_people_call_them() {
    let case = Case::new(31, |_| {}).await;
    let source = case.source();
    case.change(|tenant| {
        tenant.remove("users", &id(2), false);
        tenant.remove("users", &id(3), true);
    });
    let asked =
        ids((0..31).chain([99])).into_iter().chain([EntryId("strange".to_owned())]).collect::<Vec<_>>();
    let found = source.fetch(Kind::User, &asked).await.unwrap();
    assert_eq!(found.len(), 33);
    assert_eq!(entry(&found, 27).manager, Some(EntryId(id(2))));
    let gone = BTreeMap::from([
        (EntryId(id(2)), Presence::SoftDeleted),
        (EntryId(id(3)), Presence::Deleted),
        (EntryId(id(99)), Presence::Deleted),
        (EntryId("strange".to_owned()), Presence::Deleted),
    ]);
    assert_eq!(left(&found), gone);
    let found = source.fetch(Kind::Group, &ids([GEOLOGY])).await.unwrap();
    assert_eq!(whole(&found, GEOLOGY), ids([1, 2, LAB]));
    for (kind, text, expected) in [
        (Kind::User, "p5@quarry.example", vec![5]),
        (Kind::User, "person 5", vec![5]),
        (Kind::User, "p7@partner.example", vec![7]),
        (Kind::User, "P5@mail.example", vec![5]),
        (Kind::User, &*id(5), vec![5]),
        (Kind::User, "O'Nobody", vec![]),
        (Kind::Group, "lab", vec![LAB]),
    ] {
        let found = source.search(kind, text).await.unwrap();
        let found: Vec<EntryId> = found.iter().map(|change| change.id().clone()).collect();
        assert_eq!(found, ids(expected), "{text}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_taken_is_said_and_not_shown() {
    let mut case = Case::new(3, |_| {}).await;
    case.options.secret = Some("hunter2".to_owned().into());
    let error = case.source().test().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Refused);
    assert!(
        error.message.contains("AADSTS7000215") && error.message.contains("client secret has ended"),
        "{error}"
    );
    assert!(!error.message.contains("hunter2"));
}
