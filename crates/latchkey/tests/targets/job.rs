//! The job that newcomers begin with, on a company's CSV files: cycle after cycle of the engine.

use std::path::Path;

use latchkey_cycles::{Cycle, Job, MemoryLedger, Options as CycleOptions, Silent};
use latchkey_directory::{AnySource, Options as SourceOptions};
use latchkey_kernel::{OsEntropy, SystemClock};
use latchkey_provisioning::ObjectMapping;
use latchkey_provisioning::feed::Wanted;
use latchkey_provisioning::jobfile;
use latchkey_provisioning::log::Status;
use latchkey_provisioning::state::CycleOutcome;
use latchkey_scim_client::{Client, Credential, Options};
use secrecy::SecretString;

use crate::company::{Company, group_id, person_id};
use crate::provider::Provider;

const JOB: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/csv-to-scim/provision.toml"));

/// A job under way.
pub(crate) struct Running {
    folder: tempfile::TempDir,
    job: Job,
    client: Client,
    ledger: MemoryLedger,
    logged: usize,
}

impl Running {
    pub(crate) fn new(provider: &Provider) -> Self {
        let job = Job::new(jobfile::parse(JOB).expect("the example is a job"), JOB);
        let options = Options {
            base: provider.url.parse().expect("it is a URL"),
            credential: Credential::Bearer(SecretString::from(provider.token.as_str())),
            dialect: job.file.target.dialect,
            concurrency: usize::try_from(job.file.target.concurrency).expect("it is small"),
            requests_per_second: job.file.target.requests_per_second,
            timeout: job.file.target.timeout,
            authorities: None,
        };
        Self {
            folder: tempfile::tempdir().expect("temporary folders can be made"),
            job,
            client: Client::new(options).expect("no authorities are named"),
            ledger: MemoryLedger::default(),
            logged: 0,
        }
    }

    /// One cycle, of what the company is now. What was refused.
    pub(crate) async fn cycle(&mut self, company: &Company) -> Vec<String> {
        write_files(company, self.folder.path());
        let names = |mapping: Option<&ObjectMapping>| {
            mapping.map(|mapping| mapping.source_attributes().into_iter().map(str::to_owned).collect())
        };
        let file = &self.job.file;
        let source = AnySource::open(SourceOptions {
            directory: file.source.clone(),
            base: self.folder.path().to_owned(),
            source_dir: None,
            wanted: Wanted { users: names(file.users.as_ref()), groups: names(file.groups.as_ref()) },
            sync_all: file.sync_all,
            secret: None,
        });
        let cycle = Cycle {
            job: &self.job,
            source: &source.expect("the files are there"),
            target: &self.client,
            ledger: &self.ledger,
            clock: &SystemClock,
            entropy: &OsEntropy,
            progress: &Silent,
            options: CycleOptions::default(),
        };
        let summary = cycle.run().await.expect("memory does not fail");
        assert!(
            summary.error.is_none() && summary.counts.held == 0 && summary.outcome != CycleOutcome::Failed,
            "{summary:?}"
        );
        let log = self.ledger.log();
        let failures = log[self.logged..].iter().filter(|entry| entry.status == Status::Failure);
        let refusals = failures.map(|entry| format!("{}: {}", entry.label, entry.message)).collect();
        self.logged = log.len();
        refusals
    }
}

/// Writes `people.csv` and `groups.csv` as a company's directory would export them.
pub(crate) fn write_files(company: &Company, folder: &Path) {
    let mut people = vec![
        [
            "id",
            "userPrincipalName",
            "displayName",
            "givenName",
            "surname",
            "mail",
            "jobTitle",
            "department",
            "manager",
            "accountEnabled",
        ]
        .map(str::to_owned),
    ];
    people.extend(company.people.iter().map(|(id, person)| {
        [
            person_id(*id),
            person.login.clone(),
            person.display(),
            person.given.clone(),
            person.surname.clone(),
            person.mail.clone().unwrap_or_default(),
            person.title.clone().unwrap_or_default(),
            person.department.clone(),
            person.manager.map(person_id).unwrap_or_default(),
            person.enabled.to_string(),
        ]
    }));
    let mut groups = vec![["id", "displayName", "members"].map(str::to_owned)];
    groups.extend(company.groups.iter().map(|(id, group)| {
        let members: Vec<String> = group.members.iter().map(|id| person_id(*id)).collect();
        [group_id(*id), group.name.clone(), members.join(";")]
    }));
    write(&folder.join("people.csv"), &people);
    write(&folder.join("groups.csv"), &groups);
}

fn write<const N: usize>(path: &Path, rows: &[[String; N]]) {
    let new = path.with_extension("new");
    let mut writer = csv::Writer::from_path(&new).expect("temporary files can be written");
    rows.iter().for_each(|row| writer.write_record(row).expect("temporary files can be written"));
    writer.flush().expect("temporary files can be written");
    drop(writer);
    std::fs::rename(new, path).expect("temporary files can be renamed");
}
