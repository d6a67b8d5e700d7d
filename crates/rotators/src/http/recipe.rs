//! An HTTP recipe: what is sent, what must come back, what is kept of it. Plain data; see
//! [`super::parse`] for how it is read and what it must obey.

use std::collections::BTreeMap;

use latchkey_rotation::{Class, Outcome};
use reqwest::Method;
use reqwest::header::HeaderName;
use secrecy::SecretString;

use super::condition::Condition;
use super::pick::Pick;
use crate::recipe::{Host, Phase, Slot, Template};

/// How a password is changed at one target over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) id: String,
    pub(crate) hosts: Vec<Host>,
    pub(crate) phase: Phase,
    pub(crate) steps: Vec<Step>,
    pub(crate) verify: Verify,
    pub(crate) terminate: Option<Step>,
    pub(crate) probe: Option<Step>,
}

/// One request and what follows from its answer.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) request: Request,
    pub(crate) expect: Expect,
    pub(crate) capture: BTreeMap<String, Pick>,
    pub(crate) errors: Vec<Declared>,
    pub(crate) point_of_no_return: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) host: Host,
    pub(crate) path: Template,
    pub(crate) query: Vec<(String, Template)>,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) body: Body,
    pub(crate) follow: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    None,
    Json(Json),
    Form(Vec<(String, Template)>),
}

/// JSON whose strings have slots.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    Fixed(serde_json::Value),
    Text(Template),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What an answer must be; what is empty is not asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expect {
    pub(crate) statuses: Vec<u16>,
    pub(crate) location: Option<String>,
    pub(crate) condition: Option<Condition>,
}

/// An answer that the recipe's author knows the meaning of.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) status: Option<u16>,
    pub(crate) condition: Option<Condition>,
    pub(crate) class: Class,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) message: Option<String>,
}

/// How a fresh login is told from a refused one.
#[derive(Debug, Clone)]
pub(crate) struct Verify {
    /// The steps of a login, the last of which is judged.
    pub(crate) steps: Vec<Step>,
    pub(crate) positive: Expect,
    pub(crate) negative: Expect,
}

/// What came back, as far as a recipe may ask about it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) cookies: BTreeMap<String, SecretString>,
    pub(crate) body: zeroize::Zeroizing<Vec<u8>>,
}

impl Expect {
    pub(crate) fn holds(&self, answer: &Answer) -> bool {
        self.statuses.contains(&answer.status)
            && self.location.as_ref().is_none_or(|path| answer.location.as_ref() == Some(path))
            && self.condition.as_ref().is_none_or(|condition| condition.holds(answer))
    }
}

impl Declared {
    pub(crate) fn matches(&self, answer: &Answer) -> bool {
        self.status.is_none_or(|status| status == answer.status)
            && self.condition.as_ref().is_none_or(|condition| condition.holds(answer))
    }
}

impl Step {
    /// A look at whether anybody answers there.
    pub(crate) fn front_page(host: &Host) -> Self {
        let request = Request {
            method: Method::GET,
            host: host.clone(),
            path: Template::fixed("/"),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            follow: false,
        };
        let expect = Expect::default();
        Self {
            name: "front page".to_owned(),
            request,
            expect,
            capture: BTreeMap::new(),
            errors: Vec::new(),
            point_of_no_return: false,
        }
    }

    /// Every slot of the step.
    pub(crate) fn slots(&self) -> Vec<&Slot> {
        let request = &self.request;
        let mut slots: Vec<&Slot> = request.path.slots().collect();
        slots.extend(request.query.iter().flat_map(|(_, template)| template.slots()));
        slots.extend(request.headers.iter().flat_map(|(_, template)| template.slots()));
        match &request.body {
            Body::None => {}
            Body::Json(json) => json.slots(&mut slots),
            Body::Form(fields) => slots.extend(fields.iter().flat_map(|(_, template)| template.slots())),
        }
        slots
    }

    pub(crate) fn uses(&self, slot: &Slot) -> bool {
        self.slots().contains(&slot)
    }
}

impl Json {
    fn slots<'a>(&'a self, into: &mut Vec<&'a Slot>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => into.extend(template.slots()),
            Self::List(items) => items.iter().for_each(|item| item.slots(into)),
            Self::Object(fields) => fields.iter().for_each(|(_, field)| field.slots(into)),
        }
    }
}

impl Recipe {
    /// Whether the change needs no password of the account itself.
    pub(crate) fn by_admin(&self) -> bool {
        self.steps.iter().any(|step| step.uses(&Slot::Admin))
            && !self.steps.iter().any(|step| step.uses(&Slot::Current))
    }

    /// Whether sessions can be ended at any time; else only from within the session that made the change.
    pub(crate) fn ends_sessions_alone(&self) -> bool {
        self.terminate.as_ref().is_some_and(|step| {
            step.uses(&Slot::Admin)
                && step.slots().iter().all(|slot| matches!(slot, Slot::Admin | Slot::Username))
        })
    }
}
