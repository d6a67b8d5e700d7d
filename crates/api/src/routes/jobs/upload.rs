//! The inbound API: an HR system uploads people as a SCIM bulk request into the workspace's own directory.

use axum::Json;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use latchkey_engine::people::{self, Outcome, Roster, read_bulk};
use latchkey_engine::{Caller, jobs};
use latchkey_kernel::id::{JobId, ObjectId};
use latchkey_provisioning::jobfile::Directory;
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::HttpMethod;
use utoipa::{IntoParams, ToSchema};

use super::super::problem;
use super::define::WRITE;
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Id, Params, too_large_or_broken};
use crate::problem::Problem;

/// Operations of one request, as Entra ID's takes them.
const MOST: usize = 50;
/// Operations of a request that lists everybody.
const MOST_WHOLE: usize = 20_000;
const ROOM: usize = 32 << 20;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/synchronization/jobs/{id}/bulkUpload",
            WRITE,
            "Upload people and groups as a SCIM bulk request (application/scim+json)",
        )
        .query::<How>()
        .takes::<BulkRequest>()
        .gives::<Uploaded>(202, "What came of each operation; Location is the job's log from now on.")
        .by(upload)
        .with_room(ROOM),
    ]
}

/// How an upload is understood.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct How {
    /// `full` says that everybody is in it: who is not has left, and goes into the bin. The job's limit on
    /// deletions holds for them like for all others.
    mode: Option<String>,
}

/// A SCIM bulk request (RFC 7644 §3.7), of which each operation is a POST to /Users or /Groups.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "for the document; the body is read by its own media type")]
pub(crate) struct BulkRequest {
    schemas: Vec<String>,
    #[serde(rename = "Operations")]
    #[schema(value_type = Vec<Object>)]
    operations: Vec<serde_json::Value>,
}

/// What came of an upload.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Uploaded {
    operations: Vec<Done>,
    /// Who was not in a full upload, by id.
    #[schema(value_type = Vec<String>)]
    left: Vec<ObjectId>,
}

/// What came of one operation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Done {
    bulk_id: Option<String>,
    /// `202`, or why not.
    status: u16,
    #[schema(value_type = Option<String>)]
    id: Option<ObjectId>,
    /// What is wrong, or whom nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

async fn upload(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Params(how): Params<How>,
    request: Request,
) -> Result<(StatusCode, HeaderMap, Json<Uploaded>), Problem> {
    let row = jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let file = latchkey_jobs::parsed(&row.definition).map_err(|error| Problem::invalid(error.to_string()))?;
    if !matches!(file.source, Directory::Embedded { .. }) {
        return Err(Problem::invalid(
            "uploads go into the workspace's own directory, and this job reads another source",
        ));
    }
    let full = match how.mode.as_deref() {
        None | Some("delta") => false,
        Some("full") => true,
        Some(other) => {
            return Err(Problem::invalid(format!("mode is {other:?}, but delta or full is needed")));
        }
    };
    scim(request.headers())?;
    let body = Bytes::from_request(request, &()).await.map_err(too_large_or_broken)?;
    let most = if full { MOST_WHOLE } else { MOST };
    let operations = read_bulk(&body, most).map_err(problem(&by))?;
    let now = state.engine.now();
    let mut uploaded = Uploaded { operations: Vec::with_capacity(operations.len()), left: Vec::new() };
    let mut whole = true;
    for operation in operations {
        let done = one(&state, &by, operation.outcome).await?;
        whole &= done.1.is_none();
        let (id, refused) = done;
        let status = if id.is_some() { 202 } else { 400 };
        uploaded.operations.push(Done { bulk_id: operation.bulk_id, status, id, detail: refused });
    }
    if full && whole {
        let present: Vec<ObjectId> = uploaded.operations.iter().filter_map(|done| done.id).collect();
        uploaded.left = people::leave_absent(&state.engine, &by, &present).await.map_err(problem(&by))?;
    } else if full {
        return Err(Problem::invalid(format!(
            "not everybody in the list was understood, so nobody is taken to have left: {}",
            uploaded.operations.iter().filter_map(|done| done.detail.as_deref()).next().unwrap_or_default()
        )));
    }
    let logs = format!("{}/v1/api/synchronization/jobs/{}/logs?since={now}", state.base_url, row.id);
    let mut headers = HeaderMap::new();
    headers.extend(HeaderValue::try_from(logs).ok().map(|at| (header::LOCATION, at)));
    Ok((StatusCode::ACCEPTED, headers, Json(uploaded)))
}

/// One operation: who it was about, and what of it could not be done.
async fn one(
    state: &ApiState,
    by: &Caller,
    outcome: Outcome,
) -> Result<(Option<ObjectId>, Option<String>), Problem> {
    let roster = match outcome {
        Outcome::Refused(why) => return Ok((None, Some(why))),
        Outcome::Person(draft) => Roster { people: vec![*draft], ..Roster::default() },
        Outcome::Group(draft) => Roster { groups: vec![*draft], ..Roster::default() },
    };
    match people::import(&state.engine, by, &roster).await {
        Ok(report) => {
            let unknown = (!report.unknown.is_empty())
                .then(|| format!("nobody is called {}; it was left out", report.unknown.join(", ")));
            Ok((report.people.first().or(report.groups.first()).copied(), unknown))
        }
        Err(
            error @ (latchkey_engine::Error::Refused(_)
            | latchkey_engine::Error::Clash(_)
            | latchkey_engine::Error::Invalid(_)),
        ) => Ok((None, Some(error.to_string()))),
        Err(error) => Err(problem(by)(error)),
    }
}

fn scim(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/scim+json") {
        return Ok(());
    }
    Err(Problem::invalid("send the body as `Content-Type: application/scim+json`"))
}
