//! A job as Graph shows one, and where it stands.

use latchkey_jobs::{Found, parsed};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::JobId;
use latchkey_provisioning::state::{CycleOutcome, CycleSummary, JobState, JobStatus};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A provisioning job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobView {
    #[schema(value_type = String)]
    id: JobId,
    template_id: &'static str,
    name: String,
    /// The job as its file has it: source, target, scope, mappings and schedule.
    definition: String,
    schedule: Schedule,
    /// As Graph's `synchronizationStatus`, with how many objects are live, disabled and held.
    #[schema(value_type = Object)]
    status: Value,
    synchronization_job_settings: Vec<Setting>,
}

/// When a job runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Schedule {
    /// As an ISO 8601 duration; absent for a job that runs only when told to.
    interval: Option<String>,
    /// `Active`, `Disabled` or `Paused`.
    state: &'static str,
    #[schema(value_type = Option<String>)]
    expiration: Option<Timestamp>,
}

/// A setting by its name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Setting {
    name: &'static str,
    value: String,
}

/// What Graph says for a time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn view(found: &Found) -> JobView {
    let (row, file) = (&found.row, parsed(&found.row.definition).ok());
    let state = match (row.state.status, row.state.last.is_some()) {
        (JobStatus::Active, _) => "Active",
        (JobStatus::Paused, true) => "Paused",
        (JobStatus::Paused, false) | (JobStatus::Disabled, _) => "Disabled",
    };
    let interval =
        file.as_ref().and_then(|file| file.schedule).map(|every| format!("PT{}S", every.as_secs()));
    let limit = file.as_ref().and_then(|file| file.deletion_limit);
    let settings =
        limit.map(|limit| Setting { name: "QuarantineTooManyDeletesThreshold", value: limit.to_string() });
    JobView {
        id: row.id,
        template_id: "scim",
        name: row.name.clone(),
        definition: row.definition.clone(),
        schedule: Schedule { interval, state, expiration: None },
        status: status(found),
        synchronization_job_settings: settings.into_iter().collect(),
    }
}

fn status(found: &Found) -> Value {
    let (state, totals) = (&found.row.state, &found.totals);
    let time = |at: Option<Timestamp>| at.map_or_else(|| NEVER.to_owned(), |at| at.to_string());
    json!({
        "code": code(state),
        "countSuccessiveCompleteFailures": state.failures_in_row,
        "escrowsPruned": false,
        "lastExecution": state.last.as_ref().map(|one| execution(one, totals.escrowed)),
        "lastSuccessfulExecution": state.last_whole.as_ref().map(|one| execution(one, totals.escrowed)),
        "lastSuccessfulExecutionWithExports": state.last_with_exports.as_ref().map(|one| execution(one, totals.escrowed)),
        "progress": found.live.iter().map(latchkey_jobs::Live::to_json).collect::<Vec<_>>(),
        "quarantine": state.quarantine.as_ref().map(|quarantine| json!({
            "reason": quarantine.reason,
            "seriesBegan": quarantine.series_began,
            "currentBegan": quarantine.current_began,
            "seriesCount": quarantine.series_count,
            "nextAttempt": quarantine.next_attempt,
            "error": { "message": quarantine.message },
        })),
        "steadyStateFirstAchievedTime": time(state.steady_first),
        "steadyStateLastAchievedTime": time(state.steady_last),
        "synchronizedEntryCountByType": [
            { "key": "User", "value": totals.users }, { "key": "Group", "value": totals.groups },
        ],
        "troubleshootingUrl": null,
        "totals": totals,
        "nextRun": found.row.runs_at,
    })
}

fn code(state: &JobState) -> &'static str {
    match (state.status, &state.quarantine, &state.last) {
        (JobStatus::Active, Some(_), _) => "Quarantine",
        (JobStatus::Active, None, None) => "NotRun",
        (JobStatus::Active, None, Some(_)) => "Active",
        (JobStatus::Paused, _, None) => "NotConfigured",
        (JobStatus::Paused, ..) => "Paused",
        (JobStatus::Disabled, ..) => "Quarantine",
    }
}

/// A cycle as Graph's `synchronizationTaskExecution`.
pub(super) fn execution(cycle: &CycleSummary, escrowed: u64) -> Value {
    let counts = &cycle.counts;
    json!({
        "activityIdentifier": cycle.id,
        "state": match cycle.outcome {
            CycleOutcome::Succeeded => "Succeeded",
            CycleOutcome::EntryLevelErrors => "EntryLevelErrors",
            CycleOutcome::Failed => "Failed",
        },
        "kind": cycle.kind,
        "countImported": counts.read,
        "countExported": counts.exports(),
        "countEscrowed": escrowed,
        "timeBegan": cycle.began,
        "timeEnded": cycle.ended,
        "error": cycle.error.as_ref().map(|message| json!({ "message": message })),
        "counts": counts,
    })
}
