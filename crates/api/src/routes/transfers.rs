//! Accounts come in out of another password manager's file, and leave in one of ours.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_access::authority::Action;
use latchkey_access::exposure::Client;
use latchkey_engine::exports::{self, ExportFormat};
use latchkey_engine::imports::{self, Fate, Format, Import, Limits, Line, Report, RowError, Unlock};
use latchkey_kernel::id::{AccountId, MemberId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;
use zeroize::Zeroizing;

use super::{problem, word};
use crate::ApiState;
use crate::caller::By;
use crate::endpoint::Endpoint;
use crate::problem::Problem;
use crate::secret_body::{SecretBody, SecretText, answer};

/// A file of the most that is read, in base64, and what is around it.
const FILE_BYTES: usize = 12 << 20;

pub(super) fn endpoints() -> Vec<Endpoint<ApiState>> {
    vec![
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/imports/preview",
            Action::WriteAccounts,
            "What an import would make; nothing is written",
        )
        .takes::<ImportFile>()
        .gives::<ImportReport>(200, "What would be made, what is there already, and what could not be read.")
        .by(preview)
        .with_room(FILE_BYTES),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/imports",
            Action::WriteAccounts,
            "Import accounts with their secrets; run again, it goes on where it ended",
        )
        .takes::<ImportFile>()
        .gives::<ImportReport>(200, "What was made, what was there already, and what could not be read.")
        .by(apply)
        .with_room(FILE_BYTES),
        Endpoint::new(
            HttpMethod::Post,
            "/v1/api/exports",
            Action::UseSecrets,
            "Export the accounts that you own, with their secrets, where the policy lets owners do so",
        )
        .takes::<ExportWish>()
        .gives::<ExportFile<'static>>(200, "The file, as text. Every value in it is on record as exported.")
        .by(export),
    ]
}

/// A file of another password manager.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportFile {
    /// The file in base64; at most 8 MiB of it are read.
    file_base64: SecretText,
    /// Its format; told from its content where it is absent.
    format: Option<String>,
    /// Who becomes the owner of the accounts.
    #[schema(value_type = String)]
    owner_id: MemberId,
    /// The password of a locked file.
    password: Option<SecretText>,
    /// The content of a KeePass key file, in base64.
    key_file_base64: Option<SecretText>,
}

/// What becomes, or became, of a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportReport {
    format: &'static str,
    #[schema(value_type = String)]
    owner_id: MemberId,
    /// The collections that are made, as paths.
    collections: Vec<String>,
    items: Vec<ImportLine>,
    errors: Vec<ImportError>,
}

/// What becomes of one item.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportLine {
    /// Where it stands in the file.
    at: String,
    name: String,
    /// The collection, as a path; empty is none.
    collection: String,
    /// The kinds of its secrets.
    secrets: Vec<&'static str>,
    /// `new`, `made`, `there` or `refused`.
    outcome: &'static str,
    /// The account that was made, or that is there.
    #[schema(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// In what the account that is there is the same: `login` or `name`.
    same: Option<&'static str>,
    /// An earlier item of the file with the same host and login name.
    same_login_as: Option<String>,
}

/// What could not be taken over.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportError {
    /// Where it stands in the file.
    at: String,
    field: String,
    /// What was found; never a value.
    found: String,
    /// What to do.
    advice: &'static str,
    /// `item` or `field`: what is left out.
    lost: &'static str,
}

/// In which form to export.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportWish {
    /// `json` or `csv`.
    format: String,
}

/// A file with secrets in the clear.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportFile<'a> {
    format: &'static str,
    accounts: usize,
    secrets: usize,
    /// Attached files, which no such file can hold.
    left_out: &'a [String],
    content: &'a str,
}

impl From<Line> for ImportLine {
    fn from(line: Line) -> Self {
        let outcome = line.fate.as_str();
        let (account_id, same) = match line.fate {
            Fate::Made(account) => (Some(account), None),
            Fate::There { account, likeness } => (Some(account), Some(likeness.as_str())),
            Fate::New | Fate::Refused => (None, None),
        };
        Self {
            at: line.place.to_string(),
            name: line.name,
            collection: line.collection,
            secrets: line.secrets.iter().map(|kind| kind.as_str()).collect(),
            outcome,
            account_id,
            same,
            same_login_as: line.like.map(|place| place.to_string()),
        }
    }
}

impl From<RowError> for ImportError {
    fn from(error: RowError) -> Self {
        let RowError { place, field, found, advice, lost } = error;
        Self { at: place.to_string(), field, found, advice, lost: lost.as_str() }
    }
}

impl From<Report> for ImportReport {
    fn from(report: Report) -> Self {
        Self {
            format: report.format.as_str(),
            owner_id: report.owner,
            collections: report.collections,
            items: report.lines.into_iter().map(ImportLine::from).collect(),
            errors: report.errors.into_iter().map(ImportError::from).collect(),
        }
    }
}

async fn preview(
    State(state): State<ApiState>,
    By(by): By,
    SecretBody(file): SecretBody<ImportFile>,
) -> Result<Json<ImportReport>, Problem> {
    let (owner, reading) = (file.owner_id, read(file, &by).await?);
    let done = imports::preview(&state.engine, &by, by_api(owner, &reading)).await;
    Ok(Json(done.map_err(problem(&by))?.into()))
}

async fn apply(
    State(state): State<ApiState>,
    By(by): By,
    SecretBody(file): SecretBody<ImportFile>,
) -> Result<Json<ImportReport>, Problem> {
    let (owner, reading) = (file.owner_id, read(file, &by).await?);
    let done = imports::apply(&state.engine, &by, by_api(owner, &reading)).await;
    Ok(Json(done.map_err(problem(&by))?.into()))
}

const fn by_api(owner: MemberId, reading: &imports::Reading) -> Import<'_> {
    Import { reading, owner, client: Client::Api }
}

async fn export(
    State(state): State<ApiState>,
    By(by): By,
    SecretBody(wish): SecretBody<ExportWish>,
) -> Result<Response, Problem> {
    let format = ExportFormat::from_word(&wish.format)
        .ok_or_else(|| Problem::invalid("format must be one of: json, csv".to_owned()))?;
    let owner = by.member_id().ok_or_else(|| Problem::invalid("this token is no member's".to_owned()))?;
    let exported = exports::export(&state.engine, &by, owner, format, Client::Api).await;
    let exported = exported.map_err(problem(&by))?;
    let content = std::str::from_utf8(&exported.content)
        .map_err(|_| Problem::invalid("a stored text is no text".to_owned()))?;
    let view = ExportFile {
        format: if format == ExportFormat::Csv { "csv" } else { "json" },
        accounts: exported.accounts,
        secrets: exported.secrets,
        left_out: &exported.left_out,
        content,
    };
    Ok(answer(&view, content.len()))
}

async fn read(file: ImportFile, by: &latchkey_engine::Caller) -> Result<imports::Reading, Problem> {
    // What the caller may not write, it need not have unpacked.
    by.may(Action::WriteSecrets).map_err(|refusal| problem(by)(refusal.into()))?;
    let all = || Format::ALL.iter().map(|format| format.as_str());
    let format = word("format", file.format.as_deref(), |text| text.parse().ok(), all())?;
    let unlock = Unlock {
        password: file.password.map(|SecretText(text)| SecretString::from(text.as_str())),
        key_file: file.key_file_base64.map(|text| decoded("key_file_base64", text)).transpose()?,
    };
    let bytes = decoded("file_base64", file.file_base64)?;
    imports::read(bytes, format, unlock, Limits::serving()).await.map_err(problem(by))
}

fn decoded(field: &str, SecretText(text): SecretText) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let decoded = STANDARD.decode(text.as_bytes()).map(Zeroizing::new);
    decoded.map_err(|_| Problem::invalid(format!("`{field}` is no base64")))
}
