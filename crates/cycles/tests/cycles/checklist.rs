//! What an admin of Entra ID's provisioning service expects, case by case, and what ours does better.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use latchkey_cycles::{
    Cycle, DryTarget, Job, Ledger as _, MemoryLedger, Options, Plan, Reset, Silent, restart,
};
use latchkey_kernel::clock::ManualClock;
use latchkey_kernel::{SeededEntropy, Timestamp};
use latchkey_provisioning::feed::Change;
use latchkey_provisioning::ledger::{ObjectKey, Write};
use latchkey_provisioning::log::{Action, LogEntry, Status};
use latchkey_provisioning::quarantine::Reason;
use latchkey_provisioning::state::{Counts, CycleKind, CycleOutcome, CycleSummary, JobState};
use latchkey_provisioning::{EntryId, Kind, jobfile};
use serde_json::{Value as Json, json};

use crate::world::{Dice, Faults, Held, Person, SimSource, SimTarget, finish, locked};

const JOB: &str = r#"
[job]
name = "People"
deletion_limit = 3
[source]
kind = "embedded"
[target]
url = "https://target.example/scim/v2"
[users]
mapping = [
  { target = "userName", source = "userPrincipalName", match = 1 },
  { target = "active", expression = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
  { target = "displayName", source = "displayName" },
  { target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", reference = "manager" },
]
[groups]
mappings = "default"
"#;

/// A job with both its ends, and what it remembers.
struct Scene {
    job: Job,
    source: SimSource,
    target: SimTarget,
    ledger: MemoryLedger,
    clock: ManualClock,
    entropy: SeededEntropy,
}

impl Scene {
    fn new() -> Self {
        Self::of(JOB)
    }

    fn of(text: &str) -> Self {
        let faults = Arc::new(Faults { dice: Mutex::new(Dice::new(1)), per_mille: Mutex::new(0) });
        Self {
            job: Self::job(text),
            source: SimSource { directory: Arc::default(), faults: Arc::clone(&faults) },
            target: SimTarget { provider: Arc::default(), faults, unique: true },
            ledger: MemoryLedger::default(),
            clock: ManualClock::new(Timestamp::from_micros(1_795_000_000_000_000)),
            entropy: SeededEntropy::new(3),
        }
    }

    fn job(text: &str) -> Job {
        Job::new(jobfile::parse(text).expect("the job is right"), text)
    }

    fn person(&self, id: &str, change: impl FnOnce(&mut Person)) {
        let mut directory = locked(&self.source.directory);
        let person = directory.people.entry(id.to_owned()).or_insert_with(|| Person {
            name: id.to_uppercase(),
            enabled: true,
            manager: None,
        });
        change(person);
        directory.changes.push((Kind::User, id.to_owned()));
    }

    fn people(&self, ids: &[&str]) {
        ids.iter().for_each(|id| self.person(id, |_| {}));
    }

    fn group(&self, id: &str, members: &[&str]) {
        let mut directory = locked(&self.source.directory);
        directory.groups.insert(id.to_owned(), members.iter().map(|id| (*id).to_owned()).collect());
        directory.changes.push((Kind::Group, id.to_owned()));
    }

    fn remove(&self, id: &str) {
        let mut directory = locked(&self.source.directory);
        let kind = if directory.people.remove(id).is_some() { Kind::User } else { Kind::Group };
        directory.groups.remove(id);
        directory.changes.push((kind, id.to_owned()));
    }

    fn with(&self, options: Options) -> CycleSummary {
        self.clock.advance(Duration::from_secs(2_400));
        finish(self.cycle(options).run()).expect("the ledger does not fail")
    }

    fn cycle(&self, options: Options) -> Cycle<'_, SimSource, SimTarget, MemoryLedger> {
        Cycle {
            job: &self.job,
            source: &self.source,
            target: &self.target,
            ledger: &self.ledger,
            clock: &self.clock,
            entropy: &self.entropy,
            progress: &Silent,
            options,
        }
    }

    fn run(&self) -> CycleSummary {
        self.with(Options::default())
    }

    /// What the provider holds of somebody.
    fn held(&self, name: &str) -> Option<(String, Held)> {
        let provider = locked(&self.target.provider);
        let is_it = |held: &Held| {
            let names = [format!("{name}@corp.example"), name.to_owned()];
            ["userName", "displayName"].iter().any(|key| {
                held.resource
                    .get(*key)
                    .and_then(Json::as_str)
                    .is_some_and(|it| names.contains(&it.to_owned()))
            })
        };
        provider.objects.iter().find(|(_, held)| is_it(held)).map(|(id, held)| (id.clone(), held.clone()))
    }

    fn active(&self, name: &str) -> Option<bool> {
        self.held(name)?.1.resource.get("active")?.as_bool()
    }

    fn writes(&self) -> usize {
        locked(&self.target.provider).requests
    }

    fn last(&self) -> LogEntry {
        self.ledger.log().pop().expect("something was logged")
    }

    fn state(&self) -> JobState {
        finish(self.ledger.state()).expect("memory does not fail")
    }

    fn members(&self, group: &str) -> Vec<String> {
        let Some((_, held)) = self.held(group) else { return Vec::new() };
        let provider = locked(&self.target.provider);
        let mut names: Vec<String> = held
            .members
            .iter()
            .map(|id| {
                let member = provider.objects.get(id).expect("a member is there");
                member.resource["displayName"].as_str().unwrap_or_default().to_lowercase()
            })
            .collect();
        names.sort_unstable();
        names
    }
}

#[test]
fn a_cycle_without_a_change_sends_nothing_at_all() {
    let scene = Scene::new();
    scene.people(&["ada", "ben"]);
    scene.group("staff", &["ada", "ben"]);
    let first = scene.run();
    assert_eq!((first.kind, first.counts.created, first.counts.members_added), (CycleKind::Initial, 3, 2));
    let second = scene.run();
    assert_eq!(second.counts, Counts::default(), "P5");
    assert_eq!(second.kind, CycleKind::Incremental);
}

#[test]
fn who_is_disabled_and_was_never_linked_is_not_made() {
    let scene = Scene::new();
    scene.person("ada", |ada| ada.enabled = false);
    scene.run();
    assert_eq!(scene.writes(), 0);
    let last = scene.last();
    assert_eq!((last.status, last.code.as_deref()), (Status::Skipped, Some("NotEffectivelyEntitled")));
    assert!(last.message.contains("disabled or deleted at the source"), "{}", last.message);
}

#[test]
fn a_leaver_is_disabled_once_and_comes_back_under_the_same_id() {
    let scene = Scene::new();
    scene.people(&["ada"]);
    scene.run();
    let id = scene.held("ada").expect("made").0;
    scene.person("ada", |ada| ada.enabled = false);
    scene.run();
    assert_eq!(scene.active("ada"), Some(false));
    let writes = scene.writes();
    scene.person("ada", |_| {});
    scene.run();
    assert_eq!(scene.writes(), writes, "it is not said twice");
    scene.person("ada", |ada| ada.enabled = true);
    scene.run();
    assert_eq!((scene.active("ada"), scene.held("ada").expect("there").0), (Some(true), id));
    assert_eq!(locked(&scene.target.provider).made["ada@corp.example"], 1);
}

#[test]
fn a_deletion_at_the_source_deletes_whoever_is_managed() {
    let scene = Scene::new();
    scene.people(&["ada", "ben"]);
    scene.group("staff", &["ada"]);
    scene.run();
    scene.remove("ada");
    scene.remove("staff");
    let summary = scene.run();
    assert_eq!(summary.counts.deleted, 2);
    assert!(scene.held("ada").is_none() && scene.held("staff").is_none() && scene.held("ben").is_some());
}

#[test]
fn a_group_of_many_with_one_change_costs_one_request_for_one_member() {
    let scene = Scene::new();
    let names: Vec<String> = (0..3_000).map(|number| format!("p{number}")).collect();
    names.iter().for_each(|name| scene.person(name, |_| {}));
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    scene.group("everybody", &all[..2_999]);
    scene.run();
    scene.group("everybody", &all);
    let summary = scene.run();
    assert_eq!((summary.counts.members_added, summary.counts.requests), (1, 1));
}

#[test]
fn a_reference_is_set_when_the_missing_end_arrives() {
    let scene = Scene::new();
    scene.person("ben", |ben| ben.manager = Some("ada".to_owned()));
    scene.group("staff", &["ada", "ben"]);
    scene.run();
    let warned = scene.ledger.log().iter().filter(|entry| entry.status == Status::Warning).count();
    assert_eq!(warned, 2, "the manager and the member that are not there are named");
    assert_eq!(scene.members("staff"), ["ben"]);
    scene.people(&["ada"]);
    let summary = scene.run();
    assert_eq!((summary.counts.managers_set, summary.counts.members_added), (1, 1));
    assert_eq!(scene.members("staff"), ["ada", "ben"]);
    assert_eq!(scene.held("ben").expect("there").1.manager, scene.held("ada").map(|(id, _)| id));
}

#[test]
fn memberships_survive_a_leave_and_are_compared_on_return() {
    let scene = Scene::new();
    scene.people(&["ada"]);
    scene.group("staff", &["ada"]);
    scene.run();
    scene.person("ada", |ada| ada.enabled = false);
    scene.run();
    scene.group("staff", &[]);
    scene.group("board", &["ada"]);
    scene.run();
    assert_eq!(scene.members("staff"), [""; 0], "who left is still taken out of groups");
    scene.person("ada", |ada| ada.enabled = true);
    scene.run();
    assert_eq!(scene.members("board"), ["ada"]);
}

#[test]
fn who_is_out_is_a_member_as_the_source_has_it() {
    let scene = Scene::new();
    scene.people(&["ada", "ben"]);
    scene.group("staff", &["ben"]);
    scene.run();
    scene.person("ada", |ada| ada.enabled = false);
    scene.run();
    scene.group("staff", &["ada"]);
    scene.run();
    assert_eq!((scene.members("staff"), scene.active("ada")), (vec!["ada".to_owned()], Some(false)));
}

#[test]
fn nested_groups_are_expanded_where_the_job_says_so() {
    let scene = Scene::of(&JOB.replace("[job]", "[job]\nexpand_nested_groups = true"));
    scene.people(&["ada", "ben", "cem"]);
    scene.group("all", &["ada", "north", "all"]);
    scene.group("north", &["ben", "far-north"]);
    scene.group("far-north", &["cem", "all"]);
    scene.run();
    assert_eq!(scene.members("all"), ["ada", "ben", "cem"]);
    assert_eq!(scene.members("far-north"), ["ada", "ben", "cem"], "each is in the other, and that ends");
    scene.group("far-north", &[]);
    scene.run();
    assert_eq!(scene.members("all"), ["ada", "ben"], "what changes below reaches those above");
    assert_eq!(scene.members("far-north"), [""; 0]);
    scene.remove("north");
    scene.run();
    assert_eq!(scene.members("all"), ["ada"], "with a group go those who were there by way of it");
    assert_eq!(scene.run().counts, Counts::default());
}

#[test]
fn an_object_that_was_deleted_behind_our_back_is_made_again_with_its_memberships() {
    let scene = Scene::new();
    scene.people(&["ada", "ben"]);
    scene.person("ben", |ben| ben.manager = Some("ada".to_owned()));
    scene.group("staff", &["ada", "ben"]);
    scene.run();
    let (id, _) = scene.held("ada").expect("there");
    {
        let mut provider = locked(&scene.target.provider);
        provider.objects.remove(&id);
        for held in provider.objects.values_mut() {
            held.members.retain(|member| *member != id);
            held.manager = held.manager.take().filter(|manager| *manager != id);
        }
    }
    scene.person("ada", |ada| ada.name = "ADA".to_owned());
    assert_eq!(scene.run().counts.unchanged, 1, "what did not change is not looked at");
    scene.person("ada", |ada| ada.name = "Ada L".to_owned());
    let summary = scene.run();
    assert_eq!(summary.outcome, CycleOutcome::Succeeded);
    assert_eq!(
        (summary.counts.created, summary.counts.members_added, summary.counts.managers_set),
        (1, 1, 1)
    );
    assert_eq!(scene.held("ben").expect("there").1.manager, scene.held("Ada L").map(|(id, _)| id));
}

#[test]
fn a_group_that_was_deleted_behind_our_back_is_made_again_in_the_same_cycle() {
    let scene = Scene::new();
    scene.people(&["ada", "ben"]);
    scene.group("staff", &["ada"]);
    scene.run();
    let (id, _) = scene.held("staff").expect("there");
    locked(&scene.target.provider).objects.remove(&id);
    scene.group("staff", &["ada", "ben"]);
    let summary = scene.run();
    assert_eq!(summary.outcome, CycleOutcome::Succeeded);
    assert_eq!(scene.members("staff"), ["ada", "ben"]);
}

#[test]
fn who_was_there_before_is_linked_and_not_made() {
    let scene = Scene::new();
    let resource = json!({ "userName": "ada@corp.example", "displayName": "Old", "active": true });
    let held = Held {
        kind: Kind::User,
        resource: resource.as_object().cloned().expect("an object"),
        members: Vec::new(),
        manager: None,
    };
    locked(&scene.target.provider).objects.insert("there".to_owned(), held);
    scene.people(&["ada"]);
    let summary = scene.run();
    assert_eq!((summary.counts.created, summary.counts.updated), (0, 1));
    let last = scene.last();
    assert_eq!(
        (last.target_id.as_deref(), last.detail.matched_by.as_deref()),
        (Some("there"), Some("userName"))
    );
}

#[test]
fn two_that_match_are_told_and_neither_is_written() {
    let scene = Scene::new();
    for id in ["one", "two"] {
        let resource = json!({ "userName": "ada@corp.example" });
        let resource = resource.as_object().cloned().expect("an object");
        let held = Held { kind: Kind::User, resource, members: Vec::new(), manager: None };
        locked(&scene.target.provider).objects.insert(id.to_owned(), held);
    }
    scene.people(&["ada", "ben"]);
    let summary = scene.run();
    assert_eq!((summary.counts.created, summary.counts.failed), (1, 1), "P2: the other is made all the same");
    assert_eq!(summary.outcome, CycleOutcome::EntryLevelErrors);
    let codes: Vec<_> = scene.ledger.log().into_iter().filter_map(|entry| entry.code).collect();
    assert_eq!(codes, ["DuplicateTargetEntries"]);
}

#[test]
fn two_of_one_name_are_not_linked_to_one_object() {
    let scene = Scene::new();
    {
        let mut directory = locked(&scene.source.directory);
        directory.aliases.insert("twin".to_owned(), "ada".to_owned());
    }
    scene.people(&["ada", "twin", "ben"]);
    let summary = scene.run();
    assert_eq!((summary.counts.created, summary.counts.failed), (2, 1), "{summary:?}");
    let codes: Vec<_> = scene.ledger.log().into_iter().filter_map(|entry| entry.code).collect();
    assert_eq!(codes, ["DuplicateSourceEntries"]);
    assert_eq!(scene.run().counts.failed, 1, "in later cycles as well");
}

#[test]
fn who_was_made_anew_at_the_source_takes_the_account_over() {
    let scene = Scene::new();
    scene.people(&["ada"]);
    scene.run();
    let id = scene.held("ada").expect("there").0;
    {
        // The same login name under another id.
        let mut directory = locked(&scene.source.directory);
        let ada = directory.people.remove("ada").expect("there");
        directory.aliases.insert("ada2".to_owned(), "ada".to_owned());
        directory.people.insert("ada2".to_owned(), ada);
        directory.changes.push((Kind::User, "ada2".to_owned()));
        directory.changes.push((Kind::User, "ada".to_owned()));
    }
    let summary = scene.run();
    assert_eq!((summary.counts.created, summary.counts.deleted), (0, 0), "{summary:?}");
    assert_eq!(scene.held("ada").expect("there").0, id);
    assert_eq!(scene.active("ada"), Some(true));
}

#[test]
fn p3_one_more_than_the_limit_holds_them_all_until_a_person_allows_it() {
    let scene = Scene::new();
    scene.people(&["a", "b", "c", "d", "e"]);
    scene.run();
    for id in ["a", "b", "c"] {
        scene.person(id, |it| it.enabled = false);
    }
    assert_eq!(scene.run().counts.disabled, 3, "as many as the limit pass");
    for id in ["a", "b", "c"] {
        scene.person(id, |it| it.enabled = true);
    }
    scene.run();
    for id in ["a", "b", "c", "d"] {
        scene.person(id, |it| it.enabled = false);
    }
    let held = scene.run();
    assert_eq!((held.counts.disabled, held.counts.held), (0, 4));
    let quarantine = scene.state().quarantine.expect("the job waits for a person");
    assert_eq!(quarantine.reason, Reason::TooManyDeletes);
    let staged = |scene: &Scene| {
        scene.ledger.log().iter().filter(|entry| entry.action == Action::StagedDelete).count()
    };
    assert_eq!(staged(&scene), 4);
    scene.people(&["f"]);
    assert_eq!(scene.run().counts.created, 1, "others go on");
    assert_eq!(staged(&scene), 4, "and it is said once");
    let allowed = JobState { approved: Some(4), ..scene.state() };
    finish(scene.ledger.write(vec![Write::State(Box::new(allowed))])).expect("memory");
    assert_eq!(scene.run().counts.disabled, 4);
    assert_eq!(scene.state().quarantine, None);
}

#[test]
fn p3_what_the_source_gives_back_is_held_no_longer() {
    let scene = Scene::new();
    let all = ["a", "b", "c", "d"];
    scene.people(&all);
    scene.run();
    all.iter().for_each(|id| scene.person(id, |it| it.enabled = false));
    scene.run();
    all.iter().for_each(|id| scene.person(id, |it| it.enabled = true));
    let summary = scene.run();
    assert_eq!((summary.counts.disabled, summary.counts.held), (0, 0));
    assert!(all.iter().all(|id| scene.active(id) == Some(true)));
    assert_eq!(scene.state().quarantine, None);
}

#[test]
fn p3_what_is_pushed_counts_as_well() {
    let scene = Scene::new();
    let all = ["a", "b", "c", "d"];
    scene.people(&all);
    scene.run();
    let mut out = 0;
    for id in all {
        scene.person(id, |it| it.enabled = false);
        let change = scene.source.change_of(Kind::User, id);
        let done = finish(scene.cycle(Options::default()).run_for(vec![change])).expect("memory");
        out += done.counts.disabled;
    }
    assert_eq!(out, 3, "the fourth waits for the cycle, which judges");
    assert_eq!(scene.active("d"), Some(true));
    let next = scene.run();
    assert_eq!((next.counts.disabled, next.counts.held), (0, 1));
}

#[test]
fn a_reading_that_breaks_off_disables_nobody() {
    let scene = Scene::new();
    scene.people(&["a", "b", "c", "d", "e", "f"]);
    scene.run();
    *locked(&scene.source.faults.per_mille) = 1_000;
    let broken = scene.with(Options { full: true, ..Options::default() });
    assert_eq!(broken.outcome, CycleOutcome::Failed);
    assert_eq!((broken.counts.disabled, broken.counts.deleted), (0, 0));
    let reason = scene.state().quarantine.map(|quarantine| quarantine.reason);
    assert_eq!(reason, Some(Reason::EncounteredQuarantineException));
    *locked(&scene.source.faults.per_mille) = 0;
    assert_eq!(scene.run().outcome, CycleOutcome::Succeeded);
    assert_eq!(scene.state().quarantine, None, "the first success lifts it");
}

#[test]
fn what_is_no_scim_provider_at_all_is_told_once_for_all_objects() {
    let scene = Scene::new();
    scene.people(&["a", "b", "c"]);
    locked(&scene.target.provider).cannot_search = true;
    let broken = scene.run();
    assert_eq!(broken.outcome, CycleOutcome::Failed);
    assert!(broken.error.is_some_and(|error| error.contains("404 where a list is due")));
    let reason = scene.state().quarantine.map(|quarantine| quarantine.reason);
    assert_eq!(reason, Some(Reason::EncounteredQuarantineException));
    locked(&scene.target.provider).cannot_search = false;
    assert_eq!(scene.run().counts.created, 3);
    locked(&scene.target.provider).cannot_search = true;
    scene.people(&["d"]);
    scene.person("a", |it| it.name = "Ada".to_owned());
    let partly = scene.run();
    assert_eq!((partly.outcome, partly.counts.updated), (CycleOutcome::EntryLevelErrors, 1), "P2");
}

#[test]
fn a_watermark_that_is_not_known_any_more_reads_everything_and_changes_nothing() {
    let scene = Scene::new();
    scene.people(&["a", "b"]);
    scene.run();
    let writes = scene.writes();
    locked(&scene.source.directory).forgets = true;
    let summary = scene.run();
    assert_eq!((summary.kind, summary.outcome), (CycleKind::Initial, CycleOutcome::Succeeded));
    assert_eq!(scene.writes(), writes);
}

#[test]
fn a_changed_definition_reads_everything_and_sends_what_differs() {
    let mut scene = Scene::new();
    scene.people(&["a", "b"]);
    scene.run();
    let text = JOB.replace("source = \"displayName\" }", "expression = 'Append([displayName], \" (x)\")' }");
    scene.job = Scene::job(&text);
    let summary = scene.run();
    assert_eq!((summary.kind, summary.counts.updated, summary.counts.created), (CycleKind::Initial, 2, 0));
}

#[test]
fn p4_each_decision_tells_what_led_to_it() {
    let text = JOB.replace(
        "[users]\n",
        "[users]\nscope = [{ title = \"A people\", clauses = [{ attribute = \"displayName\", operator = \"EQUALS\", value = \"A\" }] }]\n",
    );
    let scene = Scene::of(&text);
    scene.people(&["a", "b"]);
    scene.run();
    let log = scene.ledger.log();
    let of = |label: &str| log.iter().find(|entry| entry.label == label).expect("it is logged");
    let made = of("A");
    assert_eq!((made.action, made.status), (Action::Create, Status::Success));
    let shown: Vec<_> = made.detail.modified.iter().map(|one| one.display_name.as_str()).collect();
    assert_eq!(shown, ["userName", "active", "displayName"]);
    let methods: Vec<_> = made.detail.exchanges.iter().filter_map(|one| one["method"].as_str()).collect();
    assert_eq!(methods, ["GET", "POST"]);
    let skipped = of("B");
    assert_eq!(skipped.code.as_deref(), Some("NotEffectivelyEntitled"));
    let facts = skipped.detail.facts.as_ref().expect("facts");
    assert!(facts.is_active && facts.assigned && !facts.is_in_provisioning_scope);
    assert_eq!(facts.scope_evaluation_result[0].group, "A people");
    scene.person("a", |it| it.name = "Z".to_owned());
    scene.run();
    let out = scene.last();
    assert_eq!(
        (out.action, scene.active("a")),
        (Action::Disable, Some(false)),
        "who leaves the scope is out"
    );
}

#[test]
fn escrow_waits_longer_and_longer_and_gives_up_after_28_days() {
    let scene = Scene::new();
    for id in ["one", "two"] {
        let resource = json!({ "userName": "ada@corp.example" }).as_object().cloned().expect("an object");
        let held = Held { kind: Kind::User, resource, members: Vec::new(), manager: None };
        locked(&scene.target.provider).objects.insert(id.to_owned(), held);
    }
    scene.people(&["ada"]);
    let mut tried = Vec::new();
    let cycles = 30 * 36;
    for cycle in 0..cycles {
        if scene.run().counts.failed > 0 {
            tried.push(cycle * 40 / 60);
        }
    }
    let hours: Vec<_> = tried.iter().copied().filter(|hour| *hour >= 6).take(5).collect();
    assert_eq!(tried.iter().filter(|hour| **hour < 6).count(), 9, "each cycle for six hours");
    assert!(hours[0] <= 6 && (12..=13).contains(&hours[1]) && (24..=25).contains(&hours[2]), "{hours:?}");
    assert!(tried.last().is_some_and(|hour| *hour <= 28 * 24 + 1), "{tried:?}");
    assert_eq!(finish(scene.ledger.totals()).expect("memory").escrowed, 0);
    locked(&scene.target.provider).objects.remove("two");
    scene.person("ada", |ada| ada.name = "Ada".to_owned());
    assert_eq!(scene.run().counts.updated, 1, "a change is looked at at once");
}

#[test]
fn a_preview_tells_just_what_the_cycle_then_does() {
    let scene = Scene::new();
    scene.people(&["a", "b", "c"]);
    scene.group("staff", &["a", "b"]);
    scene.run();
    scene.person("a", |it| it.enabled = false);
    scene.person("b", |it| it.name = "Bea".to_owned());
    scene.remove("c");
    scene.person("d", |it| it.manager = Some("b".to_owned()));
    scene.group("staff", &["b", "d"]);
    let (before, writes) = (scene.ledger.log().len(), scene.writes());

    let copy = finish(MemoryLedger::copy_of(&scene.ledger)).expect("memory");
    let dry = DryTarget::new(scene.target.clone());
    let preview = Cycle {
        job: &scene.job,
        source: &scene.source,
        target: &dry,
        ledger: &copy,
        clock: &scene.clock,
        entropy: &scene.entropy,
        progress: &Silent,
        options: Options::default(),
    };
    let told = finish(preview.run()).expect("memory");
    assert_eq!((scene.writes(), scene.ledger.log().len()), (writes, before), "nothing was written");
    let plan = Plan::of(scene.job.definition, &copy.log());
    let planned = plan.len();

    // Something more happens before the preview is applied: it is left out.
    scene.person("e", |_| {});
    scene.person("b", |it| it.name = "Beatrix".to_owned());
    let done = scene.with(Options { plan: Some(plan), ..Options::default() });
    assert!(scene.held("e").is_none() && scene.held("Bea").is_none(), "only what was allowed is done");
    let counted = |counts: Counts| {
        (counts.created, counts.disabled, counts.deleted, counts.members_added, counts.members_removed)
    };
    assert_eq!(counted(done.counts), counted(told.counts));
    assert!(planned > 5);
    let next = scene.run();
    assert_eq!((next.counts.created, next.counts.updated), (1, 1), "what was left out is found by the next");
    assert_eq!(scene.run().counts, Counts::default());
}

#[test]
fn what_a_cycle_removed_can_be_taken_back_and_stays() {
    let scene = Scene::new();
    scene.people(&["a", "b", "c"]);
    scene.group("staff", &["a", "b", "c"]);
    scene.run();
    scene.person("a", |it| it.enabled = false);
    scene.remove("b");
    scene.group("staff", &["a"]);
    let removed = scene.run();
    assert_eq!((removed.counts.disabled, removed.counts.deleted), (1, 1));
    assert_eq!(scene.members("staff"), ["a"]);
    let entries: Vec<LogEntry> =
        scene.ledger.log().into_iter().filter(|entry| entry.cycle == removed.id).collect();
    let undone = finish(scene.cycle(Options::default()).undo(entries)).expect("memory");
    assert_eq!((undone.kind, undone.counts.failed), (CycleKind::Undo, 0));
    assert_eq!(scene.active("a"), Some(true));
    assert_eq!(scene.active("b"), Some(true), "who was deleted is there again");
    assert_eq!(scene.members("staff"), ["a", "b", "c"]);
    for options in [Options::default(), Options { full: true, ..Options::default() }] {
        assert_eq!(scene.with(options).counts.requests, 0, "the next cycles leave it as it is");
    }
    scene.person("a", |it| it.name = "Ada".to_owned());
    assert_eq!(scene.run().counts.disabled, 1, "until it changes at the source");
}

#[test]
fn drift_is_found_and_repaired() {
    let scene = Scene::new();
    scene.people(&["a", "b"]);
    scene.run();
    let (id, _) = scene.held("a").expect("there");
    {
        let mut provider = locked(&scene.target.provider);
        let held = provider.objects.get_mut(&id).expect("there");
        held.resource.insert("displayName".to_owned(), json!("Changed by hand"));
    }
    assert_eq!(scene.run().counts.requests, 0, "a usual cycle does not look");
    let repaired = scene.with(Options { full: true, check_drift: true, ..Options::default() });
    assert_eq!(repaired.counts.updated, 1);
    assert!(scene.held("A").is_some());
}

#[test]
fn a_restart_forgets_what_it_is_told_to() {
    let scene = Scene::new();
    scene.people(&["a", "b"]);
    scene.group("staff", &["a"]);
    scene.run();
    finish(restart(&scene.ledger, &[Reset::Watermark, Reset::Escrows, Reset::Quarantine])).expect("memory");
    let again = scene.run();
    assert_eq!((again.kind, again.counts.created, again.counts.updated), (CycleKind::Initial, 0, 0));
    let row = |scene: &Scene| {
        let key = ObjectKey::of(&EntryId("a".to_owned()));
        finish(scene.ledger.objects(&[key])).expect("memory").pop().and_then(|row| row.link)
    };
    assert!(row(&scene).is_some());
    finish(restart(&scene.ledger, &[Reset::Links])).expect("memory");
    assert!(row(&scene).is_none());
    let matched = scene.run();
    assert_eq!((matched.counts.created, matched.outcome), (0, CycleOutcome::Succeeded));
    assert!(row(&scene).is_some(), "all were found again");
    assert_eq!(locked(&scene.target.provider).objects.len(), 3);
}

#[test]
fn a_push_brings_one_in_step_and_leaves_the_watermark() {
    let scene = Scene::new();
    scene.people(&["a", "b"]);
    scene.run();
    let before = scene.state();
    scene.person("a", |it| it.enabled = false);
    scene.person("b", |it| it.name = "Bea".to_owned());
    let change = scene.source.change_of(Kind::User, "a");
    assert!(matches!(change, Change::Present { .. }));
    let done = finish(scene.cycle(Options::default()).run_for(vec![change])).expect("memory");
    assert_eq!((done.kind, done.counts.disabled, done.counts.updated), (CycleKind::OnDemand, 1, 0));
    assert_eq!(scene.active("a"), Some(false));
    assert_eq!(scene.state().watermark, before.watermark);
    assert_eq!(scene.run().counts.updated, 1, "the cycle finds the rest");
}
