//! Source and target of a job, as its definition describes them. Nothing is connected to yet.

use std::path::PathBuf;

use latchkey_cycles::{Embedded, JobSource};
use latchkey_directory::AnySource;
use latchkey_engine::jobs::Secrets;
use latchkey_kernel::id::WorkspaceId;
use latchkey_provisioning::jobfile::{self, Directory, JobFile, SecretFrom};
use latchkey_scim_client::{Client, Credential, Options};
use latchkey_store::Store;
use secrecy::SecretString;

/// Why a source or a target could not be opened: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);

/// Where what a definition only names is found.
pub trait Surroundings {
    /// A secret.
    ///
    /// # Errors
    /// When it is not there.
    fn secret(&self, from: &SecretFrom) -> Result<SecretString, OpenError>;

    /// A file that the definition names.
    ///
    /// # Errors
    /// When it cannot be read.
    fn file(&self, path: &str) -> Result<Vec<u8>, OpenError>;

    /// The folder in which relative paths begin.
    fn base(&self) -> PathBuf;
}

/// A job of a workspace: its secrets are kept with it, and it names no files.
#[derive(Debug)]
pub struct Kept<'s>(pub &'s Secrets);

impl Surroundings for Kept<'_> {
    fn secret(&self, from: &SecretFrom) -> Result<SecretString, OpenError> {
        match from {
            SecretFrom::Kept(name) => self.0.get(*name).cloned().ok_or_else(|| {
                OpenError(format!("the job's secret {name} is not set; put it under /secrets"))
            }),
            SecretFrom::File(_) | SecretFrom::Environment(_) => {
                Err(OpenError("a job of a workspace keeps its secrets in the vault".to_owned()))
            }
        }
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, OpenError> {
        Err(OpenError(format!("a job of a workspace reads no files of the server, such as {path}")))
    }

    fn base(&self) -> PathBuf {
        PathBuf::new()
    }
}

/// The target. What is given here stands in the place of what the definition says.
///
/// # Errors
/// What is missing or wrong.
pub fn target(
    file: &JobFile,
    around: &impl Surroundings,
    url: Option<&str>,
    credential: Option<Credential>,
) -> Result<Client, OpenError> {
    let config = &file.target;
    let base = url.or(config.url.as_deref()).ok_or_else(|| {
        OpenError("where the target is, neither --target-url nor url under [target] says".to_owned())
    })?;
    let of_url = |what: &str, text: &str| {
        text.parse().map_err(|error| OpenError(format!("the target's {what} {text:?} is none: {error}")))
    };
    let credential = match (credential, &config.credential) {
        (Some(given), _) => given,
        (None, Some(jobfile::Credential::Bearer(from))) => Credential::Bearer(around.secret(from)?),
        (
            None,
            Some(jobfile::Credential::ClientCredentials { token_url, client_id, client_secret, scope }),
        ) => Credential::ClientCredentials {
            token_url: of_url("token URL", token_url)?,
            client_id: client_id.clone(),
            client_secret: around.secret(client_secret)?,
            scope: scope.clone(),
        },
        (None, None) => {
            return Err(OpenError(
                "what the target is shown, neither --target-token-file nor token_file or token_env under [target] says"
                    .to_owned(),
            ));
        }
    };
    let authorities = config.ca_file.as_deref().map(|path| around.file(path)).transpose()?;
    Client::new(Options {
        base: of_url("URL", base)?,
        credential,
        dialect: config.dialect,
        concurrency: usize::try_from(config.concurrency).unwrap_or(8),
        requests_per_second: config.requests_per_second,
        timeout: config.timeout,
        authorities,
    })
    .map_err(|error| OpenError(error.to_string()))
}

/// The source. `own` is the store and the workspace whose own directory is read, where it is one.
///
/// # Errors
/// What is missing or wrong.
pub fn source(
    file: &JobFile,
    around: &impl Surroundings,
    source_dir: Option<PathBuf>,
    own: Option<(Store, WorkspaceId)>,
) -> Result<JobSource, OpenError> {
    if let Directory::Embedded { application, .. } = &file.source {
        let (store, workspace) =
            own.ok_or_else(|| OpenError("Latchkey's own directory cannot be read here".to_owned()))?;
        let source = Embedded::new(store, workspace, application.clone(), &file.wanted());
        return Ok(JobSource::Embedded(source));
    }
    let secret = file.source.secret().map(|from| around.secret(from)).transpose()?;
    let source = AnySource::open(latchkey_directory::Options {
        directory: file.source.clone(),
        base: around.base(),
        source_dir,
        wanted: file.wanted(),
        sync_all: file.sync_all,
        secret,
    });
    source.map(|source| JobSource::Elsewhere(Box::new(source))).map_err(|error| OpenError(error.to_string()))
}
