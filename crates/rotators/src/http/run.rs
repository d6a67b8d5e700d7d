//! One pass over the steps of a recipe, that always knows whether the password may have changed.

use latchkey_rotation::{Class, Failure, Outcome};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

use super::recipe::{Answer, Body, Declared, Json, Request, Step};
use super::session::{Outgoing, Session, Trouble};
use crate::recipe::{Codes, Host, Known, Missing, Origins, Slot, Values};

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The new password was not sent to anybody.
    Before,
    /// It may have been taken.
    Sent,
}

pub(crate) struct Run<'a> {
    recipe: &'a str,
    origins: &'a Origins,
    codes: &'a Codes,
    session: Session,
    values: Values<'a>,
    known: Known,
    stage: Stage,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        recipe: &'a str,
        origins: &'a Origins,
        codes: &'a Codes,
        session: Session,
        values: Values<'a>,
    ) -> Self {
        let known = Known::of([values.current, values.staged, values.admin].into_iter().flatten());
        Self { recipe, origins, codes, session, values, known, stage: Stage::Before }
    }

    /// Performs the step and holds its answer to what the recipe expects.
    pub(crate) async fn step(&mut self, step: &Step) -> Result<Answer, Failure> {
        let answer = self.send(step).await?;
        if let Some(declared) = step.errors.iter().find(|declared| declared.matches(&answer)) {
            return Err(self.declared(step, declared, &answer));
        }
        if !step.expect.holds(&answer) {
            return Err(self.unexpected(step, &answer));
        }
        for (name, pick) in &step.capture {
            let Some(found) = pick.from(&answer) else {
                let what =
                    format!("the answer holds nothing to capture as {name}; the page may have changed");
                return Err(self.failure(Class::NeedsPerson, step, &what));
            };
            self.values.captured.insert(name.clone(), found);
        }
        Ok(answer)
    }

    /// Performs the step; its answer is judged by the caller.
    pub(crate) async fn send(&mut self, step: &Step) -> Result<Answer, Failure> {
        if step.uses(&Slot::Code) {
            let code = self.codes.next().await;
            self.values.code = code.map_err(|what| self.failure(Class::Transient, step, &what))?;
        }
        let out = self.outgoing(&step.request).map_err(|(class, what)| self.failure(class, step, &what))?;
        let sent = self.session.send(out, &self.known).await;
        if step.point_of_no_return && sent.as_ref().err().is_none_or(|trouble| trouble.sent) {
            self.stage = Stage::Sent;
        }
        sent.map_err(|Trouble { class, what, .. }| self.failure(class, step, &what))
    }

    /// Asks for the front page, of which any answer but a server's trouble will do.
    pub(crate) async fn reach(&mut self, host: &Host) -> Result<(), Failure> {
        let step = Step::front_page(host);
        let answer = self.send(&step).await?;
        if answer.status == 429 || answer.status >= 500 {
            return Err(self.unexpected(&step, &answer));
        }
        Ok(())
    }

    /// What was captured under this name.
    pub(crate) fn captured(&self, name: &str) -> Option<&SecretString> {
        self.values.captured.get(name)
    }

    pub(crate) fn failure(&self, class: Class, step: &Step, what: &str) -> Failure {
        let message = format!("recipe {}, step \"{}\": {what}", self.recipe, step.name);
        match self.stage {
            Stage::Before => Failure::not_applied(class, message),
            Stage::Sent => Failure::unknown(class, message),
        }
    }

    /// A failure that the recipe's author knows. He knows too that a refusal changed nothing;
    /// of an answer from 500 on nobody knows, unless he says so.
    pub(crate) fn declared(&self, step: &Step, declared: &Declared, answer: &Answer) -> Failure {
        let (class, hint) = match declared.class {
            // Only an admin's credential stops every job; one account's password is one account's drift.
            Class::Auth if !step.uses(&Slot::Admin) => {
                (Class::NeedsPerson, "; the password that Latchkey holds is not the one that works")
            }
            class => (class, ""),
        };
        let said = match &declared.message {
            Some(message) => message.clone(),
            None => format!("refused with status {}, as the recipe declares", answer.status),
        };
        let failure = self.failure(class, step, &format!("{said}{hint}"));
        let outcome = match (declared.outcome, step.point_of_no_return) {
            (Some(outcome), true) => outcome,
            (None, true) if answer.status < 500 => Outcome::NotApplied,
            _ => failure.outcome,
        };
        Failure { outcome, ..failure }
    }

    fn unexpected(&self, step: &Step, answer: &Answer) -> Failure {
        let (class, hint) = match answer.status {
            429 => (Class::Transient, "; it asks for fewer requests"),
            408 | 500.. => (Class::Transient, ""),
            status if step.expect.statuses.contains(&status) => {
                (Class::NeedsPerson, ", but not with the content that the recipe expects")
            }
            _ => (Class::NeedsPerson, ", which the recipe does not expect; the target may have changed"),
        };
        self.failure(class, step, &format!("answered with status {}{hint}", answer.status))
    }

    fn outgoing(&self, request: &Request) -> Result<Outgoing, (Class, String)> {
        let missing = |missing: Missing| (Class::NeedsPerson, missing.to_string());
        let person = |what: &str| (Class::NeedsPerson, what.to_owned());
        let segment = |value: &str| {
            percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let path = request.path.fill(&self.values, segment).map_err(missing)?;
        let mut url = Url::parse(&format!("{}{}", self.origins.base(&request.host), path.as_str()))
            .map_err(|_| person("the address is none"))?;
        for (name, value) in &request.query {
            url.query_pairs_mut().append_pair(name, &value.fill_plain(&self.values).map_err(missing)?);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let value = value.fill_plain(&self.values).map_err(missing)?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| {
                (Class::Policy, format!("a value has characters that the header {name} cannot carry"))
            })?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        let mut typed = |kind| {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
        };
        let body = match &request.body {
            Body::None => None,
            Body::Json(json) => {
                typed("application/json");
                let mut json = self.json(json).map_err(missing)?;
                let text = serde_json::to_vec(&json).map_err(|_| person("the body is no JSON"))?;
                wipe(&mut json);
                Some(Zeroizing::new(text))
            }
            Body::Form(fields) => {
                typed("application/x-www-form-urlencoded");
                let mut form = form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, &value.fill_plain(&self.values).map_err(missing)?);
                }
                Some(Zeroizing::new(form.finish().into_bytes()))
            }
        };
        Ok(Outgoing { method: request.method.clone(), url, headers, body, follow: request.follow })
    }

    fn json(&self, json: &Json) -> Result<Value, Missing> {
        Ok(match json {
            Json::Fixed(value) => value.clone(),
            Json::Text(text) => Value::String(text.fill_plain(&self.values)?.to_string()),
            Json::List(items) => {
                Value::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?)
            }
            Json::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| Ok((name.clone(), self.json(field)?)))
                    .collect::<Result<_, Missing>>()?,
            ),
        })
    }
}

fn wipe(json: &mut Value) {
    match json {
        Value::String(text) => zeroize::Zeroize::zeroize(text),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A captured number, as of sessions that were ended.
pub(crate) fn number(captured: Option<&SecretString>) -> Option<u64> {
    captured.and_then(|text| text.expose_secret().parse().ok())
}
