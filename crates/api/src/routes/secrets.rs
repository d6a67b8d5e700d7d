//! Secrets of accounts: stored, shown, replaced. What a caller may is judged by their grants on the
//! account; every value that leaves is on record before it does.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_access::authority::Action;
use latchkey_access::disclosure::Act;
use latchkey_access::exposure::{Client, ExposureKind};
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_engine::secrets::{self as services, NewSecret, SecretView as Stored, Value};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, SecretId};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;
use zeroize::Zeroizing;

use super::{Answer, problem};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Id, Ids};
use crate::problem::Problem;
use crate::secret_body::{SecretBody, SecretText, answer};

/// A file of 1 MiB in base64, and what is around it.
const VALUE_BYTES: usize = 1_536 * 1_024;

const ALL: &str = "/v1/api/accounts/{id}/secrets";
const ONE: &str = "/v1/api/accounts/{id}/secrets/{secret}";

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    let mut all = vec![
        Endpoint::new(HttpMethod::Get, ALL, Action::UseSecrets, "The secrets of an account, without values")
            .gives::<SecretList>(200, "The secrets.")
            .by(list),
        Endpoint::new(HttpMethod::Post, ALL, Action::WriteSecrets, "Add a secret to an account")
            .takes::<SecretDraft>()
            .gives::<SecretView>(201, "The secret, without its value.")
            .by(add)
            .with_room(VALUE_BYTES),
        Endpoint::new(HttpMethod::Get, ONE, Action::UseSecrets, "A secret and its history, without values")
            .gives::<SecretView>(200, "The secret.")
            .by(history),
        Endpoint::new(
            HttpMethod::Delete,
            ONE,
            Action::WriteSecrets,
            "Remove a secret with all its versions, for good",
        )
        .gives_nothing()
        .by(remove),
        Endpoint::new(
            HttpMethod::Put,
            "/v1/api/accounts/{id}/secrets/{secret}/value",
            Action::WriteSecrets,
            "Give a secret a new value, which counts at once",
        )
        .takes::<NewValue>()
        .gives::<VersionNumber>(200, "The number of the new version.")
        .by(set)
        .with_room(VALUE_BYTES),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/accounts/{id}/secrets/{secret}/restore",
            Action::WriteSecrets,
            "Bring an earlier value back as a new version",
        )
        .takes::<VersionNumber>()
        .gives::<VersionNumber>(200, "The number of the new version.")
        .by(restore),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/accounts/{id}/secrets/{secret}/totp-code",
            Action::UseSecrets,
            "The present one-time code, computed here; the seed stays",
        )
        .gives::<CodeView<'static>>(200, "The code and how long it holds.")
        .by(totp_code),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/accounts/{id}/secrets/{secret}/recovery-code",
            Action::UseSecrets,
            "Take one recovery code, which is used by that",
        )
        .takes::<WishedCode>()
        .gives::<RecoveryCodeView<'static>>(200, "The code.")
        .by(burn),
    ];
    all.extend(disclosures());
    all
}

/// Each way in which a value leaves is an address of its own, so that logs tell them apart.
fn disclosures() -> Vec<Endpoint<ApiState>> {
    let one = |path, summary| {
        Endpoint::new(HttpMethod::Post, path, Action::UseSecrets, summary)
            .takes::<Which>()
            .gives::<ValueView<'static>>(200, "The value.")
    };
    vec![
        one("/v1/api/accounts/{id}/secrets/{secret}/reveal", "Show a value to a person").by(reveal),
        one("/v1/api/accounts/{id}/secrets/{secret}/copy", "Copy a value to a person's clipboard").by(copy),
        one("/v1/api/accounts/{id}/secrets/{secret}/fill", "Fill a value into a form").by(fill),
        one("/v1/api/accounts/{id}/secrets/{secret}/read", "Read a value into a program").by(read),
        one("/v1/api/accounts/{id}/secrets/{secret}/export", "Take a value along in an export").by(export),
        one(
            "/v1/api/accounts/{id}/secrets/{secret}/hand-out",
            "Show the value that is to be set by hand at the system that it opens",
        )
        .by(hand_out),
    ]
}

/// The secrets of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretList {
    items: Vec<SecretView>,
}

/// A secret without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretView {
    #[schema(value_type = String)]
    id: SecretId,
    /// `password`, `totp`, `recovery_codes`, `ssh_key`, `note`, `api_key` or `attachment`.
    #[schema(value_type = String)]
    kind: SecretKind,
    label: String,
    #[schema(value_type = String)]
    created_at: Timestamp,
    created_by: String,
    /// Newest first.
    versions: Vec<VersionView>,
    /// Numbers of the recovery codes of the current version that were used, from 0.
    used_codes: Vec<i64>,
}

/// A version of a secret without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    version: i64,
    /// `pending`, `current`, `previous` or `retired`.
    #[schema(value_type = String)]
    state: VersionState,
    #[schema(value_type = String)]
    created_at: Timestamp,
    created_by: String,
    /// When it was proven at the system that it opens.
    #[schema(value_type = Option<String>)]
    verified_at: Option<Timestamp>,
    /// When it stopped being the one in use.
    #[schema(value_type = Option<String>)]
    retired_at: Option<Timestamp>,
}

/// A secret to be added; one of `value` and `value_base64`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretDraft {
    #[schema(value_type = String)]
    kind: SecretKind,
    /// What people call it; the file's name for an attachment. The kind if absent.
    label: Option<String>,
    /// Text; recovery codes one a line; a TOTP seed in base32 or as an `otpauth` address.
    value: Option<SecretText>,
    /// A file, or any bytes.
    value_base64: Option<SecretText>,
}

/// A new value; one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewValue {
    value: Option<SecretText>,
    value_base64: Option<SecretText>,
}

/// A version.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionNumber {
    version: i64,
}

/// Which version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// An earlier one, for who may change the account; the current one if absent.
    version: Option<i64>,
}

/// A value; `value` when it is text, else `value_base64`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ValueView<'a> {
    #[schema(value_type = String)]
    kind: SecretKind,
    label: &'a str,
    version: i64,
    value: Option<&'a str>,
    value_base64: Option<&'a str>,
}

/// A one-time code.
#[derive(Serialize, ToSchema)]
pub(crate) struct CodeView<'a> {
    code: &'a str,
    /// For how many seconds it still holds.
    seconds_left: u32,
}

/// Which recovery code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WishedCode {
    /// From 0; the first that is left if absent.
    number: Option<usize>,
}

/// A recovery code, which is used now.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodeView<'a> {
    number: usize,
    code: &'a str,
    /// How many are left.
    left: usize,
}

async fn list(State(state): State<ApiState>, By(by): By, Id(id): Id<AccountId>) -> Answer<SecretList> {
    let all = services::list(&state.engine, &by, id).await.map_err(problem(&by))?;
    Ok(Json(SecretList { items: all.into_iter().map(SecretView::from).collect() }))
}

async fn add(
    State(state): State<ApiState>,
    By(by): By,
    Id(id): Id<AccountId>,
    SecretBody(draft): SecretBody<SecretDraft>,
) -> Result<(StatusCode, Json<SecretView>), Problem> {
    let new = NewSecret {
        kind: draft.kind,
        label: draft.label.unwrap_or_else(|| draft.kind.to_string()),
        value: value(draft.value, draft.value_base64)?,
        known_by: ExposureKind::Creator,
    };
    let added = services::add(&state.engine, &by, id, &new, Client::Api).await.map_err(problem(&by))?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

async fn history(
    State(state): State<ApiState>,
    By(by): By,
    Ids(account, secret): Ids<AccountId, SecretId>,
) -> Answer<SecretView> {
    let view = services::history(&state.engine, &by, account, secret).await.map_err(problem(&by))?;
    Ok(Json(view.into()))
}

async fn remove(
    State(state): State<ApiState>,
    By(by): By,
    Ids(account, secret): Ids<AccountId, SecretId>,
) -> Result<StatusCode, Problem> {
    services::remove(&state.engine, &by, (account, secret)).await.map_err(problem(&by))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set(
    State(state): State<ApiState>,
    By(by): By,
    Ids(account, secret): Ids<AccountId, SecretId>,
    SecretBody(new): SecretBody<NewValue>,
) -> Answer<VersionNumber> {
    let value = value(new.value, new.value_base64)?;
    let set = services::set(&state.engine, &by, (account, secret), &value, Client::Api).await;
    Ok(Json(VersionNumber { version: set.map_err(problem(&by))? }))
}

async fn restore(
    State(state): State<ApiState>,
    By(by): By,
    Ids(account, secret): Ids<AccountId, SecretId>,
    Body(from): Body<VersionNumber>,
) -> Answer<VersionNumber> {
    let place = (account, secret);
    let restored = services::restore(&state.engine, &by, place, from.version, Client::Api).await;
    Ok(Json(VersionNumber { version: restored.map_err(problem(&by))? }))
}

async fn totp_code(
    State(state): State<ApiState>,
    By(by): By,
    Ids(account, secret): Ids<AccountId, SecretId>,
) -> Result<Response, Problem> {
    let given = services::totp_code(&state.engine, &by, (account, secret), Client::Api).await;
    let given = given.map_err(problem(&by))?;
    let view = CodeView { code: given.code.expose_secret(), seconds_left: given.seconds_left };
    Ok(answer(&view, view.code.len()))
}

async fn burn(
    State(state): State<ApiState>,
    By(by): By,
    Ids(account, secret): Ids<AccountId, SecretId>,
    Body(wished): Body<WishedCode>,
) -> Result<Response, Problem> {
    let place = (account, secret);
    let given = services::burn(&state.engine, &by, place, wished.number, Client::Api).await;
    let given = given.map_err(problem(&by))?;
    let code = given.code.expose_secret();
    Ok(answer(&RecoveryCodeView { number: given.number, code, left: given.left }, code.len()))
}

/// One handler for each way in which a value leaves.
macro_rules! disclosing {
    ($($name:ident = $act:expr),* $(,)?) => {$(
        async fn $name(
            State(state): State<ApiState>,
            By(by): By,
            Ids(account, secret): Ids<AccountId, SecretId>,
            Body(which): Body<Which>,
        ) -> Result<Response, Problem> {
            disclose(&state, &by, (account, secret), $act, which).await
        }
    )*};
}

disclosing! {
    reveal = Act::Reveal,
    copy = Act::Copy,
    fill = Act::Fill,
    read = Act::ApiRead,
    export = Act::Export,
    hand_out = Act::Rotate,
}

async fn disclose(
    state: &ApiState,
    by: &latchkey_engine::Caller,
    place: (AccountId, SecretId),
    act: Act,
    which: Which,
) -> Result<Response, Problem> {
    let shown = services::disclose(&state.engine, by, place, act, which.version, Client::Api).await;
    let shown = shown.map_err(problem(by))?;
    let bytes = shown.value.expose_bytes();
    let text = if shown.kind == SecretKind::Attachment { None } else { shown.value.expose_text() };
    let encoded = Zeroizing::new(if text.is_none() { STANDARD.encode(bytes) } else { String::new() });
    let view = ValueView {
        kind: shown.kind,
        label: &shown.label,
        version: shown.version,
        value: text,
        value_base64: text.is_none().then_some(encoded.as_str()),
    };
    Ok(answer(&view, bytes.len() + shown.label.len()))
}

/// The value of a body, which gives it in one of two ways.
fn value(text: Option<SecretText>, base64: Option<SecretText>) -> Result<Value, Problem> {
    let bytes = match (text, base64) {
        (Some(SecretText(mut text)), None) => Zeroizing::new(std::mem::take(&mut *text).into_bytes()),
        (None, Some(SecretText(text))) => {
            let decoded = STANDARD.decode(text.as_bytes()).map_err(|_| {
                Problem::invalid("value_base64 must be base64 with the standard alphabet and padding")
            })?;
            Zeroizing::new(decoded)
        }
        _ => return Err(Problem::invalid("give the value, either as `value` or as `value_base64`")),
    };
    Ok(Value::from_bytes(bytes))
}

impl From<Stored> for SecretView {
    fn from(stored: Stored) -> Self {
        let Stored { secret, versions, burned } = stored;
        let current = versions.iter().find(|one| one.state == VersionState::Current).map(|one| one.version);
        let used = burned.iter().filter(|code| Some(code.version) == current).map(|code| code.number);
        let view = |version: latchkey_access::SecretVersion| VersionView {
            version: version.version,
            state: version.state,
            created_at: version.created_at,
            created_by: version.created_by,
            verified_at: version.verified_at,
            retired_at: version.retired_at,
        };
        Self {
            id: secret.id,
            kind: secret.kind,
            label: secret.label,
            created_at: secret.created_at,
            created_by: secret.created_by,
            used_codes: used.collect(),
            versions: versions.into_iter().rev().map(view).collect(),
        }
    }
}
