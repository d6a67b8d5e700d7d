//! The ports that services are given, and the loop in which they decide and commit.

use std::sync::Arc;
use std::time::Duration;

use latchkey_access::audit::Actor;
use latchkey_access::context::{Cause, Ids};
use latchkey_access::{ChangeSet, Token, Workspace};
use latchkey_kernel::id::{RequestId, WorkspaceId};
use latchkey_kernel::{Clock, Entropy, Timestamp};
use latchkey_store::{Conflict, FlightEntry, Store};
use latchkey_vault::{KeyRing, KeyedHasher, Keys};
use tokio::sync::Notify;

use crate::error::{Attempt, Error};
use crate::flights::{Recorder, Worth};
use crate::keys::OpenKeys;
use crate::pace::Pacer;
use crate::rotations::{Pace, RealTargets, Targets};
use crate::token_use::UseTally;
use crate::tokens::{self, Login};

/// How often a decision is made anew when what it rested on has moved. Neighbours that contend
/// for one row each win once in so many tries; a loser after this many is told to come back.
const ATTEMPTS: usize = 24;

/// The services' ports. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    store: Store,
    keys: KeyRing,
    key_source: Keys,
    pub(crate) token_hasher: Arc<KeyedHasher>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    targets: Arc<dyn Targets>,
    pace_of_rotations: Pace,
    pub(crate) open_keys: Arc<OpenKeys>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) uses: Arc<UseTally>,
    pub(crate) pacer: Arc<Pacer>,
    jobs_wake: Arc<Notify>,
}

impl Engine {
    /// Joins the ports: `keys` hashes and seals tokens, `key_source` wraps the keys of workspaces.
    pub fn new(
        store: Store,
        keys: KeyRing,
        key_source: Keys,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            store,
            token_hasher: Arc::new(keys.hasher(tokens::HASH)),
            keys,
            key_source,
            clock,
            entropy,
            targets: Arc::new(RealTargets),
            pace_of_rotations: Pace::default(),
            open_keys: Arc::default(),
            recorder: Arc::default(),
            uses: Arc::default(),
            pacer: Arc::default(),
            jobs_wake: Arc::default(),
        }
    }

    /// The same engine with other systems to rotate at, as tests have them.
    #[must_use]
    pub fn with_targets(self, targets: Arc<dyn Targets>) -> Self {
        Self { targets, ..self }
    }

    /// The same engine that works on rotations at another pace.
    #[must_use]
    pub fn with_pace_of_rotations(self, pace: Pace) -> Self {
        Self { pace_of_rotations: pace, ..self }
    }

    pub(crate) fn targets(&self) -> &dyn Targets {
        &*self.targets
    }

    pub(crate) const fn pace_of_rotations(&self) -> Pace {
        self.pace_of_rotations
    }

    /// The services for one short request: where a read is cheap, all look-ups of it see one
    /// instant, until it commits or [`Self::end_instant`].
    #[must_use]
    pub fn at_one_instant(&self) -> Self {
        Self { store: self.store.at_one_instant(), ..self.clone() }
    }

    /// Wakes whoever performs provisioning jobs in this process: there is something for them.
    pub fn wake_jobs(&self) {
        self.jobs_wake.notify_one();
    }

    /// Returns once provisioning jobs are woken, at once if they were since the last time.
    pub async fn jobs_woken(&self) {
        self.jobs_wake.notified().await;
    }

    /// Lets go of the instant, before something is waited for; the next look-up begins another.
    pub fn end_instant(&self) {
        self.store.end_instant();
    }

    /// Where rows are kept.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The generator that ids and tokens come from.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    pub(crate) const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    pub(crate) const fn key_source(&self) -> &Keys {
        &self.key_source
    }

    /// What a command that begins now is caused by.
    pub fn cause(&self, actor: Actor, request_id: RequestId) -> Cause {
        Cause { actor, request_id, now: self.now() }
    }

    /// An id for a request that came without one.
    pub fn fresh_request_id(&self) -> RequestId {
        RequestId::fresh(self.now(), self.entropy())
    }

    /// The source of ids for one decision.
    pub(crate) fn ids<'a>(&'a self, cause: &Cause) -> Ids<'a> {
        Ids::new(cause.now, self.entropy())
    }

    /// Notes that a token has been used, to be written with others.
    pub fn token_used(&self, login: &Login, address: &str, agent: Option<&str>) {
        self.uses.note(login.workspace_id, login.token.id, self.now(), address, agent);
    }

    /// Lets a token's request through, or says how long to wait.
    ///
    /// # Errors
    /// The time until the next request would be let through.
    pub fn pace(&self, token: &Token) -> Result<(), Duration> {
        token.rate_limit.map_or(Ok(()), |limit| self.pacer.admit(token.id, limit, self.now()))
    }

    /// Whether a flight would be kept now; asked before one is put together.
    pub fn recorder_has_room(&self, worth: Worth) -> bool {
        self.recorder.has_room(worth)
    }

    /// Keeps a flight for the next writing.
    pub fn record_flight(&self, entry: FlightEntry) {
        self.recorder.record(entry);
    }

    pub(crate) async fn workspace(&self, id: WorkspaceId) -> Result<Workspace, Error> {
        self.store.workspace_get(id).await?.ok_or(Error::NotFound { what: "workspace" })
    }

    /// Commits a change set; an empty one writes nothing.
    pub(crate) async fn commit(
        &self,
        changes: ChangeSet,
        taken: impl FnOnce(&Conflict) -> Option<Error>,
    ) -> Result<(), Attempt> {
        if changes.is_empty() {
            return Ok(());
        }
        self.store.commit(changes).await.map_err(|error| Attempt::from_commit(error, taken))
    }

    /// Loads, decides and commits until nothing moved in between.
    ///
    /// `attempt` runs again from its first read when the commit finds that what it rested on has
    /// moved, so everything in it but the commit must be free of effects.
    pub(crate) async fn settle<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Attempt>>,
    {
        for _ in 0..ATTEMPTS {
            match attempt().await {
                Ok(done) => return Ok(done),
                Err(Attempt::Failed(error)) => return Err(error),
                Err(Attempt::Again) => tokio::task::yield_now().await,
            }
        }
        Err(Error::Contended)
    }
}

impl<E: Into<Error>> From<E> for Attempt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// For conflicts that can only mean that something moved.
pub(crate) const fn only_moved(_: &Conflict) -> Option<Error> {
    None
}
