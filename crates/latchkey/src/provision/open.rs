//! A job from its file, with its source, its target and what it remembers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use latchkey_cycles::{Job, JobSource, StoredLedger};
use latchkey_jobs::open::{self, OpenError};
use latchkey_kernel::id::{JobId, WorkspaceId};
use latchkey_kernel::{Clock, OsEntropy, SystemClock, Timestamp};
use latchkey_provisioning::jobfile::{self, Directory, JobFile, SecretFrom};
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

    /// What is allowed in the job's file, and probably regretted.
    pub(super) fn warnings(&self) -> Vec<jobfile::Problem> {
        jobfile::check(&self.text).warnings
    }

    /// The source, not yet connected to.
    pub(super) async fn source(&self, store: &Store) -> anyhow::Result<JobSource> {
        let own = match &self.file().source {
            Directory::Embedded { workspace, .. } => {
                Some((store.clone(), whose(store, workspace.as_deref()).await?))
            }
            _ => None,
        };
        let source_dir = self.options.source_dir.clone();
        Ok(open::source(self.file(), &self.host(), source_dir, own)?)
    }

    /// The target, not yet connected to.
    pub(super) fn target(&self) -> anyhow::Result<Client> {
        let token = self.options.target_token_file.as_deref().map(read_secret).transpose()?;
        let credential = token.map(Credential::Bearer);
        Ok(open::target(self.file(), &self.host(), self.options.target_url.as_deref(), credential)?)
    }

    fn host(&self) -> Host<'_> {
        Host { job_file: &self.options.file }
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
            graph_schema: None,
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

    /// Whether somebody performs the job now.
    pub(super) fn is_running(&self, store: &Store, row: &JobRow) -> bool {
        let leased = row.leased_until.is_some_and(|until| until > SystemClock.now());
        // One that was killed leaves its lease behind, and no lock.
        leased && (!store.has_one_server() || self.lock(row.id).is_err())
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
    /// Gives the job free for others, whatever came of it.
    pub(super) async fn end<T>(self, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
        self.renewal.abort();
        let freed = self.store.provisioning_job_free(self.held).await;
        let closed = self.store.close().await;
        let value = outcome?;
        freed?;
        closed?;
        Ok(value)
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

/// The workspace whose own directory a job file reads.
async fn whose(store: &Store, name: Option<&str>) -> anyhow::Result<WorkspaceId> {
    let mut all = store.workspace_list().await?;
    if let Some(name) = name {
        let found = all.into_iter().find(|workspace| workspace.name == name);
        return Ok(found
            .with_context(|| {
                format!("there is no workspace {name:?}, which [source] names; `latchkey admin workspace list` shows them")
            })?
            .id);
    }
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only.id),
        (None, _) => bail!(
            "Latchkey's own directory is a workspace's, and there is none; make one with `latchkey admin workspace create`"
        ),
        (Some(_), false) => {
            bail!("there are several workspaces; name one under [source], as workspace = \"…\"")
        }
    }
}

/// This machine, which a job file names things of.
pub(super) struct Host<'h> {
    pub(super) job_file: &'h Path,
}

impl Host<'_> {
    fn beside(&self, path: &str) -> PathBuf {
        self.job_file.parent().map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
    }
}

impl open::Surroundings for Host<'_> {
    fn secret(&self, from: &SecretFrom) -> Result<SecretString, OpenError> {
        match from {
            SecretFrom::File(path) => {
                read_secret(&self.beside(path)).map_err(|error| OpenError(format!("{error:#}")))
            }
            SecretFrom::Environment(name) => {
                #[expect(clippy::disallowed_methods, reason = "which variable it is, the job file says")]
                let value = std::env::var(name);
                value.ok().filter(|value| !value.is_empty()).map(SecretString::from).ok_or_else(|| {
                    OpenError(format!(
                        "the environment variable {name}, which the job file names for a secret, is not set"
                    ))
                })
            }
            SecretFrom::Kept(name) => {
                Err(OpenError(format!("a job of a file has no secret {name} in a vault")))
            }
        }
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, OpenError> {
        let path = self.beside(path);
        std::fs::read(&path).map_err(|error| OpenError(format!("cannot read {}: {error}", path.display())))
    }

    fn base(&self) -> PathBuf {
        self.job_file.parent().map(Path::to_owned).unwrap_or_default()
    }
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
