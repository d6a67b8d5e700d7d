//! A provider that runs, for one test.

use std::process::Command;
use std::time::{Duration, Instant};

use latchkey_daemons::Daemon;
use latchkey_testkit::{Client, Db, Server};

use crate::install;
use crate::limits::Which;

/// A running provider; ends with the value.
pub(crate) struct Provider {
    running: Running,
    /// Its base, as `http://127.0.0.1:1234/scim/v2`.
    pub(crate) url: String,
    /// What it takes.
    pub(crate) token: String,
    marks: usize,
}

enum Running {
    Daemon(Daemon),
    Latchkey { _server: Box<Server> },
}

/// The token that the providers of others take.
const TOKEN: &str = "token-of-the-targets-tests";

impl Provider {
    /// Installs it if need be, and starts it on a free port.
    pub(crate) async fn start(which: Which) -> Self {
        let python = |script: &str| {
            let mut command = Command::new(install::python());
            command.arg(install::script(script));
            command
        };
        let node = |script: &str| {
            let mut command = Command::new("node");
            command.arg(install::node().join(script));
            command
        };
        let mut command = match which {
            Which::Latchkey => {
                let server = Server::start(Db::Sqlite, env!("CARGO_BIN_EXE_latchkey")).await;
                let workspace = server.workspace("Quarry").await;
                let (url, token) = (workspace.scim_url(), workspace.scim_token.clone());
                let running = Running::Latchkey { _server: Box::new(server) };
                return Self { running, url, token, marks: 0 };
            }
            Which::Scim2Server => python("serve_scim2_server.py"),
            Which::DjangoScim2Server => python("serve_django_scim2_server.py"),
            Which::ScimmyRouters => node("serve_scimmy_routers.js"),
            Which::BetterAuthScim => node("serve_better_auth_scim.js"),
        };
        let mut daemon = Daemon::start("a SCIM provider", command.env("SCIM_TOKEN", TOKEN), None)
            .expect("the provider can be started");
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let url = daemon.log().find_line(|line| line.strip_prefix("listening on ").map(str::to_owned));
            if let Some(url) = url {
                return Self { running: Running::Daemon(daemon), url, token: TOKEN.to_owned(), marks: 0 };
            }
            let ended = daemon.exited();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{which:?} does not listen ({ended:?}):\n{}",
                daemon.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A client for it, of the tests' own.
    pub(crate) fn client(&self) -> Client {
        let rest = self.url.strip_prefix("http://").expect("it listens on http");
        let (address, prefix) = rest.split_once('/').expect("it has a base path");
        Client::new(address).with_prefix(&format!("/{prefix}")).with_token(&self.token)
    }

    /// The requests that it has seen since the last call, a line each. Latchkey writes none down.
    pub(crate) async fn requests(&mut self) -> Vec<String> {
        let Running::Daemon(daemon) = &self.running else { return Vec::new() };
        let (last, this) = (format!("/mark-{}", self.marks), format!("/mark-{}", self.marks + 1));
        self.marks += 1;
        self.client().get(&this).await.expect(404);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let log = daemon.log().text();
            let lines: Vec<&str> = log.lines().collect();
            let at = |mark: &str| lines.iter().rposition(|line| line.contains(mark));
            if let Some(end) = at(&this) {
                let begin = at(&last).map_or(0, |at| at + 1);
                let of_methods =
                    |line: &&&str| ["GET ", "POST ", "PATCH ", "DELETE "].iter().any(|it| line.contains(it));
                let of_marks = |line: &&&str| line.contains("/mark-") || line.contains("Not Found");
                let seen = lines[begin..end].iter().filter(of_methods).filter(|line| !of_marks(line));
                return seen.map(|line| (*line).to_owned()).collect();
            }
            assert!(Instant::now() < deadline, "the provider writes no requests down:\n{log}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
