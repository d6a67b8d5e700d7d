//! What was acknowledged, and what must therefore be there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::load::World;
use crate::support::scim::{find, members, read};
use crate::support::state::everything;
use crate::support::{api, list, text};

/// Whether something happened, as far as its writer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fate {
    #[default]
    No,
    /// Asked for, and never answered.
    Perhaps,
    /// Acknowledged.
    Yes,
}

/// Somebody whose creation was acknowledged.
#[derive(Debug)]
pub(crate) struct Person {
    name: String,
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    /// Titles that were asked for since, without an answer.
    pub(crate) title_wishes: Vec<String>,
    pub(crate) teams: Vec<String>,
    pub(crate) grants: usize,
    pub(crate) left: Fate,
    pub(crate) deleted: Fate,
}

impl Person {
    pub(crate) fn new(name: String, id: String) -> Self {
        Self {
            name,
            id,
            title: None,
            title_wishes: Vec::new(),
            teams: Vec::new(),
            grants: 0,
            left: Fate::No,
            deleted: Fate::No,
        }
    }

    /// The last title that was acknowledged, or one that was asked for since.
    fn has_title_of(&self, stored: &Value) -> bool {
        let title = stored.get("title").and_then(Value::as_str).map(str::to_owned);
        title == self.title || title.is_some_and(|title| self.title_wishes.contains(&title))
    }
}

/// What the writers know.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) people: Vec<Person>,
    /// Names whose creation was not answered.
    pub(crate) perhaps: Vec<String>,
}

impl Ledger {
    pub(crate) fn add(&mut self, other: Self) {
        self.people.extend(other.people);
        self.perhaps.extend(other.perhaps);
    }

    /// How many were made for sure.
    pub(crate) const fn len(&self) -> usize {
        self.people.len()
    }

    /// Every acknowledged write is there, and none is there by half.
    pub(crate) async fn check(&self, world: &World, told: &str) {
        let mut teams = BTreeMap::new();
        for team in &world.teams {
            teams.insert(team.clone(), members(&world.scim, team).await);
        }
        let mut cases: BTreeMap<String, usize> = BTreeMap::new();
        for case in api::all(&world.api, "/offboardings").await {
            *cases.entry(text(&case, "/member_id").to_owned()).or_default() += 1;
        }
        for person in &self.people {
            check_person(world, person, &teams, &cases, told).await;
        }
        for name in &self.perhaps {
            let found = find(&world.scim, "/Users", &format!("userName eq \"{name}\"")).await;
            assert!(list(&found, "/Resources").len() <= 1, "{told}: {name} is there twice");
            for user in list(&found, "/Resources") {
                let audit = api::audit_of(&world.api, text(user, "/id")).await;
                assert!(!audit.is_empty(), "{told}: {name} was made without a word in the audit log");
            }
        }
    }

    /// Over all that there is: every member has its record, every leaver one case with its plans,
    /// every case its leaver, and nobody is there whom no writer asked for.
    pub(crate) async fn check_whole(&self, world: &World, told: &str) {
        let audit = api::audit(&world.api).await;
        let spoken_of: BTreeSet<&str> = audit.iter().map(|record| text(record, "/target_id")).collect();
        let known: BTreeSet<&str> = self
            .people
            .iter()
            .map(|person| person.name.as_str())
            .chain(self.perhaps.iter().map(String::as_str))
            .collect();
        let users = everything(&world.scim, "/Users").await;
        for user in users.iter().filter(|user| text(user, "/userName").ends_with("@corp.example")) {
            assert!(known.contains(text(user, "/userName")), "nobody asked for {user}");
            assert!(spoken_of.contains(text(user, "/id")), "no audit record of {user}");
        }
        let by_id: BTreeMap<&str, &Value> = users.iter().map(|user| (text(user, "/id"), user)).collect();
        for person in &self.people {
            let user = by_id.get(person.id.as_str());
            assert!(person.deleted != Fate::No || user.is_some(), "{told}: lost {person:?}");
            assert!(person.deleted != Fate::Yes || user.is_none(), "{told}: back from the dead: {person:?}");
            let Some(user) = user else { continue };
            assert!(person.has_title_of(user), "{told}: {user}: {person:?}");
            assert!(person.left != Fate::Yes || user["active"] == json!(false), "{told}: {user}: {person:?}");
            assert!(person.left != Fate::No || user["active"] == json!(true), "{told}: {user}: {person:?}");
        }
        let cases = api::all(&world.api, "/offboardings").await;
        let mut of: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for case in &cases {
            of.entry(text(case, "/member_id")).or_default().push(case);
        }
        let planned = api::all(&world.api, "/outbox?kind=rotation").await;
        let planned: BTreeSet<&str> = planned.iter().map(|event| text(event, "/case_id")).collect();
        for (member, cases) in &of {
            assert_eq!(cases.len(), 1, "one leaving of {member}: {cases:?}");
            let user = users.iter().find(|user| user["id"] == *member);
            assert!(
                user.is_none_or(|user| user["active"] == json!(false)),
                "a case without a leaving: {user:?}"
            );
            let rotates = cases[0]["summary"]["rotations"].as_u64();
            let has_plan = planned.contains(text(cases[0], "/id"));
            assert!(rotates.is_none_or(|count| (count > 0) == has_plan), "{cases:?} and its plan");
        }
        for user in users.iter().filter(|user| user["active"] == json!(false)) {
            assert!(of.contains_key(text(user, "/id")), "a leaving without a case: {user}");
        }
    }
}

async fn check_person(
    world: &World,
    person: &Person,
    teams: &BTreeMap<String, BTreeSet<String>>,
    cases: &BTreeMap<String, usize>,
    told: &str,
) {
    let answer = world.scim.get(&format!("/Users/{}", person.id)).await;
    let is_gone = answer.status == 404;
    match person.deleted {
        Fate::No => assert!(!is_gone, "{told}: lost {person:?}"),
        Fate::Yes => assert!(is_gone, "{told}: a deleted one is back: {person:?}"),
        Fate::Perhaps => {}
    }
    let leavings = cases.get(&person.id).copied().unwrap_or_default();
    let has_left = if is_gone { true } else { answer.json()["active"] == json!(false) };
    assert_eq!(leavings, usize::from(has_left), "{told}: left: {has_left}, cases: {leavings}: {person:?}");
    let grants = api::all(&world.api, &format!("/grants?member={}", person.id)).await.len();
    if has_left {
        assert_eq!(grants, 0, "{told}: a leaver kept a grant: {person:?}");
    } else {
        assert!(
            grants >= person.grants && grants <= person.grants + 1,
            "{told}: {grants} grants: {person:?}"
        );
    }
    if is_gone {
        assert!(
            teams.values().all(|ids| !ids.contains(&person.id)),
            "{told}: deleted and in a team: {person:?}"
        );
        return;
    }
    let stored = read(&world.scim, &format!("/Users/{}", person.id)).await;
    assert_eq!(text(&stored, "/userName"), person.name, "{told}");
    assert_eq!(text(&stored, "/externalId"), format!("oid-{}", person.name), "{told}: whole: {stored}");
    if person.left == Fate::Yes {
        assert!(has_left, "{told}: a leaver is back: {person:?}");
    }
    if person.left == Fate::No {
        assert!(!has_left, "{told}: nobody took them out: {person:?}");
    }
    assert!(person.has_title_of(&stored), "{told}: {stored}: {person:?}");
    for team in &person.teams {
        assert!(teams[team].contains(&person.id), "{told}: not in {team}: {person:?}");
    }
    let audit = api::audit_of(&world.api, &person.id).await;
    let actions: Vec<&str> = audit.iter().map(|record| text(record, "/action")).collect();
    assert!(actions.contains(&"member.created"), "{told}: {actions:?}: {person:?}");
    assert_eq!(actions.contains(&"member.disabled"), has_left, "{told}: {actions:?}: {person:?}");
}
