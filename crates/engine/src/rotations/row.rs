//! A job as its row, and back.

use latchkey_access::member::Version;
use latchkey_access::rotation::RotationRow;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CaseId, ConnectorId};
use latchkey_rotation::{Job, State};

use crate::Error;

/// The job that a row holds.
pub(crate) fn job_of(row: &RotationRow) -> Result<Job, Error> {
    serde_json::from_value(row.body.clone()).map_err(|error| Error::damaged("rotation", error))
}

/// The row of a job that is new.
pub(crate) fn new_row(
    job: &Job,
    connector_id: Option<ConnectorId>,
    case_id: Option<CaseId>,
) -> Result<RotationRow, Error> {
    let row = RotationRow {
        workspace_id: job.workspace_id,
        id: job.id,
        account_id: job.account_id,
        connector_id,
        case_id,
        reason: job.reason.as_str().to_owned(),
        cause: job.cause.clone(),
        priority: job.priority,
        state: String::new(),
        over: false,
        run_after: None,
        body: serde_json::Value::Null,
        version: Version(0),
        planned_at: job.planned_at,
        ended_at: None,
    };
    next_row(&row, job, job.run_after)
}

/// The row after a change of its job, which is looked at again at `due`.
pub(crate) fn next_row(before: &RotationRow, job: &Job, due: Timestamp) -> Result<RotationRow, Error> {
    let waits_for_person = job.ask.is_none() && matches!(job.state, State::Held | State::ManualTask);
    let rests = job.state.is_over() || waits_for_person;
    Ok(RotationRow {
        state: job.state.as_str().to_owned(),
        over: job.state.is_over(),
        run_after: (!rests).then_some(due),
        body: serde_json::to_value(job).map_err(|error| Error::damaged("rotation", error))?,
        version: before.version.next(),
        ended_at: job.ended_at,
        ..before.clone()
    })
}
