//! Rotations as changes of rows, each with its records: connectors, plans, what came of an act, and
//! what people say to their tasks. What follows in a rotation is the `rotation` room's to decide.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, MemberId, OutboxId, WorkspaceId};
use serde_json::{Value, json};

use crate::account::Account;
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::exposure::{Client, ExposureKind};
use crate::exposures::Seen;
use crate::member::Version;
use crate::offboarding::{CaseState, OffboardingCase};
use crate::outbox::{EffectState, OutboxEvent};
use crate::refusal::{NAME_MAX, REASON_MAX, Refusal, bounded};
use crate::rotation::{
    AccountRotation, Connector, Dependent, ManualTask, RotationPicture, RotationRow, RotationStep, TaskState,
};
use crate::rotation_change::RotationChange;
use crate::secret::Secret;

/// Adds a connector.
///
/// # Errors
/// When its name is empty or too long.
pub fn add_connector(connector: Connector, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    bounded("the connector's name", &connector.name, NAME_MAX)?;
    let mut changes = ChangeSet::new(connector.workspace_id);
    let detail = described(&connector);
    let id = connector.id;
    changes.push(RotationChange::ConnectorInsert(connector).into());
    changes.note((cause, ids), "connector.added", ("connector", &id), detail);
    Ok(changes)
}

/// Changes a connector; what waits for it is tried at once. `after` carries the new version.
///
/// # Errors
/// As [`add_connector`].
pub fn change_connector(
    before: &Connector,
    after: Connector,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    bounded("the connector's name", &after.name, NAME_MAX)?;
    let mut changes = ChangeSet::new(before.workspace_id);
    let mut detail = json!({ "before": described(before), "after": described(&after) });
    detail["credential_changed"] = json!(before.sealed_admin != after.sealed_admin);
    let connector_id = before.id;
    changes.push(RotationChange::ConnectorUpdate { connector: after, expect: before.version }.into());
    changes.push(RotationChange::JobsWake { connector_id, at: cause.now }.into());
    changes.note((cause, ids), "connector.changed", ("connector", &connector_id), detail);
    Ok(changes)
}

/// Removes a connector, which no account may have.
pub fn remove_connector(connector: &Connector, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(connector.workspace_id);
    let delete = RotationChange::ConnectorDelete { connector_id: connector.id, expect: connector.version };
    changes.push(delete.into());
    changes.note((cause, ids), "connector.removed", ("connector", &connector.id), described(connector));
    changes
}

fn described(connector: &Connector) -> Value {
    json!({
        "name": connector.name,
        "kind": connector.kind,
        "host": connector.host,
        "at_once": connector.at_once,
        "paused": connector.paused,
    })
}

/// Says how an account's password is changed from now on.
pub fn set_rotation(
    account: &Account,
    before: Option<&AccountRotation>,
    after: AccountRotation,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(account.workspace_id);
    let told = |row: &AccountRotation| json!({ "connector": row.connector_id, "mode": row.mode, "login": row.login, "schedule": row.schedule });
    let detail = json!({ "before": before.map(told), "after": told(&after) });
    let expect = before.map(|row| row.version);
    changes.push(RotationChange::SettingSet { rotation: after, expect }.into());
    changes.note((cause, ids), "account.rotation_set", ("account", &account.id), detail);
    changes
}

/// Adds something that has to learn an account's new password.
///
/// # Errors
/// When a text is empty or too long.
pub fn add_dependent(
    account: &Account,
    dependent: Dependent,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    bounded("the dependent's name", &dependent.name, NAME_MAX)?;
    bounded("the instructions", &dependent.instructions, REASON_MAX)?;
    let mut changes = ChangeSet::new(account.workspace_id);
    let detail =
        json!({ "dependent": dependent.id, "name": dependent.name, "other": dependent.other_account_id });
    changes.push(RotationChange::DependentInsert(dependent).into());
    changes.note((cause, ids), "account.dependent_added", ("account", &account.id), detail);
    Ok(changes)
}

/// Removes a dependent.
pub fn remove_dependent(account: &Account, dependent: &Dependent, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(account.workspace_id);
    changes.push(RotationChange::DependentDelete { dependent_id: dependent.id }.into());
    let detail = json!({ "dependent": dependent.id, "name": dependent.name });
    changes.note((cause, ids), "account.dependent_removed", ("account", &account.id), detail);
    changes
}

/// Plans a rotation. What an effect of the outbox `asked_for` has its record already, and is done once the
/// rotation is over.
pub fn plan(rotation: RotationRow, asked_for: bool, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(rotation.workspace_id);
    let account = rotation.account_id;
    let detail = json!({ "rotation": rotation.id, "reason": rotation.reason, "cause": rotation.cause,
        "state": rotation.state });
    let done = rotation.over.then(|| RotationChange::CauseDone { cause: rotation.cause.clone() });
    changes.push(RotationChange::JobInsert(rotation).into());
    changes.changes.extend(done.map(Into::into));
    if !asked_for {
        changes.note((cause, ids), "rotation.planned", ("account", &account), detail);
    }
    changes
}

/// An effect that asks for nothing any more, because its account is gone.
pub fn drop_event(workspace: WorkspaceId, id: OutboxId) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace);
    changes.push(Change::OutboxSetState { id, from: EffectState::Ready, to: EffectState::Done });
    changes
}

/// What came of an act, or of a person's word.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The row as it becomes, with the new version.
    pub rotation: RotationRow,
    /// The version that was read.
    pub expect: Version,
    /// Until when the worker keeps it; `None` gives it free.
    pub leased_until: Option<Timestamp>,
    /// The entry of its history.
    pub step: Option<RotationStep>,
    /// What else is changed with it: a secret's version, a task, a connector.
    pub with: Vec<ChangeSet>,
    /// What the audit log says of it: actions with details, all about the account.
    pub said: Vec<(&'static str, Value)>,
}

/// The change set of an advance.
pub fn advance(advance: Advance, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let Advance { rotation, expect, leased_until, step, with, said } = advance;
    let (account, id) = (rotation.account_id, rotation.id);
    let mut changes = ChangeSet::new(rotation.workspace_id);
    // First, so that who has lost the rotation changes nothing else either.
    let done = rotation.over.then(|| RotationChange::CauseDone { cause: rotation.cause.clone() });
    let shown = rotation.over.then_some(RotationChange::PicturesDelete { rotation_id: id });
    changes.push(RotationChange::JobUpdate { rotation, expect, leased_until }.into());
    changes.changes.extend(done.map(Into::into));
    changes.changes.extend(step.map(|step| RotationChange::StepInsert(step).into()));
    for other in with {
        changes.changes.extend(other.changes);
        changes.audit.extend(other.audit);
    }
    changes.changes.extend(shown.map(Into::into));
    for (action, mut detail) in said {
        detail["rotation"] = json!(id);
        changes.note((cause, ids), action, ("account", &account), detail);
    }
    changes
}

/// That somebody decided about a rotation.
pub fn said(rotation: &RotationRow, action: &'static str, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(rotation.workspace_id);
    let detail = json!({ "rotation": rotation.id, "was": rotation.state });
    changes.note((cause, ids), action, ("account", &rotation.account_id), detail);
    changes
}

/// How many pictures of one rotation are kept, the newest.
const PICTURES: i64 = 3;

/// Keeps a picture of a failing step, in place of the oldest where there are enough.
pub fn keep_picture(workspace: WorkspaceId, picture: RotationPicture) -> ChangeSet {
    let mut changes = ChangeSet::new(workspace);
    let rotation_id = picture.rotation_id;
    changes.push(RotationChange::PictureInsert(picture).into());
    changes.push(RotationChange::PicturesTrim { rotation_id, keep: PICTURES }.into());
    changes
}

/// Shows a picture to somebody; on record before it leaves.
pub fn show_picture(rotation: &RotationRow, number: i64, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(rotation.workspace_id);
    let detail = json!({ "rotation": rotation.id, "step": number });
    changes.note((cause, ids), "rotation.picture_shown", ("account", &rotation.account_id), detail);
    changes
}

/// Opens a task and tells people of it; one that is open for the same rotation is moot.
pub fn open_task(task: ManualTask, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(task.workspace_id);
    let rotation_id = task.rotation_id;
    if task.kind != ManualTask::UPDATE_DEPENDENT {
        let close = RotationChange::TaskCloseOf { rotation_id, state: TaskState::Moot, at: cause.now };
        changes.push(close.into());
    }
    let detail =
        json!({ "task": task.id, "kind": task.kind, "due_at": task.due_at, "rotation": rotation_id });
    let told = json!({ "notice": "task_opened", "task": task.id, "kind": task.kind, "account": task.account_id,
        "due_at": task.due_at });
    changes.push(notice(task.workspace_id, format!("task:{}", task.id), told, cause, ids));
    let account = task.account_id;
    changes.push(RotationChange::TaskInsert(task).into());
    changes.note((cause, ids), "rotation.task_opened", ("account", &account), detail);
    changes
}

/// Tells people that a task's time runs out.
pub fn remind(task: &ManualTask, percent: u8, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let mut changes = ChangeSet::new(task.workspace_id);
    let row = ManualTask { reminded: i64::from(percent), version: task.version.next(), ..task.clone() };
    changes.push(RotationChange::TaskUpdate { task: row, expect: task.version }.into());
    let told = json!({ "notice": "task_due", "task": task.id, "account": task.account_id, "percent": percent,
        "due_at": task.due_at, "assignee": task.assignee_id });
    let key = format!("task:{}:{percent}", task.id);
    changes.push(notice(task.workspace_id, key, told, cause, ids));
    changes
}

/// Somebody takes care of a task from now on.
///
/// # Errors
/// When it is closed.
pub fn take_over(
    task: &ManualTask,
    assignee: Option<MemberId>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    is_open(task)?;
    let mut changes = ChangeSet::new(task.workspace_id);
    let row = ManualTask { assignee_id: assignee, version: task.version.next(), ..task.clone() };
    changes.push(RotationChange::TaskUpdate { task: row, expect: task.version }.into());
    let detail = json!({ "task": task.id, "before": task.assignee_id, "after": assignee });
    changes.note((cause, ids), "rotation.task_taken_over", ("account", &task.account_id), detail);
    Ok(changes)
}

/// What somebody says to a task.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// Who, as the audit log writes actors.
    pub by: &'a str,
    /// The word.
    pub word: &'a str,
    /// What they add.
    pub note: Option<&'a str>,
}

/// Whether a word to a task is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attested {
    /// It counts.
    Enough,
    /// A second person has to say the same.
    NeedsAnother,
}

/// Keeps a word to a task. Where `needs_two`, it counts once two people have said the same: what no
/// login proves of a privileged account rests on more than one person's word.
///
/// # Errors
/// When the task is closed, the note is too long, or the same person says it twice.
pub fn attest(
    task: &ManualTask,
    said: &Said<'_>,
    needs_two: bool,
    cause: &Cause,
) -> Result<(ManualTask, Attested), Refusal> {
    is_open(task)?;
    if let Some(note) = said.note {
        bounded("the note", note, REASON_MAX)?;
    }
    let mut evidence = task.evidence.as_array().cloned().unwrap_or_default();
    let same_word = |entry: &&Value| entry["word"] == said.word;
    let before: Vec<&Value> = evidence.iter().filter(same_word).collect();
    let another = before.iter().any(|entry| entry["by"] != said.by);
    if needs_two && !before.is_empty() && !another {
        return Err(Refusal::NeedsAnotherPerson);
    }
    let attested = if needs_two && !another { Attested::NeedsAnother } else { Attested::Enough };
    evidence.push(json!({ "by": said.by, "word": said.word, "note": said.note, "at": cause.now }));
    let row = ManualTask { evidence: Value::Array(evidence), version: task.version.next(), ..task.clone() };
    Ok((row, attested))
}

/// Writes what was said to a task; the change set goes with the rotation's own, if it counts.
pub fn keep_word(
    task: &ManualTask,
    row: ManualTask,
    said: &Said<'_>,
    attested: Attested,
    (cause, ids): (&Cause, Ids<'_>),
) -> ChangeSet {
    let mut changes = ChangeSet::new(task.workspace_id);
    changes.push(RotationChange::TaskUpdate { task: row, expect: task.version }.into());
    let detail = json!({ "task": task.id, "word": said.word, "note": said.note,
        "enough": attested == Attested::Enough });
    changes.note((cause, ids), "rotation.task_answered", ("account", &task.account_id), detail);
    changes
}

/// Closes a task of its own, that no rotation waits for.
///
/// # Errors
/// When it is closed.
pub fn close_task(task: &ManualTask, cause: &Cause, ids: Ids<'_>) -> Result<ChangeSet, Refusal> {
    is_open(task)?;
    let mut changes = ChangeSet::new(task.workspace_id);
    let row = ManualTask {
        state: TaskState::Done,
        closed_at: Some(cause.now),
        version: task.version.next(),
        ..task.clone()
    };
    changes.push(RotationChange::TaskUpdate { task: row, expect: task.version }.into());
    let detail = json!({ "task": task.id, "kind": task.kind });
    changes.note((cause, ids), "rotation.task_closed", ("account", &task.account_id), detail);
    Ok(changes)
}

fn is_open(task: &ManualTask) -> Result<(), Refusal> {
    if task.state == TaskState::Open { Ok(()) } else { Err(Refusal::TaskClosed) }
}

/// A person is shown the password that is ready, to set it by hand: they know it from then on, and if
/// they leave it is changed again.
pub fn show_staged(
    account: &Account,
    (secret, version): (&Secret, i64),
    member_id: Option<MemberId>,
    cause: &Cause,
    ids: Ids<'_>,
) -> ChangeSet {
    let mut changes = ChangeSet::new(account.workspace_id);
    let client = if member_id.is_some() { Client::Api } else { Client::Cli };
    let kind = ExposureKind::RotationOperator;
    let seen = Seen { account_id: account.id, secret: Some(secret), version, member_id, kind, client };
    seen.push(&mut changes, (cause, ids));
    let detail = json!({ "secret": secret.id, "version": version, "kind": kind });
    changes.note((cause, ids), "secret.shown", ("account", &account.id), detail);
    changes
}

/// What became of the rotations of a case, for its report.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// How many, by the state that they ended in.
    pub rotations: u64,
    /// The accounts whose password did not change, or of which something could not be shown.
    pub exceptions: Vec<(AccountId, String)>,
    /// When the last of the others was safe.
    pub safe_at: Option<Timestamp>,
}

/// Closes a case that nothing is left to do for.
pub fn conclude(case: &OffboardingCase, settled: &Settled, cause: &Cause, ids: Ids<'_>) -> ChangeSet {
    let to =
        if settled.exceptions.is_empty() { CaseState::Complete } else { CaseState::CompleteWithExceptions };
    let mut summary = case.summary.clone();
    let safe_at = settled.safe_at.filter(|_| settled.exceptions.is_empty());
    let exceptions: Vec<Value> =
        settled.exceptions.iter().map(|(account, why)| json!({ "account": account, "why": why })).collect();
    summary["rotated"] = json!(settled.rotations);
    summary["exceptions"] = json!(exceptions);
    summary["safe_at"] = json!(safe_at);
    summary["time_to_safe_ms"] =
        json!(safe_at.map(|at| u64::try_from(at.since(case.cut_at).as_millis()).unwrap_or(u64::MAX)));
    summary["closed_at"] = json!(cause.now);
    let mut changes = ChangeSet::new(case.workspace_id);
    changes.push(Change::CaseConclude { case_id: case.id, to, summary });
    let detail =
        json!({ "member": case.member_id, "state": to, "exceptions": exceptions, "safe_at": safe_at });
    changes.note((cause, ids), "offboarding.closed", ("offboarding", &case.id), detail);
    changes
}

/// A notice to people, once for each key.
pub fn notice(workspace: WorkspaceId, key: String, payload: Value, cause: &Cause, ids: Ids<'_>) -> Change {
    Change::OutboxInsert(OutboxEvent::notice(workspace, key, payload, (cause, ids)))
}
