//! A job in a folder of its own, and the workspace that it writes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use latchkey_daemons::Daemon;
use latchkey_testkit::postgres::Database;
use latchkey_testkit::{Client, Db, Server, Workspace};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::company::Company;

/// The folder of a job, its target, and where it remembers.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
    pub(crate) workspace: Workspace,
    /// Where the job remembers, unless it is the folder.
    database: Option<Database>,
}

/// Whom the target has, by login: whether active, and the title.
pub(crate) type People = BTreeMap<String, (bool, String)>;

const JOB: &str = r#"[job]
name = "Staff"
deletion_limit = 3

[source]
kind = "csv"
users = "people.csv"
groups = "groups.csv"

[target]
url = "URL"
token_file = "token.txt"

[users]
mappings = "latchkey"
mapping = [
    { target = "title", source = "jobTitle" },
    { target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", reference = "manager" },
]

[groups]
"#;

impl Place {
    /// With these people in the files; the job remembers in its folder.
    pub(crate) async fn with(company: &Company) -> Self {
        Self::new(company, None).await
    }

    /// As [`Place::with`], and the job remembers in a PostgreSQL database.
    pub(crate) async fn on_postgres(company: &Company) -> Self {
        Self::new(company, Some(Database::create().await)).await
    }

    async fn new(company: &Company, database: Option<Database>) -> Self {
        let server = Server::start(Db::Sqlite, env!("CARGO_BIN_EXE_latchkey")).await;
        let workspace = server.workspace("Corp").await;
        let folder = tempfile::tempdir().expect("temporary folders can be made");
        let place = Self { folder, server, workspace, database };
        company.write(place.folder.path());
        place.write("token.txt", &format!("{}\n", place.workspace.scim_token));
        place.write("provision.toml", &JOB.replace("URL", &place.workspace.scim_url()));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("temporary files can be written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Changes the job file.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = self.read("provision.toml");
        assert!(text.contains(from), "{from}");
        self.write("provision.toml", &text.replacen(from, to, 1));
    }

    /// `latchkey provision …`, in the job's folder and with nothing of the developer's own settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"LATCHKEY_") {
                command.env_remove(name);
            }
        }
        command.env_remove("DATABASE_URL").current_dir(self.folder.path());
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database.url());
        }
        command.arg("provision").args(args);
        command
    }

    /// Runs `latchkey provision ARGS…` to its end.
    pub(crate) async fn say(&self, args: &[&str]) -> Said {
        let mut command = self.command(args);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it does not panic");
        let output = output.expect("the program can be started");
        Said {
            what: args.join(" "),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `latchkey provision COMMAND provision.toml ARGS… --json`.
    pub(crate) async fn json(&self, command: &str, args: &[&str]) -> Said {
        let mut all = vec![command, "provision.toml", "--json"];
        all.extend(args);
        self.say(&all).await
    }

    /// A cycle of these people, which has to end with this code.
    pub(crate) async fn cycle(&self, company: &Company, code: i32) -> Said {
        company.write(self.folder.path());
        let said = self.json("run", &[]).await;
        said.ends(code);
        said
    }

    /// Starts it in the background.
    pub(crate) fn start(&self, args: &[&str]) -> Daemon {
        Daemon::start("latchkey provision", &mut self.command(args), None).expect("it can be started")
    }

    pub(crate) fn scim(&self) -> Client {
        self.workspace.scim()
    }

    /// Everybody at the target but the workspace's owner.
    pub(crate) async fn people(&self) -> People {
        let all = self.all("/Users").await;
        let count = all.len();
        let people: People = all
            .iter()
            .map(|one| {
                let title = one["title"].as_str().unwrap_or_default().to_owned();
                (one["userName"].as_str().unwrap_or_default().to_owned(), (one["active"] == true, title))
            })
            .collect();
        assert_eq!(people.len(), count, "somebody is there twice");
        people.into_iter().filter(|(login, _)| *login != self.workspace.owner_email).collect()
    }

    /// The groups, with how many are in them.
    pub(crate) async fn groups(&self) -> BTreeMap<String, usize> {
        let mut groups = BTreeMap::new();
        for group in self.all("/Groups").await {
            let path = format!("/Groups/{}", group["id"].as_str().unwrap_or_default());
            let group = self.scim().get(&path).await.expect(200).json();
            let members = group["members"].as_array().map_or(0, Vec::len);
            let name = group["displayName"].as_str().unwrap_or_default().to_owned();
            assert!(groups.insert(name, members).is_none(), "a group is there twice");
        }
        groups
    }

    /// The id at the target.
    pub(crate) async fn id_of(&self, login: &str) -> String {
        let all = self.all("/Users").await;
        let one = all.iter().find(|one| one["userName"] == login).unwrap_or_else(|| panic!("no {login}"));
        one["id"].as_str().unwrap_or_default().to_owned()
    }

    async fn all(&self, path: &str) -> Vec<Json> {
        let mut found: Vec<Json> = Vec::new();
        loop {
            let path = format!("{path}?startIndex={}&count=200", found.len() + 1);
            let page = self.scim().get(&path).await.expect(200).json();
            let total = page["totalResults"].as_u64().expect("lists have a total");
            let resources = page["Resources"].as_array().cloned().unwrap_or_default();
            let ends = resources.is_empty();
            found.extend(resources);
            if ends || found.len() as u64 >= total {
                assert_eq!(found.len() as u64, total);
                return found;
            }
        }
    }

    /// The last request that the target's flight recorder has.
    pub(crate) async fn last_flight(&self) -> Json {
        self.workspace.api().get("/flights?limit=1").await.expect(200).json()["items"][0]["id"].clone()
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    what: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &Self {
        let Self { what, stdout, stderr, .. } = self;
        assert!(self.code == code, "{what} ended with {}, not {code}:\n{stdout}\n{stderr}", self.code);
        self
    }

    /// Each line as JSON.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Json> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", self.what))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// The one answer.
    #[track_caller]
    pub(crate) fn answer(&self) -> Json {
        let mut lines = self.lines();
        assert_eq!(lines.len(), 1, "{self:?}");
        lines.remove(0)
    }

    /// The last line, which says how the cycle ended; its code is the program's.
    #[track_caller]
    pub(crate) fn finished(&self) -> Json {
        let last = self.lines().pop().unwrap_or_else(|| panic!("nothing was said: {self:?}"));
        assert_eq!(last["event"], "finished", "{self:?}");
        assert_eq!(last["exit"], self.code, "{self:?}");
        last
    }

    /// How often the cycle did something.
    #[track_caller]
    pub(crate) fn count(&self, what: &str) -> u64 {
        let finished = self.finished();
        let count = finished["cycle"]["counts"][what].as_u64();
        count.unwrap_or_else(|| panic!("no {what} in {finished}"))
    }

    /// That all of these are in what was written to standard error, which is one object with `--json`.
    #[track_caller]
    pub(crate) fn complains(&self, words: &[&str]) -> &Self {
        let json = serde_json::from_str(&self.stderr).unwrap_or(Json::Null);
        let text = json["error"].as_str().unwrap_or(&self.stderr);
        for word in words {
            assert!(text.contains(word), "no {word:?} in {self:?}");
        }
        self
    }
}
