//! What is asked of a job at once: a test, one object, a preview, what was previewed, taking back.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use latchkey_cycles::Plan;
use latchkey_expr::{Attributes, Program, Surroundings, Value as Found};
use latchkey_jobs::Asked;
use latchkey_kernel::id::{CycleId, JobId};
use latchkey_provisioning::Kind;
use latchkey_provisioning::log::{LogEntry, Status};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;

use super::super::{Answer, problem};
use super::define::{SecretDraft, WRITE};
use super::view::execution;
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id};
use crate::problem::Problem;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let post = HttpMethod::Post;
    vec![
        Endpoint::new(
            post.clone(),
            "/v1/api/synchronization/jobs/{id}/validateCredentials",
            WRITE,
            "See whether source and target of a job can be reached",
        )
        .takes::<Credentials>()
        .gives::<Told>(200, "What was asked and answered; `ok` says whether the job may be started.")
        .by(validate),
        Endpoint::new(
            post.clone(),
            "/v1/api/synchronization/jobs/{id}/provisionOnDemand",
            WRITE,
            "Bring one person or group in step now",
        )
        .takes::<OnDemand>()
        .gives::<Pair>(200, "As Graph answers: the result, and what led to it, both as JSON in a text.")
        .by(on_demand),
        Endpoint::new(
            post.clone(),
            "/v1/api/synchronization/jobs/{id}/preview",
            WRITE,
            "What a cycle of a job would do; nothing is written",
        )
        .takes::<PreviewHow>()
        .gives::<Told>(200, "Each decision, and the plan that does just this.")
        .by(preview),
        Endpoint::new(
            post.clone(),
            "/v1/api/synchronization/jobs/{id}/apply",
            WRITE,
            "Do exactly what a preview told",
        )
        .takes::<Apply>()
        .gives::<Told>(200, "What was done.")
        .by(apply)
        .with_room(64 << 20),
        Endpoint::new(
            post.clone(),
            "/v1/api/synchronization/jobs/{id}/undo",
            WRITE,
            "Take back what a cycle disabled, deleted or took out of groups",
        )
        .takes::<Undo>()
        .gives::<Told>(200, "What was taken back.")
        .by(undo),
        Endpoint::new(
            post,
            "/v1/api/synchronization/jobs/{id}/schema/parseExpression",
            WRITE,
            "Try an expression on values",
        )
        .takes::<Expression>()
        .gives::<Told>(200, "Whether it reads, and what comes out.")
        .by(parse_expression),
    ]
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub(crate) struct Told(Value);

/// Two texts, each with JSON in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pair {
    key: String,
    value: String,
}

/// With which credentials.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credentials {
    /// Those of the job; else those that are given.
    use_saved_credentials: Option<bool>,
    /// `BaseAddress` and `SecretToken`.
    #[serde(default)]
    credentials: Vec<SecretDraft>,
}

/// On whom.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct OnDemand {
    parameters: Vec<Parameters>,
}

/// On whom, of which rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parameters {
    /// Jobs have one rule each, so that it may be left out.
    #[expect(dead_code, reason = "Graph's clients send it")]
    rule_id: Option<String>,
    subjects: Vec<Subject>,
}

/// Somebody or some group.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subject {
    /// The id at the source, or the login name.
    object_id: String,
    /// `User` or `Group`.
    object_type_name: String,
}

/// How a preview is made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewHow {
    /// Everything is looked at.
    #[serde(default)]
    full: bool,
    /// What was sent is compared with what the target holds.
    #[serde(default)]
    drift: bool,
}

/// What is done.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Apply {
    /// The preview's.
    #[schema(value_type = Object)]
    plan: Plan,
}

/// What is taken back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undo {
    /// The cycle; the last one that removed anything without it.
    #[schema(value_type = Option<String>)]
    cycle: Option<CycleId>,
    /// Only of objects whose name or id contains this.
    object: Option<String>,
}

/// An expression and values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Expression {
    expression: String,
    test_input_object: Option<TestInput>,
}

/// Values of attributes.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct TestInput {
    #[serde(default)]
    properties: Vec<Property>,
}

/// One value.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Property {
    key: String,
    #[serde(default)]
    #[schema(value_type = Object)]
    value: Value,
}

async fn validate(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(how): Body<Credentials>,
) -> Answer<Told> {
    let given = |name: &str| how.credentials.iter().find(|one| one.key == name).map(|one| one.value.clone());
    let saved = how.use_saved_credentials.unwrap_or(how.credentials.is_empty());
    let (base, token): (Option<SecretString>, _) =
        if saved { (None, None) } else { (given("BaseAddress"), given("SecretToken")) };
    let base = base.map(|text| text.expose_secret().to_owned());
    if base.is_some() && token.is_none() {
        return Err(Problem::invalid(
            "a credential that is saved is shown to no other address: give SecretToken too",
        ));
    }
    let found = state.jobs.validate(&by, id, (base, token)).await.map_err(problem(&by))?;
    let ok = found.source.is_ok() && found.target.ok;
    let source = match &found.source {
        Ok(told) | Err(told) => json!({ "ok": found.source.is_ok(), "message": told }),
    };
    Ok(Json(Told(json!({ "ok": ok, "source": source, "target": found.target, "warnings": found.warnings }))))
}

async fn on_demand(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(body): Body<OnDemand>,
) -> Answer<Pair> {
    let mut subjects = body.parameters.iter().flat_map(|one| &one.subjects);
    let (Some(subject), None) = (subjects.next(), subjects.next()) else {
        return Err(Problem::invalid("one subject is brought in step at a time: a User or a Group"));
    };
    let kind = match subject.object_type_name.as_str() {
        "User" => Kind::User,
        "Group" => Kind::Group,
        other => {
            return Err(Problem::invalid(format!(
                "objectTypeName is {other:?}, but User or Group is needed"
            )));
        }
    };
    let asked = state.jobs.on_demand(&by, id, (kind, &subject.object_id)).await.map_err(problem(&by))?;
    let of_it = |entry: &&LogEntry| entry.kind == kind;
    let last = asked.entries.iter().rfind(of_it);
    let (result, code, message) = match last {
        None => ("Skipped", Some("RedundantExport".to_owned()), "source and target are equal".to_owned()),
        Some(entry) => {
            let word = match entry.status {
                Status::Success | Status::Warning => "Success",
                Status::Skipped => "Skipped",
                Status::Failure => "Failure",
            };
            (word, entry.code.clone(), entry.message.clone())
        }
    };
    let key = json!({ "result": result, "details": { "errorCode": code, "errorMessage": message } });
    let value =
        json!({ "cycle": execution(&asked.cycle, asked.cycle.counts.failed), "entries": asked.entries });
    Ok(Json(Pair { key: key.to_string(), value: value.to_string() }))
}

async fn preview(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(how): Body<PreviewHow>,
) -> Answer<Told> {
    let found = state.jobs.preview(&by, id, how.full, how.drift).await.map_err(problem(&by))?;
    Ok(Json(Told(json!({
        "counts": found.cycle.counts,
        "error": found.cycle.error,
        "entries": found.entries,
        "plan": found.plan,
    }))))
}

fn told(asked: &Asked) -> Told {
    Told(json!({
        "cycle": execution(&asked.cycle, asked.cycle.counts.failed),
        "entries": asked.entries,
    }))
}

async fn apply(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(body): Body<Apply>,
) -> Answer<Told> {
    let asked = state.jobs.apply(&by, id, body.plan).await.map_err(problem(&by))?;
    Ok(Json(told(&asked)))
}

async fn undo(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(body): Body<Undo>,
) -> Answer<Told> {
    let asked = state.jobs.undo(&by, id, body.cycle, body.object).await.map_err(problem(&by))?;
    Ok(Json(told(&asked)))
}

/// Values by name.
struct Known(BTreeMap<String, Value>);

impl Attributes for Known {
    fn attribute<'a>(&'a self, name: &str) -> Found<'a> {
        self.0.get(name).map_or(Found::Null, Found::from_json)
    }
}

async fn parse_expression(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<JobId>,
    Body(body): Body<Expression>,
) -> Answer<Told> {
    latchkey_engine::jobs::get(&state.engine, &by, id).await.map_err(problem(&by))?;
    let program = match Program::compile(&body.expression) {
        Ok(program) => program,
        Err(error) => {
            return Ok(Json(Told(json!({
                "parsingSucceeded": false, "evaluationSucceeded": false, "evaluationResult": [],
                "error": { "message": error.to_string() },
            }))));
        }
    };
    let properties = body.test_input_object.unwrap_or_default().properties;
    let known = Known(properties.into_iter().map(|one| (one.key, one.value)).collect());
    let surroundings =
        Surroundings { now: state.engine.now(), entropy: state.engine.entropy(), default_domain: "" };
    let trace = program.trace(&known, &surroundings);
    let (value, error) = match &trace.result {
        Ok(found) => (found.value.to_json(), None),
        Err(error) => (Value::Null, Some(json!({ "message": error.to_string() }))),
    };
    let results: Vec<Value> = match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all,
        Value::String(text) => vec![Value::String(text)],
        other => vec![Value::String(other.to_string())],
    };
    Ok(Json(Told(json!({
        "parsingSucceeded": true,
        "evaluationSucceeded": error.is_none(),
        "evaluationResult": results,
        "steps": trace.steps,
        "error": error,
    }))))
}
