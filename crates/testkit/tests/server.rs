//! The harness against a stand-in for the binary, whose every move is known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its set-up too")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use latchkey_testkit::{Db, Server, block_on};

/// Says that it listens on the address that it was asked for, and is then told apart by its pid. The admin
/// commands answer as the command line's contract says.
const STAND_IN: &str = r#"#!/bin/sh
case "$*" in
"serve --listen "*)
  echo "args: $*; data: $LATCHKEY_DATA; database: $DATABASE_URL" >&2
  case "$*" in *--broken*) echo "no such option" >&2; exit 2;; esac
  address=$3; [ "$address" != 127.0.0.1:0 ] || address=127.0.0.1:4321
  trap 'echo stopping >&2; exit 0' TERM
  echo "{\"event\":\"listening\",\"address\":\"$address\"}"
  while :; do sleep 0.05; done ;;
"admin workspace create Acme Ltd --owner owner@acme-ltd.example --json")
  echo '{"id":"w1","owner_id":"m1"}' ;;
"admin scim-token create --workspace Acme Ltd") echo lk_scim_x ;;
"admin api-token create --workspace Acme Ltd --member owner@acme-ltd.example") echo lk_api_x ;;
*) echo "unknown: $*" >&2; exit 64 ;;
esac
"#;

fn with_stand_in(test: impl AsyncFnOnce(&str)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latchkey");
    fs::write(&path, STAND_IN).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    block_on(test(path.to_str().unwrap()));
}

/// The two streams of a process are read apart, so a line may be seen later than one written after it.
async fn wait_until_log(server: &Server, expected: &str) {
    for _ in 0..500 {
        if server.log().contains(expected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{expected:?} is not in the log:\n{}", server.log());
}

fn runs(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn a_server_is_started_on_its_own_data_and_ends_with_its_handle() {
    with_stand_in(async |binary| {
        let server = Server::start_with(Db::Sqlite, binary, &["--extra"]).await;
        assert_eq!(server.url(), "http://127.0.0.1:4321");
        let data = server.data().to_owned();
        let args = "args: serve --listen 127.0.0.1:0 --json --extra";
        let expected = format!("{args}; data: {}; database: \n", data.display());
        wait_until_log(&server, &expected).await;
        let pid = server.pid().unwrap();
        assert!(runs(pid) && data.exists());
        drop(server);
        assert!(!runs(pid) && !data.exists());
    });
}

#[test]
fn a_workspace_is_made_by_the_command_line() {
    with_stand_in(async |binary| {
        let server = Server::start(Db::Sqlite, binary).await;
        let workspace = server.workspace("Acme Ltd").await;
        assert_eq!((&*workspace.id, &*workspace.owner_id), ("w1", "m1"));
        assert_eq!((&*workspace.scim_token, &*workspace.api_token), ("lk_scim_x", "lk_api_x"));
        let refused = server.cli(&["nonsense"]).await;
        assert_eq!((refused.status, &*refused.stderr), (64, "unknown: nonsense\n"));
    });
}

#[test]
fn a_server_comes_back_on_its_port_after_a_stop_and_after_a_kill() {
    with_stand_in(async |binary| {
        let mut server = Server::start(Db::Sqlite, binary).await;
        let first = server.pid().unwrap();
        server.stop().await;
        assert!(!runs(first) && server.pid().is_none());
        server.restart().await;
        wait_until_log(&server, "--listen 127.0.0.1:4321 ").await;
        let second = server.pid().unwrap();
        server.kill().await;
        assert!(!runs(second));
        server.restart().await;
        assert!(runs(server.pid().unwrap()));
    });
}

#[test]
#[should_panic(expected = "no such option")]
fn a_server_that_does_not_start_shows_its_log() {
    with_stand_in(async |binary| {
        Server::start_with(Db::Sqlite, binary, &["--broken"]).await;
    });
}

#[test]
fn each_server_on_postgresql_has_a_database_of_its_own() {
    with_stand_in(async |binary| {
        let one = Server::start(Db::Postgres, binary).await;
        let two = Server::start(Db::Postgres, binary).await;
        let url = one.database_url().unwrap().to_owned();
        assert_ne!(Some(&*url), two.database_url());
        wait_until_log(&one, &format!("database: {url}\n")).await;
        let client = latchkey_testkit::postgres::connect(&url).await.unwrap();
        client.batch_execute("CREATE TABLE t (x text)").await.unwrap();
        drop(one);
        assert!(client.simple_query("SELECT 1").await.is_err(), "the connection outlived its database");
        let gone = latchkey_testkit::postgres::connect(&url).await.unwrap_err();
        assert!(format!("{gone:?}").contains("does not exist"), "{gone:?}");
    });
}

#[test]
fn what_was_committed_survives_the_death_of_the_database() {
    with_stand_in(async |binary| {
        let mut server = Server::start_durable(Db::Postgres, binary, &[]).await;
        let url = server.database_url().unwrap().to_owned();
        let client = latchkey_testkit::postgres::connect(&url).await.unwrap();
        client.batch_execute("CREATE TABLE t (x int)").await.unwrap();
        client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
        for _ in 0..3 {
            server.kill_database().await;
            assert!(latchkey_testkit::postgres::connect(&url).await.is_err());
            server.start_database().await;
            let client = latchkey_testkit::postgres::connect(&url).await.unwrap();
            assert_eq!(client.query("SELECT x FROM t", &[]).await.unwrap().len(), 1);
        }
    });
}
