//! Reads a recipe, and holds it to the rules: a secret only where it may stand, the new password
//! only in the one step after which nobody can turn back, captures only after they were made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::condition::Condition;
use super::pick::Pick;
use super::raw::{RawDeclared, RawDocument, RawExpect, RawJudged, RawRequest, RawStep, RawVerify, Statuses};
use super::recipe::{Body, Declared, Expect, Json, Recipe, Request, Step, Verify};
use crate::recipe::{Host, RecipeError, Slot, Template, class, is_name, read};

impl Recipe {
    /// Reads TOML or JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, RecipeError> {
        let raw: RawDocument = read(text)?;
        let hosts = raw.recipe.hosts()?;
        let mut captured = BTreeSet::new();
        let steps = steps(raw.step, "step", &hosts, &mut captured)?;
        only_one_point_of_no_return(&steps)?;
        let verify = verify(raw.verify, &steps, &hosts)?;
        let terminate = raw
            .terminate
            .map(|step| one("terminate", step, &hosts, &mut captured.clone(), true))
            .transpose()?;
        let probe =
            raw.probe.map(|step| one("probe", step, &hosts, &mut BTreeSet::new(), true)).transpose()?;
        for (at, step) in [("terminate", &terminate), ("probe", &probe)] {
            if step.as_ref().is_some_and(|step| step.uses(&Slot::Staged) || step.point_of_no_return) {
                return Err(RecipeError::new(
                    at,
                    "only a step of the change itself may set the new password",
                ));
            }
        }
        if let Some(step) = &probe
            && (step.request.method != reqwest::Method::GET || step.uses(&Slot::Current))
        {
            return Err(RecipeError::new(
                "probe.request",
                "a probe changes nothing: GET, without secret.current",
            ));
        }
        Ok(Self { id: raw.recipe.id, hosts, phase: raw.recipe.phase, steps, verify, terminate, probe })
    }
}

fn steps(
    raw: Vec<RawStep>,
    at: &str,
    hosts: &[Host],
    captured: &mut BTreeSet<String>,
) -> Result<Vec<Step>, RecipeError> {
    let mut names = BTreeSet::new();
    let mut steps = Vec::new();
    for (index, raw) in raw.into_iter().enumerate() {
        let Some(name) = raw.name.clone() else {
            return Err(RecipeError::new(
                format!("{at}[{index}].name"),
                "it is missing; errors name the step by it",
            ));
        };
        if !names.insert(name.clone()) {
            return Err(RecipeError::new(format!("{at} \"{name}\""), "there are two steps of this name"));
        }
        steps.push(one(&format!("{at} \"{name}\""), raw, hosts, captured, false)?);
    }
    Ok(steps)
}

/// `any_success` stands in for an `expect` that a step outside the run may leave out.
fn one(
    at: &str,
    raw: RawStep,
    hosts: &[Host],
    captured: &mut BTreeSet<String>,
    any_success: bool,
) -> Result<Step, RecipeError> {
    let place = |field: &str| format!("{at}, {field}");
    let request = request(at, raw.request, hosts, captured)?;
    let expect = match raw.expect {
        Some(raw) => expect(&place("expect"), raw)?,
        None if any_success => Expect { statuses: (200..300).collect(), ..Expect::default() },
        None => return Err(RecipeError::new(place("expect"), "it is missing; say which status is well")),
    };
    let mut capture = BTreeMap::new();
    for (name, from) in raw.capture {
        let field = place(&format!("capture.{name}"));
        if !is_name(&name) || ["username", "totp"].contains(&name.as_str()) {
            return Err(RecipeError::new(
                field,
                "no name for a capture: letters, digits and _, and no slot's name",
            ));
        }
        capture.insert(name, Pick::parse(&from).map_err(|problem| RecipeError::new(field, problem))?);
    }
    captured.extend(capture.keys().cloned());
    let mut errors = Vec::new();
    for (index, raw) in raw.errors.into_iter().enumerate() {
        let field = place(&format!("errors[{index}]"));
        errors.push(declared(raw).map_err(|problem| RecipeError::new(field, problem))?);
    }
    let name = raw.name.unwrap_or_else(|| at.to_owned());
    Ok(Step { name, request, expect, capture, errors, point_of_no_return: raw.point_of_no_return })
}

fn request(
    at: &str,
    raw: RawRequest,
    hosts: &[Host],
    captured: &BTreeSet<String>,
) -> Result<Request, RecipeError> {
    let fail = |field: &str, problem: String| RecipeError::new(format!("{at}, request.{field}"), problem);
    let template = |field: &str, text: &str, secrets: bool| {
        let template = Template::parse(text).map_err(|problem| fail(field, problem))?;
        for slot in template.slots() {
            if slot.is_secret() && !secrets {
                return Err(fail(
                    field,
                    "a secret may stand in a body or a header, never in an address".into(),
                ));
            }
            if let Slot::Captured(name) = slot
                && !captured.contains(name)
            {
                return Err(fail(field, format!("{{{{{name}}}}} is captured by no earlier step")));
            }
        }
        Ok(template)
    };
    let method = match raw.method.as_str() {
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" => {
            raw.method.parse().map_err(|_| fail("method", "no method".into()))?
        }
        other => return Err(fail("method", format!("\"{other}\" is none of GET, POST, PUT, PATCH, DELETE"))),
    };
    let host = match raw.host {
        None => hosts[0].clone(),
        Some(text) => {
            let host = Host::parse(&text).map_err(|problem| fail("host", problem))?;
            if !hosts.contains(&host) {
                return Err(fail("host", format!("{host} is not listed in recipe.hosts")));
            }
            host
        }
    };
    if !raw.path.starts_with('/') || raw.path.starts_with("//") || raw.path.contains(['?', '#', '\\']) {
        return Err(fail("path", "it begins with one / and holds no query; that is request.query".into()));
    }
    let path = template("path", &raw.path, false)?;
    let query = raw
        .query
        .into_iter()
        .map(|(name, text)| Ok((name.clone(), template(&format!("query.{name}"), &text, false)?)))
        .collect::<Result<_, RecipeError>>()?;
    let mut headers = Vec::new();
    for (name, text) in raw.headers {
        let field = format!("headers.{name}");
        let header: reqwest::header::HeaderName =
            name.parse().map_err(|_| fail(&field, "this is no name of a header".into()))?;
        if ["host", "content-length", "transfer-encoding", "connection", "cookie"].contains(&header.as_str())
        {
            return Err(fail(&field, "the connector sets this header itself".into()));
        }
        headers.push((header, template(&field, &text, true)?));
    }
    let body = match (raw.json, raw.form) {
        (None, None) => Body::None,
        (Some(json), None) => Body::Json(json_body("json", json, &template)?),
        (None, Some(form)) => Body::Form(
            form.into_iter()
                .map(|(name, text)| Ok((name.clone(), template(&format!("form.{name}"), &text, true)?)))
                .collect::<Result<_, RecipeError>>()?,
        ),
        (Some(_), Some(_)) => return Err(fail("form", "there is a json body too; one of them".into())),
    };
    Ok(Request { method, host, path, query, headers, body, follow: raw.follow })
}

fn json_body(
    at: &str,
    value: Value,
    template: &impl Fn(&str, &str, bool) -> Result<Template, RecipeError>,
) -> Result<Json, RecipeError> {
    Ok(match value {
        Value::String(text) => Json::Text(template(at, &text, true)?),
        Value::Array(items) => Json::List(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| json_body(&format!("{at}[{index}]"), item, template))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(fields) => Json::Object(
            fields
                .into_iter()
                .map(|(name, field)| {
                    let field = json_body(&format!("{at}.{name}"), field, template)?;
                    Ok((name, field))
                })
                .collect::<Result<_, RecipeError>>()?,
        ),
        fixed => Json::Fixed(fixed),
    })
}

fn expect(at: &str, raw: RawExpect) -> Result<Expect, RecipeError> {
    let statuses = match raw.status {
        Statuses::One(status) => vec![status],
        Statuses::Several(statuses) => statuses,
    };
    if statuses.is_empty() || statuses.iter().any(|status| !(100..600).contains(status)) {
        return Err(RecipeError::new(format!("{at}.status"), "a status from 100 to 599, or a list of them"));
    }
    let condition = raw
        .r#match
        .map(|text| {
            Condition::parse(&text).map_err(|problem| RecipeError::new(format!("{at}.match"), problem))
        })
        .transpose()?;
    Ok(Expect { statuses, location: raw.location, condition })
}

fn declared(raw: RawDeclared) -> Result<Declared, String> {
    if raw.status.is_none() && raw.r#match.is_none() {
        return Err("it fits every answer; give a status, a match, or both".to_owned());
    }
    let condition = raw.r#match.map(|text| Condition::parse(&text)).transpose()?;
    let class = class(&raw.class)?;
    Ok(Declared { status: raw.status, condition, class, outcome: raw.outcome, message: raw.message })
}

fn only_one_point_of_no_return(steps: &[Step]) -> Result<(), RecipeError> {
    let count = steps.iter().filter(|step| step.point_of_no_return).count();
    if count != 1 {
        return Err(RecipeError::new(
            "step",
            format!(
                "exactly one step says point_of_no_return = true: the one that sets the new password; here {count} do"
            ),
        ));
    }
    for step in steps {
        let at = format!("step \"{}\"", step.name);
        if step.point_of_no_return && !step.uses(&Slot::Staged) {
            return Err(RecipeError::new(
                at,
                "it is the point of no return, but does not use {{secret.staged}}",
            ));
        }
        if !step.point_of_no_return && step.uses(&Slot::Staged) {
            return Err(RecipeError::new(at, "{{secret.staged}} stands only in the point of no return"));
        }
    }
    Ok(())
}

fn verify(raw: RawVerify, change: &[Step], hosts: &[Host]) -> Result<Verify, RecipeError> {
    let own = steps(raw.step, "verify.step", hosts, &mut BTreeSet::new())?;
    let (name, positive) = judged("verify.positive", raw.positive)?;
    let (other, negative) = judged("verify.negative", raw.negative)?;
    if name != other {
        return Err(RecipeError::new("verify.negative", format!("it must judge the same step, \"{name}\"")));
    }
    let from = if own.is_empty() { change } else { &own };
    let Some(end) = from.iter().position(|step| step.name == name) else {
        return Err(RecipeError::new("verify.positive", format!("there is no step \"{name}\"")));
    };
    let steps = from[..=end].to_vec();
    if let Some(step) = steps.iter().find(|step| step.uses(&Slot::Staged) || step.point_of_no_return) {
        let problem = format!("step \"{}\" changes the password; a login comes before it", step.name);
        return Err(RecipeError::new("verify", problem));
    }
    if !steps[end].uses(&Slot::Current) {
        return Err(RecipeError::new("verify", format!("step \"{name}\" sends no {{{{secret.current}}}}")));
    }
    Ok(Verify { steps, positive, negative })
}

fn judged(at: &str, raw: RawJudged) -> Result<(String, Expect), RecipeError> {
    let sentence = match raw {
        RawJudged::Table { step, expect: raw } => return Ok((step, expect(at, raw)?)),
        RawJudged::Sentence(sentence) => sentence,
    };
    let wrong = || RecipeError::new(at, "write it as: login with secret.staged -> 200|303");
    let (left, right) = sentence.split_once("->").ok_or_else(wrong)?;
    let (step, secret) = left.trim().split_once(" with ").ok_or_else(wrong)?;
    let meant = if at.ends_with("positive") { "secret.staged" } else { "secret.current" };
    if secret.trim() != meant {
        return Err(RecipeError::new(at, format!("this login is tried with {meant}")));
    }
    let statuses = right
        .split('|')
        .map(|status| status.trim().parse().map_err(|_| wrong()))
        .collect::<Result<Vec<u16>, _>>()?;
    let raw = RawExpect { status: Statuses::Several(statuses), location: None, r#match: None };
    Ok((step.trim().to_owned(), expect(at, raw)?))
}
