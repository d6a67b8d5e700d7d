//! What one worker has in hand: a rotation with its lease, and how it is written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use latchkey_access::rotation::{RotationRow, RotationStep};
use latchkey_access::rotations::{self as rules, Advance};
use latchkey_access::{Actor, ChangeSet};
use latchkey_kernel::Timestamp;
use latchkey_rotation::{Breaker, Job};
use serde_json::Value;

use super::row::next_row;
use crate::engine::only_moved;
use crate::error::Attempt;
use crate::{Engine, Error};

/// How rotations are worked on.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For how long a worker has a rotation unless it renews; a rotation whose worker died is taken
    /// over after that.
    pub lease: Duration,
    /// How many a node performs at once.
    pub at_once: usize,
    /// How long it waits before it looks for more.
    pub idle: Duration,
    /// How long one act at a target may take.
    pub act_limit: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            at_once: 32,
            idle: Duration::from_millis(250),
            act_limit: Duration::from_secs(120),
        }
    }
}

/// One worker: its name, and what it knows of hosts.
#[derive(Debug)]
pub struct Hands {
    pub(crate) name: String,
    breakers: Mutex<HashMap<String, Breaker>>,
}

impl Hands {
    /// The worker of a server.
    pub fn of_server() -> Self {
        Self::named("server")
    }

    /// The worker of a command beside a server.
    pub fn of_command() -> Self {
        Self::named("command")
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), breakers: Mutex::default() }
    }

    /// Whether something may go to this host now.
    pub(crate) fn ask(&self, host: &str, now: Timestamp) -> Result<(), Timestamp> {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.entry(host.to_owned()).or_default().ask(now)
    }

    /// Whether the host answered.
    pub(crate) fn told(&self, host: &str, answered: bool, now: Timestamp) {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.entry(host.to_owned()).or_default().told(answered, now);
    }
}

/// A rotation that this worker has.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) row: RotationRow,
    pub(crate) job: Job,
    pub(crate) until: Timestamp,
}

/// What is written with a rotation.
#[derive(Debug, Default)]
pub(crate) struct With {
    pub(crate) step: Option<RotationStep>,
    pub(crate) changes: Vec<ChangeSet>,
    pub(crate) said: Vec<(&'static str, Value)>,
}

impl Held {
    /// Writes the job as it becomes. Kept, the lease begins anew; else the rotation is given free and
    /// looked at again at `due`. False when somebody else has it by now: then nothing was written.
    pub(crate) async fn write(
        &mut self,
        engine: &Engine,
        job: Job,
        keep: Keep,
        with: With,
    ) -> Result<bool, Error> {
        let cause = engine.cause(Actor::System, engine.fresh_request_id());
        let until = cause.now.plus(engine.pace_of_rotations().lease);
        let (due, leased_until) = match keep {
            Keep::On => (cause.now, Some(until)),
            Keep::Until(due) => (due, None),
        };
        let row = next_row(&self.row, &job, due)?;
        let advance = Advance {
            rotation: row.clone(),
            expect: self.row.version,
            leased_until: leased_until.filter(|_| !row.over),
            step: with.step,
            with: with.changes,
            said: with.said,
        };
        let changes = rules::advance(advance, &cause, engine.ids(&cause));
        match engine.commit(changes, only_moved).await {
            Ok(()) => {
                (self.row, self.job, self.until) = (row, job, until);
                Ok(true)
            }
            Err(Attempt::Again) => Ok(false),
            Err(Attempt::Failed(error)) => Err(error),
        }
    }

    /// Keeps it for longer; false when somebody else has it.
    pub(crate) async fn renew(&mut self, engine: &Engine) -> Result<bool, Error> {
        let until = engine.now().plus(engine.pace_of_rotations().lease);
        let key = (self.row.workspace_id, self.row.id);
        let still = engine.store().rotation_renew(key, self.row.version, until).await?;
        if still {
            self.until = until;
        }
        Ok(still)
    }
}

/// What becomes of the lease.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keep {
    On,
    Until(Timestamp),
}
