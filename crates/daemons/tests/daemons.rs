//! The launcher against the real PostgreSQL.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use latchkey_daemons::postgres::{Durability, Postgres};
use latchkey_daemons::{Daemon, Signal};

fn answers(url: &str) -> bool {
    let address = url.rsplit_once('@').and_then(|(_, rest)| rest.split('/').next());
    address.is_some_and(|address| TcpStream::connect(address).is_ok())
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_server_takes_connections_until_it_is_dropped() {
    let server = Postgres::create(Durability::Off).unwrap();
    let url = server.url();
    assert!(answers(&url));
    drop(server);
    assert!(!answers(&url), "the port is still open");
}

#[test]
fn a_killed_server_comes_back_on_the_same_url() {
    let mut server = Postgres::create(Durability::On).unwrap();
    let url = server.url();
    server.kill();
    assert!(!answers(&url));
    server.start().unwrap();
    assert_eq!(server.url(), url);
    assert!(answers(&url));
    assert!(server.log().contains("not properly shut down"), "it was not a crash: {}", server.log());
    server.stop().unwrap();
    server.start().unwrap();
    assert!(server.log().contains("database system was shut down"), "{}", server.log());
}

/// A test that is killed runs no destructor; the guard has to do it.
#[test]
fn a_daemon_and_its_folder_end_with_whoever_started_it() {
    if let Some(folder) = std::env::var_os("DAEMON_TEST_FOLDER") {
        let mut command = Command::new("sleep");
        let daemon = Daemon::start("sleep", command.arg("1000"), Some(Path::new(&folder))).unwrap();
        std::fs::write(Path::new(&folder).with_extension("pid"), daemon.pid().to_string()).unwrap();
        std::thread::sleep(Duration::from_secs(1000));
    }
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("data");
    std::fs::create_dir(&folder).unwrap();
    let mut starter = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_daemon_and_its_folder_end_with_whoever_started_it"])
        .env("DAEMON_TEST_FOLDER", &folder)
        .spawn()
        .unwrap();
    let written = || std::fs::read_to_string(folder.with_extension("pid")).is_ok_and(|pid| !pid.is_empty());
    wait_until("the daemon did not start", written);
    let pid = std::fs::read_to_string(folder.with_extension("pid")).unwrap();
    let alive = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.contains("(sleep)") && !stat.contains(") Z ")
    };
    assert!(alive());
    starter.kill().unwrap();
    starter.wait().unwrap();
    wait_until("the daemon outlived its starter", || !alive());
    wait_until("the folder was left behind", || !folder.exists());
}

#[test]
fn what_a_daemon_says_and_how_it_ends_is_known() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo starting; echo no such option >&2; exit 3"]);
    let mut daemon = Daemon::start("thing", &mut command, None).unwrap();
    wait_until("the line is missing", || {
        daemon.log().find_line(|line| (line == "starting").then_some(())).is_some()
    });
    wait_until("standard error is missing", || daemon.log().text().contains("no such option"));
    let status = daemon.stop(Signal::TERM, Duration::from_secs(10)).unwrap();
    assert_eq!(status.code(), Some(3));
}
