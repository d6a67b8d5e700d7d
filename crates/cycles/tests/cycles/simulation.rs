//! P1, P2, P3 and P5 over seeded runs in which every step may fail, be lost or be the last.
//!
//! `LATCHKEY_SEED=n` plays one seed again.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use latchkey_cycles::{Cycle, Job, Ledger as _, LedgerError, MemoryLedger, Options, Silent};
use latchkey_kernel::clock::ManualClock;
use latchkey_kernel::{SeededEntropy, Timestamp};
use latchkey_provisioning::Kind;
use latchkey_provisioning::jobfile;
use latchkey_provisioning::ledger::Write;
use latchkey_provisioning::quarantine::Reason;
use latchkey_provisioning::state::{CycleOutcome, CycleSummary, JobState};
use serde_json::Value as Json;

use crate::world::{
    Dice, Directory, Faults, Person, Provider, SimLedger, SimSource, SimTarget, finish, locked,
};

const SEEDS: u64 = 10_000;
const LIMIT: usize = 2;

const JOB: &str = r#"
[job]
name = "Simulated"
deletion_limit = 2
[source]
kind = "embedded"
[target]
url = "https://target.example/scim/v2"
concurrency = 3
[users]
[[users.mapping]]
target = "userName"
source = "userPrincipalName"
match = 1
[[users.mapping]]
target = "active"
expression = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'
[[users.mapping]]
target = "displayName"
source = "displayName"
[[users.mapping]]
target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
reference = "manager"
[groups]
mappings = "default"
"#;

/// All that a run consists of.
struct World {
    job: Job,
    source: SimSource,
    target: SimTarget,
    ledger: SimLedger,
    clock: ManualClock,
    entropy: SeededEntropy,
}

impl World {
    fn new(seed: u64, unique: bool, nested: bool) -> Self {
        let text =
            if nested { JOB.replace("[job]", "[job]\nexpand_nested_groups = true") } else { JOB.to_owned() };
        let file = jobfile::parse(&text).expect("the job is right");
        let faults =
            Arc::new(Faults { dice: Mutex::new(Dice::new(seed ^ 0xFA17)), per_mille: Mutex::new(0) });
        Self {
            job: Job::new(file, &text),
            source: SimSource { directory: Arc::default(), faults: Arc::clone(&faults) },
            target: SimTarget { provider: Arc::default(), faults, unique },
            ledger: SimLedger { rows: Arc::new(MemoryLedger::default()), holder: Arc::default(), node: 0 },
            clock: ManualClock::new(Timestamp::from_micros(1_795_000_000_000_000)),
            entropy: SeededEntropy::new(seed),
        }
    }

    fn faults(&self, per_mille: usize) {
        *locked(&self.target.faults.per_mille) = per_mille;
    }

    fn cycle<'w>(&'w self, ledger: &'w SimLedger) -> Cycle<'w, SimSource, SimTarget, SimLedger> {
        Cycle {
            job: &self.job,
            source: &self.source,
            target: &self.target,
            ledger,
            clock: &self.clock,
            entropy: &self.entropy,
            progress: &Silent,
            options: Options::default(),
        }
    }

    /// One cycle that nothing disturbs, and what was let go in it.
    fn undisturbed(&self) -> (CycleSummary, usize) {
        let before = locked(&self.target.provider).let_go;
        let summary = finish(self.cycle(&self.ledger).run()).expect("nothing disturbs it");
        (summary, locked(&self.target.provider).let_go - before)
    }

    /// Cycles until nothing is left to do; a person allows what is held.
    fn settle(&self, seed: u64) {
        self.faults(0);
        for _ in 0..12 {
            self.clock.advance(Duration::from_secs(13 * 3_600));
            let state = finish(self.ledger.state()).expect("it can be read");
            let allowed = state.approved.unwrap_or(LIMIT);
            let (summary, let_go) = self.undisturbed();
            assert!(let_go <= allowed.max(LIMIT), "seed {seed}: {let_go} were let go in one cycle (P3)");
            let state = finish(self.ledger.state()).expect("it can be read");
            let held = state.quarantine.as_ref().is_some_and(|q| q.reason == Reason::TooManyDeletes);
            if held {
                let approved = JobState { approved: Some(1_000), ..state };
                finish(self.ledger.rows.write(vec![Write::State(Box::new(approved))]))
                    .expect("it can be written");
            } else if summary.outcome == CycleOutcome::Succeeded {
                return;
            }
        }
        panic!("seed {seed}: it did not settle");
    }
}

/// Runs it for so many steps; then the process is killed.
fn kill_after<T>(steps: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..steps {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
    }
    None
}

/// Runs two by turns, for so many steps each at most.
fn by_turns<T>(dice: &mut Dice, steps: usize, one: impl Future<Output = T>, two: impl Future<Output = T>) {
    let (mut one, mut two) = (pin!(one), pin!(two));
    let mut context = Context::from_waker(Waker::noop());
    let (mut one_done, mut two_done) = (false, false);
    for _ in 0..steps {
        if dice.chance(500) {
            one_done = one_done || one.as_mut().poll(&mut context).is_ready();
        } else {
            two_done = two_done || two.as_mut().poll(&mut context).is_ready();
        }
        if one_done && two_done {
            return;
        }
    }
}

/// What happens in the directory, the same for the disturbed run and the other.
fn edit(directory: &mut Directory, dice: &mut Dice, first: bool) {
    let edits = if first { 12 } else { 1 + dice.below(5) };
    for _ in 0..edits {
        let id = format!("p{}", dice.below(9));
        let group = format!("g{}", dice.below(3));
        let choice = if first { dice.below(3) * 4 } else { dice.below(12) };
        match choice {
            0 | 1 => {
                let manager = dice.chance(400).then(|| format!("p{}", dice.below(9)));
                let name = format!("Name {}", dice.below(4));
                directory.people.insert(id.clone(), Person { name, enabled: true, manager });
                directory.changes.push((Kind::User, id));
            }
            2 | 3 => {
                if let Some(person) = directory.people.get_mut(&id) {
                    person.enabled = !person.enabled;
                    directory.changes.push((Kind::User, id));
                }
            }
            4 | 5 => {
                // Groups in groups too, in themselves perhaps.
                let id = if dice.chance(250) { format!("g{}", dice.below(3)) } else { id };
                let members = directory.groups.entry(group.clone()).or_default();
                members.retain(|member| *member != id);
                members.push(id);
                directory.changes.push((Kind::Group, group));
            }
            6 | 7 => {
                if let Some(members) = directory.groups.get_mut(&group) {
                    members.pop();
                    directory.changes.push((Kind::Group, group));
                }
            }
            8 | 9 => {
                if let Some(person) = directory.people.get_mut(&id) {
                    person.manager = dice.chance(700).then(|| format!("p{}", dice.below(9)));
                    directory.changes.push((Kind::User, id));
                }
            }
            10 if directory.people.remove(&id).is_some() => directory.changes.push((Kind::User, id)),
            11 if directory.groups.remove(&group).is_some() => directory.changes.push((Kind::Group, group)),
            _ => {}
        }
    }
}

/// What is at the target, by names instead of ids.
fn shown(provider: &Provider) -> BTreeMap<String, (String, Vec<String>, Option<String>)> {
    let name = |id: &String| {
        let held = provider.objects.get(id);
        held.and_then(|held| held.resource.get("userName").or(held.resource.get("displayName")))
            .and_then(Json::as_str)
            .unwrap_or("nobody")
            .to_owned()
    };
    let objects = provider.objects.iter().map(|(id, held)| {
        let mut members: Vec<String> = held.members.iter().map(name).collect();
        members.sort_unstable();
        let resource = Json::Object(held.resource.clone()).to_string();
        (format!("{:?} {}", held.kind, name(id)), (resource, members, held.manager.as_ref().map(name)))
    });
    objects.collect()
}

fn play(seed: u64) {
    let mut dice = Dice::new(seed);
    // Where nodes overlap, the target's own uniqueness is what is left; else matching has to do.
    let two_nodes = dice.chance(300);
    let nested = dice.chance(400);
    let (calm, mut wild) = (World::new(seed, two_nodes, nested), World::new(seed, two_nodes, nested));
    for round in 0..3 {
        let edits = dice.clone();
        edit(&mut locked(&calm.source.directory), &mut edits.clone(), round == 0);
        edit(&mut locked(&wild.source.directory), &mut edits.clone(), round == 0);
        dice.below(2);
        calm.settle(seed);

        wild.faults(20 + dice.below(120));
        for _ in 0..1 + dice.below(3) {
            let steps = dice.below(300);
            let before = locked(&wild.target.provider).let_go;
            if two_nodes && dice.chance(500) {
                let second = wild.ledger.taken_over();
                let mut turns = dice.clone();
                by_turns(&mut turns, steps, wild.cycle(&wild.ledger).run(), wild.cycle(&second).run());
                wild.ledger = second;
            } else if let Some(Err(error)) = kill_after(steps, wild.cycle(&wild.ledger).run()) {
                assert!(matches!(error, LedgerError::Lost), "seed {seed}: {error}");
            }
            let let_go = locked(&wild.target.provider).let_go - before;
            let nodes = if two_nodes { 2 } else { 1 };
            assert!(let_go <= LIMIT * nodes, "seed {seed}: {let_go} were let go in one cycle (P3)");
            if dice.chance(300) {
                // Clocks jump.
                wild.clock.advance(Duration::from_secs(dice.below(100_000) as u64));
            }
        }
        wild.settle(seed);
        let (calm, wild) = (locked(&calm.target.provider), locked(&wild.target.provider));
        assert_eq!(shown(&calm), shown(&wild), "seed {seed}, round {round}: the end state differs (P1)");
        assert_eq!(calm.objects.len(), shown(&calm).len(), "seed {seed}: two objects have one name");
        assert_eq!(calm.made, wild.made, "seed {seed}, round {round}: something was made twice (P1)");
    }
    let before = locked(&wild.target.provider).requests;
    let summary = finish(wild.cycle(&wild.ledger).run()).expect("nothing disturbs it");
    assert_eq!(summary.counts.requests, 0, "seed {seed}: nothing changed, and requests were sent (P5)");
    assert_eq!(locked(&wild.target.provider).requests, before);
}

#[expect(clippy::disallowed_methods, reason = "to play one seed again")]
fn chosen() -> Option<u64> {
    std::env::var("LATCHKEY_SEED").ok().and_then(|seed| seed.parse().ok())
}

fn seeds(part: u64) {
    if let Some(seed) = chosen() {
        return play(seed);
    }
    for seed in (0..SEEDS).filter(|seed| seed % 4 == part) {
        play(seed);
    }
}

#[test]
fn p1_a_cycle_killed_anywhere_ends_as_one_that_was_not_1() {
    seeds(0);
}

#[test]
fn p1_a_cycle_killed_anywhere_ends_as_one_that_was_not_2() {
    seeds(1);
}

#[test]
fn p1_a_cycle_killed_anywhere_ends_as_one_that_was_not_3() {
    seeds(2);
}

#[test]
fn p1_a_cycle_killed_anywhere_ends_as_one_that_was_not_4() {
    seeds(3);
}
