//! A job from its file, with its source, its target and what it remembers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use latchkey_cycles::{Job, StoredLedger};
use latchkey_directory::AnySource;
use latchkey_kernel::id::{JobId, WorkspaceId};
use latchkey_kernel::{Clock, OsEntropy, SystemClock, Timestamp};
use latchkey_provisioning::jobfile::{self, JobFile, SecretFrom};
use latchkey_provisioning::state::{JobState, JobStatus};
use latchkey_scim_client::{Client, Credential};
use latchkey_store::provisioning::Held;
use latchkey_store::provisioning::job::JobRow;
use latchkey_store::{Options as StoreOptions, Store};
use secrecy::SecretString;
use tokio::task::JoinHandle;

use super::options;
use crate::wire;

/// For so long a job belongs to whoever took it last; renewed well before.
const LEASE: Duration = Duration::from_secs(15);
const RENEWED: Duration = Duration::from_secs(5);

/// A job of a file, read and checked.
pub(super) struct Opened {
    pub(super) job: Job,
    text: String,
    options: options::Job,
}

/// A job that nobody else performs.
pub(super) struct Taken {
    pub(super) row: JobRow,
    pub(super) ledger: StoredLedger,
    store: Store,
    held: Held,
    renewal: JoinHandle<()>,
    /// Ends with the process, however that ends.
    _lock: Option<File>,
}

impl Opened {
    /// Reads the job's file.
    pub(super) fn read(options: options::Job) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(&options.file)
            .with_context(|| format!("cannot read the job file {}", options.file.display()))?;
        let file = parse(&options.file, &text)?;
        Ok(Self { job: Job::new(file, &text), text, options })
    }

    pub(super) fn file(&self) -> &JobFile {
        &self.job.file
    }

    /// The source, not yet connected to.
    pub(super) fn source(&self) -> anyhow::Result<AnySource> {
        open_source(self.file(), &self.options.file, self.options.source_dir.clone())
    }

    /// The target, not yet connected to.
    pub(super) fn target(&self) -> anyhow::Result<Client> {
        let config = &self.file().target;
        let Some(base) = self.options.target_url.as_ref().or(config.url.as_ref()) else {
            bail!("where the target is, neither --target-url nor url under [target] says");
        };
        let base = base.parse().with_context(|| format!("the target's URL {base:?} is none"))?;
        let credential = match (&self.options.target_token_file, &config.credential) {
            (Some(path), _) => Credential::Bearer(read_secret(path)?),
            (None, Some(jobfile::Credential::Bearer(from))) => Credential::Bearer(self.resolve(from)?),
            (
                None,
                Some(jobfile::Credential::ClientCredentials { token_url, client_id, client_secret, scope }),
            ) => Credential::ClientCredentials {
                token_url: token_url.parse().with_context(|| format!("token_url {token_url:?} is no URL"))?,
                client_id: client_id.clone(),
                client_secret: self.resolve(client_secret)?,
                scope: scope.clone(),
            },
            (None, None) => bail!(
                "what the target is shown, neither --target-token-file nor token_file or token_env under [target] says"
            ),
        };
        let authorities = config.ca_file.as_ref().map(|path| {
            let path = beside(&self.options.file, path);
            std::fs::read(&path).with_context(|| format!("cannot read ca_file {}", path.display()))
        });
        Ok(Client::new(latchkey_scim_client::Options {
            base,
            credential,
            dialect: config.dialect,
            concurrency: usize::try_from(config.concurrency).unwrap_or(8),
            requests_per_second: config.requests_per_second,
            timeout: config.timeout,
            authorities: authorities.transpose()?,
        })?)
    }

    fn resolve(&self, from: &SecretFrom) -> anyhow::Result<SecretString> {
        resolve(from, &self.options.file)
    }

    /// Where what jobs of files remember is kept.
    pub(super) async fn store(&self) -> anyhow::Result<Store> {
        let options = StoreOptions { connections: 4, ..StoreOptions::default() };
        match &self.options.database_url {
            Some(url) => Store::connect_postgres(url, options)
                .await
                .context("cannot use the PostgreSQL database of --database-url (DATABASE_URL)"),
            None => {
                wire::make_folder(&self.options.data)?;
                let path = wire::database_path(&self.options.data);
                Store::open_sqlite(path, options)
                    .with_context(|| format!("cannot use the database in {}", self.options.data.display()))
            }
        }
    }

    /// What is remembered of the job, if it ever ran.
    pub(super) async fn row(&self, store: &Store) -> anyhow::Result<Option<JobRow>> {
        Ok(store.provisioning_job_named(workspace(), &self.file().name).await?)
    }

    /// Takes the job, making it if need be, so that nobody else performs it meanwhile.
    pub(super) async fn take(&self, store: &Store) -> anyhow::Result<Taken> {
        let now = SystemClock.now();
        let fresh = JobRow {
            workspace_id: workspace(),
            id: JobId::fresh(now, &OsEntropy),
            name: self.file().name.clone(),
            definition: self.text.clone(),
            state: JobState::default(),
            runs_at: None,
            fence: 0,
            holder: None,
            leased_until: None,
            created_at: now,
            feed_seen: None,
        };
        store.provisioning_job_insert(&fresh).await?;
        let row = self.row(store).await?.context("the job that was just made is not there")?;
        if row.definition != self.text {
            store
                .provisioning_job_define((row.workspace_id, row.id), &row.name, &self.text, row.runs_at)
                .await?;
        }
        // On one machine the system says whether the other still lives; elsewhere its lease does.
        let lock = if store.has_one_server() { Some(self.lock(row.id)?) } else { None };
        let holder = match &lock {
            Some(_) => "this machine".to_owned(),
            None => uuid::Builder::from_random_bytes(random()).into_uuid().to_string(),
        };
        let row = self.wait_for(store, &row, &holder).await?;
        let held = row.held();
        let ledger = StoredLedger::new(store.clone(), held);
        let renewal = tokio::spawn(renew(store.clone(), held));
        Ok(Taken { row, ledger, store: store.clone(), held, renewal, _lock: lock })
    }

    fn lock(&self, id: JobId) -> anyhow::Result<File> {
        let path = self.options.data.join(format!("job-{id}.lock"));
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => bail!(
                "the job {:?} is being performed by another process on this data folder; wait until it ends, or stop it",
                self.file().name
            ),
            Err(std::fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    async fn wait_for(&self, store: &Store, row: &JobRow, holder: &str) -> anyhow::Result<JobRow> {
        let begun = tokio::time::Instant::now();
        loop {
            let now = SystemClock.now();
            let taken =
                store.provisioning_job_take((row.workspace_id, row.id), now, now.plus(LEASE), holder).await?;
            if let Some(row) = taken {
                return Ok(row);
            }
            if begun.elapsed() > LEASE * 2 {
                bail!(
                    "the job {:?} is being performed by another node; wait until it ends, or stop it",
                    self.file().name
                );
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

impl Taken {
    /// Gives the job free for others.
    pub(super) async fn free(self) -> anyhow::Result<()> {
        self.renewal.abort();
        self.store.provisioning_job_free(self.held).await?;
        self.store.close().await?;
        Ok(())
    }

    /// The job and the store that it is in.
    pub(super) const fn key(&self) -> (WorkspaceId, JobId) {
        (self.held.workspace_id, self.held.job_id)
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }
}

async fn renew(store: Store, held: Held) {
    loop {
        tokio::time::sleep(RENEWED).await;
        let until = SystemClock.now().plus(LEASE);
        if let Ok(false) = store.provisioning_job_renew(held, until).await {
            // Somebody else has it: the next write says so.
            return;
        }
    }
}

/// Jobs that are performed from files belong to no tenant.
pub(super) fn workspace() -> WorkspaceId {
    WorkspaceId::from_uuid(uuid::Uuid::nil())
}

/// Whether a job runs by itself, in a person's words.
pub(super) fn standing(state: &JobState, now: Timestamp) -> String {
    match (&state.quarantine, state.status) {
        (_, JobStatus::Paused) => "paused".to_owned(),
        (_, JobStatus::Disabled) => {
            "disabled after 28 days in quarantine; start it when it is mended".to_owned()
        }
        (Some(quarantine), _) => {
            format!("in quarantine for {}: {}", told(now.since(quarantine.series_began)), quarantine.message)
        }
        (None, JobStatus::Active) if state.last.is_none() => "it has not run yet".to_owned(),
        (None, JobStatus::Active) => "active".to_owned(),
    }
}

/// A time as people say it.
pub(super) fn told(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

pub(super) fn parse(path: &Path, text: &str) -> anyhow::Result<JobFile> {
    jobfile::parse(text).map_err(|problems| {
        let lines: Vec<String> =
            problems.iter().map(|problem| format!("{}: {problem}", path.display())).collect();
        anyhow::anyhow!("the job file cannot be used:\n{}", lines.join("\n"))
    })
}

pub(super) fn open_source(
    file: &JobFile,
    path: &Path,
    source_dir: Option<PathBuf>,
) -> anyhow::Result<AnySource> {
    let secret = file.source.secret().map(|from| resolve(from, path)).transpose()?;
    let base = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(AnySource::open(latchkey_directory::Options {
        directory: file.source.clone(),
        base,
        source_dir,
        wanted: file.wanted(),
        sync_all: file.sync_all,
        secret,
    })?)
}

fn resolve(from: &SecretFrom, job_file: &Path) -> anyhow::Result<SecretString> {
    match from {
        SecretFrom::File(path) => read_secret(&beside(job_file, path)),
        SecretFrom::Environment(name) => {
            #[expect(clippy::disallowed_methods, reason = "which variable it is, the job file says")]
            let value = std::env::var(name);
            let value = value.ok().filter(|value| !value.is_empty());
            value.map(SecretString::from).with_context(|| {
                format!("the environment variable {name}, which the job file names for a secret, is not set")
            })
        }
    }
}

fn beside(job_file: &Path, path: &str) -> PathBuf {
    job_file.parent().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
}

fn read_secret(path: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the secret in {}", path.display()))?;
    let text = zeroize::Zeroizing::new(text);
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        bail!("the file {} holds no secret: it is empty", path.display());
    }
    Ok(SecretString::from(secret.to_owned()))
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    latchkey_kernel::Entropy::fill_public(&OsEntropy, &mut bytes);
    bytes
}
