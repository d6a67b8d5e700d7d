//! Thousands of histories of one account's rotations, each from a seed: a target with every kind of
//! fault, two workers that die and stall anywhere, events that arrive twice, and people.
//!
//! `LATCHKEY_SEED=n cargo test -p latchkey-rotation --test simulation` tells one history.

mod chance;
mod target;
mod world;

use std::time::Duration;

use latchkey_rotation::{State, Verdict, Word, answer, call_off};

use target::LATEST;
use world::{FOREIGN, LEASE, Sabotage, World};

const HISTORIES: u64 = 4_000;
const STEPS: usize = 4_000;
/// After so many steps nobody dies, nothing breaks and no person speaks any more: what does not come to
/// an end then never will.
const TROUBLE: usize = 1_000;

/// Runs one history and gives what is wrong with it.
fn history(seed: u64, sabotage: Sabotage) -> (Vec<String>, World) {
    let mut world = World::new(seed, sabotage);
    let causes: Vec<String> = (0..1 + world.chance.below(3)).map(|n| format!("cause {n}")).collect();
    let foreign = world.chance.percent(5);
    let troubled = world.chance.percent(50);
    for step in 0..STEPS {
        intake(&mut world, &causes);
        if step < TROUBLE {
            nudge(&mut world, troubled, foreign);
        }
        let which = world.chance.place(2);
        let looks_again = world.step(which);
        check_always(&mut world);
        if !world.faults.is_empty() {
            break;
        }
        let all_seen = causes.iter().all(|cause| world.db.causes.contains(cause));
        if all_seen && world.db.job.is_none() && !world.is_busy() {
            break;
        }
        match looks_again {
            Some(at) if !world.is_busy() && at > world.now => world.pass(at.since(world.now)),
            _ => world.pass(Duration::from_millis(1 + world.chance.below(4_000))),
        }
    }
    // What is still on its way arrives, and what lags catches up.
    world.pass(LATEST + world.target.nature.lag);
    if world.faults.is_empty() {
        check_end(&mut world, &causes);
    }
    (std::mem::take(&mut world.faults), world)
}

fn intake(world: &mut World, causes: &[String]) {
    let generation = world.chance.percent(50).then_some(1);
    let cause = &causes[world.chance.place(causes.len())];
    if world.chance.percent(20) {
        world.intake(cause, generation);
    }
    if world.db.paused && world.chance.percent(10) {
        world.db.paused = false;
    }
}

/// What happens besides the workers' steps.
fn nudge(world: &mut World, troubled: bool, foreign: bool) {
    if troubled && world.chance.percent(8) {
        let which = world.chance.place(2);
        world.crash(which);
    }
    if troubled && world.chance.percent(3) {
        // Everybody stalls, and leases run out under them.
        world.pass(LEASE + Duration::from_secs(world.chance.below(60)));
    }
    if troubled && world.chance.percent(1) {
        let hours = world.chance.below(40);
        world.target.down_until = world.now.plus(Duration::from_secs(hours * 3600));
    }
    if troubled && world.chance.percent(1) {
        world.target.admin_refused_until = world.now.plus(Duration::from_secs(world.chance.below(40_000)));
    }
    if troubled && world.chance.percent(1) {
        world.target.wants_person_until = world.now.plus(Duration::from_secs(world.chance.below(40_000)));
    }
    if foreign && world.chance.percent(1) && world.target.works != FOREIGN {
        let now = world.now;
        world.target.set(FOREIGN, now);
    }
    if troubled && world.chance.below(400) == 0 {
        world.person(|job, now| call_off(job, now).ok());
    }
    if world.db.task.is_some() && world.chance.percent(5) {
        a_person_answers(world);
    }
}

/// People say what is so.
fn a_person_answers(world: &mut World) {
    let Some(job) = world.db.job.clone() else { return };
    let staged = job.staged.map(|version| world.value_of(version));
    let current = world.value_of(world.db.current);
    match world.chance.below(3) {
        0 => world.person(|job, now| answer(job, Word::Retry, now).ok()),
        1 => {
            let Some(value) = staged else { return };
            let now = world.now;
            world.person(|job, now| answer(job, Word::Changed, now).ok());
            if world.db.task.is_none() {
                world.target.set(value, now);
            }
        }
        _ if world.target.works == current && world.target.under_way.is_empty() => {
            world.person(|job, now| answer(job, Word::OldWorks, now).ok());
        }
        _ => {}
    }
}

fn check_always(world: &mut World) {
    let works = world.target.works;
    if works != FOREIGN && !world.db.versions.values().any(|value| *value == works) {
        world.faults.push(format!("V2: the target takes {works}, which the vault does not hold"));
    }
    if let Some(job) = world.db.job.as_ref().filter(|job| job.state == State::Diverged) {
        let refused = |version| {
            job.trials.iter().any(|trial| trial.version == version && trial.verdict == Verdict::Refused)
        };
        let new = job.staged.map(|version| world.value_of(version));
        let arrives = world.target.under_way.iter().any(|(.., value)| Some(*value) == new);
        if job.candidates().all(refused) && (new == Some(works) || arrives) {
            world.faults.push("V3: called diverged, and the new secret works or is about to".to_owned());
        }
    }
    let window = world.policy.failed_login_every;
    let most = world.target.most_failures_in_a_window(window);
    if most > 1 {
        world.faults.push(format!("lock-out: {most} failed logins within {window:?}"));
    }
}

fn check_end(world: &mut World, causes: &[String]) {
    let mut faults = Vec::new();
    for cause in causes {
        let jobs = world.db.over.iter().chain(&world.db.job).filter(|job| job.cause == *cause).count();
        if jobs > 1 {
            faults.push(format!("A5: {jobs} rotations for {cause}"));
        }
    }
    let (works, current) = (world.target.works, world.value_of(world.db.current));
    match (&world.db.job, world.db.over.last()) {
        (Some(job), _) if job.state == State::ManualTask => match &world.db.task {
            None => faults.push("V3: it waits for a person who has no task".to_owned()),
            Some((kind, versions)) => {
                let says = |version: &i64| world.value_of(*version) == works;
                if works != FOREIGN && !versions.iter().any(says) {
                    faults.push(format!("V3: the task `{kind}` does not name the secret that works"));
                }
            }
        },
        (Some(job), _) => faults.push(format!("V3: it hangs in {}", job.state)),
        (None, Some(job)) => {
            if works != FOREIGN && works != current && job.state != State::Waived {
                faults.push(format!("V3: {} but the vault says {current}, the target {works}", job.state));
            }
            let proven = job.state == State::Done && job.exceptions.is_empty();
            let old = job.old.map(|version| world.value_of(version));
            if proven && old.is_some_and(|old| old != works && world.target.accepts(old, world.now)) {
                faults.push("V3: done, and the old secret still works".to_owned());
            }
        }
        (None, None) => faults.push("nothing happened".to_owned()),
    }
    world.faults.extend(faults);
}

fn seeds() -> impl Iterator<Item = u64> {
    let one = option_env!("LATCHKEY_SEED").and_then(|seed| seed.parse().ok());
    let range = one.map_or(0..HISTORIES, |seed: u64| seed..seed + 1);
    range.into_iter()
}

#[test]
fn v2_v3_v4_a5_hold_in_every_history() {
    let (mut ends, mut refused_writes) = (std::collections::BTreeMap::<&str, u64>::new(), 0);
    for seed in seeds() {
        let (faults, world) = history(seed, Sabotage::None);
        let told = || world.log[world.log.len().saturating_sub(60)..].join("\n");
        assert!(
            faults.is_empty(),
            "seed {seed}: {faults:#?}\n{:?}\n{:#?}\n{}",
            world.target,
            world.db.job,
            told()
        );
        refused_writes += world.db.writes_by_others;
        for job in world.db.over.iter().chain(&world.db.job) {
            *ends.entry(job.state.as_str()).or_default() += 1;
        }
    }
    println!("{HISTORIES} histories: {ends:?}, {refused_writes} writes of workers that had lost the lease");
    if option_env!("LATCHKEY_SEED").is_none() {
        // Histories that never get anywhere would prove nothing.
        for state in [State::Done, State::RolledBack, State::Abandoned, State::Superseded, State::ManualTask]
        {
            assert!(ends.get(state.as_str()).is_some_and(|n| *n > 20), "{state} is hardly seen: {ends:?}");
        }
        assert!(refused_writes > 50, "stale workers are hardly seen: {refused_writes}");
    }
}

#[test]
fn a_broken_worker_is_found_out() {
    for (sabotage, word) in [
        (Sabotage::ActsFirst, "V3"),
        (Sabotage::KeepsValueInMemory, "V2"),
        (Sabotage::IgnoresFence, "V"),
        (Sabotage::ForgetsCauses, "A5"),
    ] {
        let found = (0..HISTORIES).find(|seed| {
            history(*seed, sabotage)
                .0
                .iter()
                .any(|fault| fault.starts_with(word) || fault.starts_with("lock"))
        });
        assert!(found.is_some(), "{sabotage:?} goes unnoticed");
        println!("{sabotage:?} is found by seed {found:?}");
    }
}
