//! The job that newcomers begin with, on a company's CSV files, by the command line.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::company::{Company, group_id, person_id};
use crate::provider::Provider;

const JOB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/csv-to-scim/provision.toml");

/// A job under way: its source's files, what it remembers, and the target's token.
pub(crate) struct Running {
    folder: tempfile::TempDir,
    url: String,
}

/// What a cycle came to.
pub(crate) struct Outcome {
    /// What the target refused, in words.
    pub(crate) refusals: Vec<String>,
    /// Whether all is in step, by the exit code.
    pub(crate) in_step: bool,
}

impl Running {
    pub(crate) fn new(provider: &Provider) -> Self {
        let folder = tempfile::tempdir().expect("temporary folders can be made");
        std::fs::write(folder.path().join("token.txt"), format!("{}\n", provider.token))
            .expect("temporary files can be written");
        Self { folder, url: provider.url.clone() }
    }

    /// One cycle, of what the company is now.
    pub(crate) async fn cycle(&self, company: &Company) -> Outcome {
        let path = |name: &str| self.folder.path().join(name);
        write_files(company, self.folder.path());
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.args(["provision", "run", JOB, "--json", "--target-url", &self.url]);
        command.arg("--target-token-file").arg(path("token.txt"));
        command.arg("--source-dir").arg(self.folder.path()).arg("--data").arg(path("data"));
        command.env_remove("DATABASE_URL");
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.expect("it ends").expect("it can be started");
        let text = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<Json> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let finished = lines.last().filter(|line| line["event"] == "finished");
        let code = output.status.code();
        assert!(
            finished.is_some_and(|line| line["exit"] == code.unwrap_or(-1)) && matches!(code, Some(0 | 2)),
            "{:?}\n{}\n{}",
            output.status,
            lines.last().unwrap_or(&Json::Null),
            String::from_utf8_lossy(&output.stderr)
        );
        let failed = lines.iter().filter(|line| line["event"] == "object" && line["status"] == "failure");
        let refusals = failed.map(|line| format!("{}: {}", line["object"], line["message"])).collect();
        Outcome { refusals, in_step: code == Some(0) }
    }
}

/// Writes `people.csv` and `groups.csv` as a company's directory would export them.
fn write_files(company: &Company, folder: &Path) {
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
