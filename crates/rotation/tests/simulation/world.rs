//! What is durable, and the workers that are not.

use std::collections::BTreeMap;
use std::time::Duration;

use latchkey_kernel::id::{AccountId, RotationId, WorkspaceId};
use latchkey_kernel::{SeededEntropy, Timestamp};
use latchkey_rotation::{
    Act, ActOutcome, Conditions, Facts, Follow, Job, Plan, Policy, Reason, TaskKind, begin, fold, next_act,
    take_up,
};

use crate::chance::Chance;
use crate::target::{LATEST, Nature, Target};

/// How a worker may be broken on purpose, to see that the checks can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    None,
    /// Acts before the job is durable.
    ActsFirst,
    /// Sends a value that was never stored.
    KeepsValueInMemory,
    /// Writes although somebody else has the lease.
    IgnoresFence,
    /// Takes an event up again although its cause has a job.
    ForgetsCauses,
}

pub(crate) const LEASE: Duration = Duration::from_secs(120);
const ACT_LIMIT: Duration = Duration::from_secs(30);
pub(crate) const FOREIGN: u64 = u64::MAX;

/// What the database holds.
#[derive(Debug)]
pub(crate) struct Durable {
    pub(crate) job: Option<Job>,
    fence: u64,
    leased_until: Timestamp,
    pub(crate) over: Vec<Job>,
    pub(crate) causes: Vec<String>,
    /// Values by version; nothing is ever removed.
    pub(crate) versions: BTreeMap<i64, u64>,
    pub(crate) current: i64,
    pending: Option<i64>,
    pub(crate) generation: i64,
    pub(crate) task: Option<(TaskKind, Vec<i64>)>,
    pub(crate) paused: bool,
    pub(crate) writes_by_others: u64,
}

/// What a worker believes that it has.
#[derive(Debug, Clone, Copy)]
struct Lease {
    fence: u64,
    until: Timestamp,
}

/// What one worker has in memory.
#[derive(Debug, Clone)]
enum Worker {
    Idle,
    Has { job: Job, lease: Lease },
    Ready { job: Job, lease: Lease, act: Act, value: u64 },
    Performed { job: Job, lease: Lease, outcome: ActOutcome },
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) chance: Chance,
    pub(crate) target: Target,
    pub(crate) db: Durable,
    workers: [Worker; 2],
    sabotage: Sabotage,
    next_value: u64,
    pub(crate) policy: Policy,
    pub(crate) faults: Vec<String>,
    pub(crate) log: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64, sabotage: Sabotage) -> Self {
        let chance = Chance::new(seed);
        let nature = Nature::draw(&chance);
        let reason = [Reason::Offboarding, Reason::Schedule, Reason::Request][chance.place(3)];
        let mut policy = Policy::usual(reason);
        policy.by_admin = nature.by_admin;
        policy.resets_drift = chance.percent(30);
        policy.ends_sessions = chance.percent(30);
        policy.old_tolerance = nature.lag;
        // A worker may stall for as long as its lease before it acts.
        policy.settles_within = LEASE + LATEST;
        if nature.locks_nobody {
            policy.failed_login_every = Duration::ZERO;
        }
        let db = Durable {
            job: None,
            fence: 0,
            leased_until: Timestamp::default(),
            over: Vec::new(),
            causes: Vec::new(),
            versions: BTreeMap::from([(1, 1_000_099)]),
            current: 1,
            pending: None,
            generation: 1,
            task: None,
            paused: false,
            writes_by_others: 0,
        };
        let target = Target::new(nature, 1_000_099);
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let workers = [Worker::Idle, Worker::Idle];
        let (faults, log) = (Vec::new(), Vec::new());
        Self { now, chance, target, db, workers, sabotage, next_value: 2, policy, faults, log }
    }

    pub(crate) fn pass(&mut self, by: Duration) {
        self.now = self.now.plus(by);
        self.target.tick(self.now);
    }

    /// An event of the outbox arrives, maybe for the second time.
    pub(crate) fn intake(&mut self, cause: &str, generation: Option<i64>) {
        let known = self.db.causes.iter().any(|known| known == cause);
        if self.db.job.is_some() || (known && self.sabotage != Sabotage::ForgetsCauses) {
            return;
        }
        let entropy = SeededEntropy::new(self.chance.below(u64::MAX));
        let failed_login_at = self.db.over.iter().filter_map(|job| job.failed_login_at).max();
        let plan = Plan {
            id: RotationId::fresh(self.now, &entropy),
            workspace_id: WorkspaceId::fresh(self.now, &entropy),
            account_id: AccountId::fresh(self.now, &entropy),
            reason: Reason::Offboarding,
            cause: cause.to_owned(),
            priority: 0,
            policy: self.policy.clone(),
            held: false,
            run_after: self.now,
            generation,
            old: Some(self.db.current),
            failed_login_at,
        };
        self.db.causes.push(cause.to_owned());
        self.db.job = Some(Job::plan(plan, self.now));
    }

    pub(crate) fn crash(&mut self, which: usize) {
        self.log.push(format!("{} worker {which} dies", self.now));
        self.workers[which] = Worker::Idle;
    }

    /// Whether somebody is in the middle of something.
    pub(crate) fn is_busy(&self) -> bool {
        self.workers.iter().any(|worker| !matches!(worker, Worker::Idle))
    }

    /// One step of one worker; when it has nothing to do, the time at which it looks again.
    pub(crate) fn step(&mut self, which: usize) -> Option<Timestamp> {
        let worker = std::mem::replace(&mut self.workers[which], Worker::Idle);
        match worker {
            Worker::Idle => return self.claim(which),
            Worker::Has { job, lease } => return self.decide(which, job, lease),
            Worker::Ready { job, lease, act, value } => self.perform(which, job, lease, act, value),
            Worker::Performed { job, lease, outcome } => self.keep(which, job, lease, &outcome),
        }
        None
    }

    fn claim(&mut self, which: usize) -> Option<Timestamp> {
        let Some(job) = self.db.job.clone() else { return Some(self.now.plus(LEASE)) };
        if self.now < self.db.leased_until {
            return Some(self.db.leased_until);
        }
        self.db.fence += 1;
        self.db.leased_until = self.now.plus(LEASE);
        let lease = Lease { fence: self.db.fence, until: self.db.leased_until };
        let facts = Facts {
            policy: self.policy.clone(),
            current: Some(self.db.current),
            generation: self.db.generation,
        };
        let job = take_up(job, &facts, self.now);
        if self.write(&job, lease.fence) {
            self.workers[which] = Worker::Has { job, lease };
        }
        None
    }

    fn decide(&mut self, which: usize, job: Job, lease: Lease) -> Option<Timestamp> {
        if job.state.is_over() {
            return None;
        }
        let conditions = Conditions { now: self.now, paused: self.db.paused, host_rests_until: None };
        let act = next_act(&job, &conditions);
        match act {
            Act::Nothing => {
                self.release(lease.fence);
                return Some(self.now.plus(LEASE));
            }
            Act::Wait(at) => {
                self.release(lease.fence);
                return Some(at);
            }
            _ => {}
        }
        // Nothing is begun that the lease may not outlive.
        if self.now.plus(ACT_LIMIT) > lease.until {
            self.release(lease.fence);
            return None;
        }
        let value = match act {
            Act::Stage { .. } => self.fresh_value(),
            Act::Change { new, .. } => self.value_of(new),
            Act::Login { version } => self.value_of(version),
            _ => 0,
        };
        let begun = begin(job.clone(), &act, self.now);
        let writes = begun != job && self.sabotage != Sabotage::ActsFirst;
        if writes && !self.write(&begun, lease.fence) {
            return None;
        }
        self.log.push(format!("{} worker {which} {act:?}", self.now));
        self.workers[which] = Worker::Ready { job: begun, lease, act, value };
        None
    }

    fn perform(&mut self, which: usize, job: Job, lease: Lease, act: Act, value: u64) {
        let now = self.now;
        // Whoever was stopped between writing and acting looks at the clock before acting.
        if now.plus(ACT_LIMIT) > lease.until {
            return;
        }
        let outcome = match act {
            // Stored together with the job when it is kept.
            Act::Stage { .. } => ActOutcome::Staged { version: self.stage(value, lease.fence) },
            Act::Change { old, .. } => {
                if !self.db.versions.values().any(|held| *held == value) {
                    self.faults.push("V2: a value was sent that is not stored".to_owned());
                }
                if self.target.under_way.iter().any(|(_, _, other)| *other != value) {
                    self.faults.push("V4: two values are on their way to the target".to_owned());
                }
                let old = self.value_of(old.unwrap_or(0));
                ActOutcome::Changed(self.target.change(old, value, now, &self.chance))
            }
            Act::Login { version } => {
                ActOutcome::LoggedIn { version, verdict: self.target.login(value, now, &self.chance) }
            }
            Act::EndSessions => ActOutcome::SessionsEnded(Ok(None)),
            Act::Commit { .. } => ActOutcome::Committed,
            Act::OpenTask(kind) => ActOutcome::TaskOpened(kind),
            Act::Wait(_) | Act::Nothing => return,
        };
        self.log.push(format!("{now} worker {which} got {outcome:?}"));
        self.workers[which] = Worker::Performed { job, lease, outcome };
    }

    /// One transaction: the job, and what goes with it.
    fn keep(&mut self, which: usize, job: Job, lease: Lease, outcome: &ActOutcome) {
        let committed = job.staged;
        let (folded, follows) = fold(job, outcome, self.now, self.chance.unit());
        if !self.write(&folded, lease.fence) {
            return;
        }
        match outcome {
            ActOutcome::Committed => {
                self.db.current = committed.expect("what is committed was staged");
                self.db.pending = None;
                self.db.generation += 1;
            }
            ActOutcome::TaskOpened(kind) => {
                self.db.task = Some((*kind, folded.candidates().collect()));
            }
            _ => {}
        }
        for follow in follows {
            match follow {
                Follow::PauseConnector { .. } => self.db.paused = true,
                Follow::CloseTask => self.db.task = None,
            }
        }
        if folded.state.is_over() {
            self.log.push(format!("{} over: {}", self.now, folded.state));
        }
        self.workers[which] = Worker::Has { job: folded, lease };
    }

    /// Expects the fence; nothing is written by who has lost the lease.
    pub(crate) fn write(&mut self, job: &Job, fence: u64) -> bool {
        if fence != self.db.fence {
            self.db.writes_by_others += 1;
            if self.sabotage != Sabotage::IgnoresFence {
                return false;
            }
        }
        if job.state.is_over() {
            self.db.over.push(job.clone());
            self.db.job = None;
            self.db.task = None;
            self.db.leased_until = self.now;
        } else {
            self.db.job = Some(job.clone());
        }
        true
    }

    fn release(&mut self, fence: u64) {
        if fence == self.db.fence {
            self.db.leased_until = self.now;
        }
    }

    /// A person's word changes the job as a worker's result does: whoever had it loses it.
    pub(crate) fn person(&mut self, rule: impl FnOnce(Job, Timestamp) -> Option<(Job, Vec<Follow>)>) {
        let Some(job) = self.db.job.clone() else { return };
        let Some((job, follows)) = rule(job, self.now) else { return };
        self.db.fence += 1;
        self.db.leased_until = self.now;
        self.log.push(format!("{} a person: now {}", self.now, job.state));
        let fence = self.db.fence;
        self.write(&job, fence);
        if follows.contains(&Follow::CloseTask) {
            self.db.task = None;
        }
    }

    fn fresh_value(&mut self) -> u64 {
        self.next_value += 1;
        self.next_value * 1_000 + self.chance.below(100)
    }

    fn stage(&mut self, value: u64, fence: u64) -> i64 {
        let version = self.db.versions.keys().max().map_or(1, |last| last + 1);
        if fence == self.db.fence && self.sabotage != Sabotage::KeepsValueInMemory {
            self.db.versions.insert(version, value);
            self.db.pending = Some(version);
        }
        version
    }

    pub(crate) fn value_of(&self, version: i64) -> u64 {
        self.db.versions.get(&version).copied().unwrap_or(7)
    }
}
