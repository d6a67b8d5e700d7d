//! The keys of a workspace are replaced while it serves.
//!
//! A new key seals from the moment it is there. Then each version's item key is wrapped anew, 32
//! bytes of it, a batch a transaction: what is left to do is what is still sealed under another
//! key, so that whoever goes on after a crash, or beside another node, needs no other checkpoint.
//! A key under which nothing is left is retired, and its wraps forgotten.

use latchkey_access::audit::Actor;
use latchkey_access::authority::Action;
use latchkey_access::keys::{self as rules, Resealed};
use latchkey_access::secret::{KeyRow, Secret};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::WorkspaceId;
use latchkey_store::SealedVersion;

use crate::engine::only_moved;
use crate::error::Attempt;
use crate::secrets::{alarm, place_at};
use crate::{Caller, Engine, Error};

/// Versions that are sealed anew in one transaction.
const BATCH: usize = 100;

/// One key of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// Its number; the highest seals.
    pub number: i64,
    /// What it is wrapped under.
    pub kek_id: String,
    /// Whether that is the key source which this process uses.
    pub opens: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the last version under it was sealed anew.
    pub retired_at: Option<Timestamp>,
    /// How many versions are sealed under it.
    pub versions: u64,
}

/// The keys of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStatus {
    /// Oldest first; none until the first secret is stored.
    pub keys: Vec<KeyView>,
}

impl KeyStatus {
    /// How many versions are still sealed under a key that has been replaced.
    pub fn left(&self) -> u64 {
        let replaced = self.keys.len().saturating_sub(1);
        self.keys[..replaced].iter().map(|key| key.versions).sum()
    }
}

/// How far a replacement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Versions that were sealed anew.
    pub done: u64,
    /// Versions of which that is still to be done.
    pub left: u64,
    /// Versions that do not open where they stand; they keep the old key from being retired.
    pub damaged: u64,
}

/// The keys of the caller's workspace.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn status(engine: &Engine, by: &Caller) -> Result<KeyStatus, Error> {
    by.may(Action::ReadKeys)?;
    let keys = engine.store().key_list(by.workspace_id()).await?;
    let view = |(key, versions): (KeyRow, u64)| KeyView {
        number: key.number,
        opens: key.retired_at.is_none() && key.kek_id == engine.key_source().kek_id(),
        kek_id: key.kek_id,
        created_at: key.created_at,
        retired_at: key.retired_at,
        versions,
    };
    Ok(KeyStatus { keys: keys.into_iter().map(view).collect() })
}

/// Makes the workspace's next key, which seals from now on. The answer is its number.
///
/// # Errors
/// When the caller may not, the key source cannot be used or the database fails.
pub async fn begin(engine: &Engine, by: &Caller) -> Result<i64, Error> {
    let workspace = by.workspace_id();
    engine
        .settle(|| async {
            let actor = by.cause(engine, Action::RotateKeys)?.actor;
            let last = engine.store().key_last(workspace).await?;
            let number = last.map_or(1, |key| key.number + 1);
            Ok(engine.add_key(workspace, number, actor).await?.number())
        })
        .await
}

/// Seals anew whatever is sealed under a key that has been replaced, and retires the keys under
/// which nothing is left; tells how far it is after each batch. Another process may do the same
/// at the same time.
///
/// # Errors
/// When a key cannot be used or the database fails; what was done stays done.
pub async fn finish(
    engine: &Engine,
    workspace: WorkspaceId,
    tell: impl FnMut(Progress),
) -> Result<Progress, Error> {
    go_on(engine, workspace, Damaged::Alarm, tell).await
}

/// What is done about a version that does not open where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damaged {
    Alarm,
    /// The alarm was raised by whoever began; not again every half minute.
    Pass,
}

async fn go_on(
    engine: &Engine,
    workspace: WorkspaceId,
    damaged: Damaged,
    mut tell: impl FnMut(Progress),
) -> Result<Progress, Error> {
    let keys = engine.store().key_list(workspace).await?;
    let Some(((last, _), replaced)) = keys.split_last() else { return Ok(Progress::default()) };
    let open = || replaced.iter().filter(|(key, _)| key.retired_at.is_none());
    let mut progress = Progress { left: open().map(|(_, versions)| versions).sum(), ..Progress::default() };
    tell(progress);
    for (key, _) in open() {
        let mut after = None;
        loop {
            let batch = engine.store().versions_under_key(workspace, key.number, after, BATCH).await?;
            let Some(end) = batch.last() else { break };
            after = Some((end.version.secret_id, end.version.version));
            let (done, unopened) = reseal(engine, workspace, last.number, batch, damaged).await?;
            progress.done += done;
            progress.damaged += unopened;
            progress.left = progress.left.saturating_sub(done + unopened);
            tell(progress);
        }
        crate::rotations::reseal_connectors(engine, workspace, key.number, last.number).await?;
        crate::jobs::reseal(engine, workspace, (key.number, last.number)).await?;
        crate::rotations::reseal_pictures(engine, workspace, key.number, last.number).await?;
        retire(engine, key).await?;
    }
    Ok(progress)
}

/// Goes on with every replacement that is under way, on behalf of whoever began it.
pub(crate) async fn finish_all(engine: &Engine) -> Result<(), Error> {
    for workspace in engine.store().workspaces_with_replaced_keys().await? {
        go_on(engine, workspace, Damaged::Pass, |_| {}).await?;
    }
    Ok(())
}

/// Seals a batch anew. A version that moved meanwhile is somebody else's work, done; then the
/// others are tried one by one.
async fn reseal(
    engine: &Engine,
    workspace: WorkspaceId,
    to: i64,
    batch: Vec<SealedVersion>,
    damaged: Damaged,
) -> Result<(u64, u64), Error> {
    let mut resealed = Vec::with_capacity(batch.len());
    let mut unopened = 0;
    for one in batch {
        match reseal_one(engine, workspace, to, &one, damaged).await? {
            Some(sealed) => resealed.push(sealed),
            None => unopened += 1,
        }
    }
    let done = resealed.len() as u64;
    match keep(engine, workspace, to, resealed.clone()).await {
        Ok(()) => return Ok((done, unopened)),
        Err(Attempt::Failed(error)) => return Err(error),
        Err(Attempt::Again) => {}
    }
    for one in resealed {
        if let Err(Attempt::Failed(error)) = keep(engine, workspace, to, vec![one]).await {
            return Err(error);
        }
    }
    Ok((done, unopened))
}

async fn keep(
    engine: &Engine,
    workspace: WorkspaceId,
    to: i64,
    resealed: Vec<Resealed>,
) -> Result<(), Attempt> {
    let cause = engine.cause(Actor::System, engine.fresh_request_id());
    let changes = rules::reseal(workspace, to, resealed, &cause, engine.ids(&cause));
    engine.commit(changes, only_moved).await
}

/// `None` for one that does not open where it stands.
async fn reseal_one(
    engine: &Engine,
    workspace: WorkspaceId,
    to: i64,
    one: &SealedVersion,
    damaged: Damaged,
) -> Result<Option<Resealed>, Error> {
    let (secret_id, version, from) = (one.version.secret_id, one.version.version, one.version.key_number);
    let old = engine.key(workspace, from).await?.ok_or(Error::NotFound { what: "workspace key" })?;
    let new = engine.key(workspace, to).await?.ok_or(Error::NotFound { what: "workspace key" })?;
    let place = place_at(workspace, (one.account_id, secret_id), version, one.kind);
    match new.rewrap(&old, &place, &one.sealed, engine.entropy()) {
        Ok(sealed) => Ok(Some(Resealed { secret_id, version, from, sealed })),
        Err(_) if damaged == Damaged::Pass => Ok(None),
        Err(error) => {
            let secret = Secret {
                workspace_id: workspace,
                id: secret_id,
                account_id: one.account_id,
                kind: one.kind,
                label: String::new(),
                created_at: one.version.created_at,
                created_by: String::new(),
            };
            alarm(engine, &secret, version, error).await;
            Ok(None)
        }
    }
}

async fn retire(engine: &Engine, key: &KeyRow) -> Result<(), Error> {
    let cause = engine.cause(Actor::System, engine.fresh_request_id());
    let changes = rules::retire(key, &cause, engine.ids(&cause));
    match engine.commit(changes, only_moved).await {
        Err(Attempt::Failed(error)) => Err(error),
        // Something was sealed under it meanwhile, or another node was first: the next run tells.
        Ok(()) | Err(Attempt::Again) => Ok(()),
    }
}
