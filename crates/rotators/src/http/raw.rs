//! A recipe as it is written, before any rule was looked at.

use std::collections::BTreeMap;

use latchkey_rotation::Outcome;
use serde::Deserialize;
use serde_json::Value;

use crate::recipe::Head;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDocument {
    pub(super) recipe: Head,
    pub(super) step: Vec<RawStep>,
    pub(super) verify: RawVerify,
    pub(super) terminate: Option<RawStep>,
    pub(super) probe: Option<RawStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    pub(super) name: Option<String>,
    pub(super) request: RawRequest,
    pub(super) expect: Option<RawExpect>,
    #[serde(default)]
    pub(super) capture: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) errors: Vec<RawDeclared>,
    #[serde(default)]
    pub(super) point_of_no_return: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRequest {
    pub(super) method: String,
    pub(super) host: Option<String>,
    pub(super) path: String,
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) json: Option<Value>,
    pub(super) form: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) follow: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExpect {
    pub(super) status: Statuses,
    pub(super) location: Option<String>,
    pub(super) r#match: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDeclared {
    pub(super) status: Option<u16>,
    pub(super) r#match: Option<String>,
    pub(super) class: String,
    pub(super) outcome: Option<Outcome>,
    pub(super) message: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVerify {
    pub(super) positive: RawJudged,
    pub(super) negative: RawJudged,
    #[serde(default)]
    pub(super) step: Vec<RawStep>,
}

/// `login with secret.staged -> 200|303`, or a table where more than the status tells.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RawJudged {
    Sentence(String),
    Table { step: String, expect: RawExpect },
}
