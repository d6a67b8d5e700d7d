//! Nothing lost: the server is killed at random moments under write load and started again, and
//! every acknowledged write is there, none is half done, and the audit chain is whole.
//!
//! The rounds can be set for a longer soak: `LATCHKEY_CRASH_ROUNDS=1000 cargo nextest run -p
//! latchkey --test crash`. `LATCHKEY_CRASH_SEED` repeats a run's choices.

#[path = "../support/mod.rs"]
mod support;

mod ledger;
mod load;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use latchkey_testkit::{Db, Server, block_on};

use ledger::Ledger;
use load::{Dice, Writer};

const BINARY: &str = env!("CARGO_BIN_EXE_latchkey");
/// Writers at once: enough that commits are grouped, and some are always under way.
const WRITERS: usize = 6;

/// What is killed in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Server,
    Database,
    Both,
}

/// A number from the environment, which only this test reads.
#[expect(clippy::disallowed_methods, reason = "a test's own knob; the product never reads it")]
fn knob(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn sqlite_keeps_every_acknowledged_write_when_the_server_is_killed() {
    block_on(async {
        let mut server = Server::start_durable(Db::Sqlite, BINARY, &[]).await;
        play(&mut server, knob("LATCHKEY_CRASH_ROUNDS", 100), |_| Victim::Server).await;
    });
}

#[test]
fn postgres_keeps_every_acknowledged_write_when_the_server_or_the_database_is_killed() {
    block_on(async {
        let mut server = Server::start_durable(Db::Postgres, BINARY, &[]).await;
        let rounds = knob("LATCHKEY_CRASH_ROUNDS", 100).div_ceil(7);
        play(&mut server, rounds, |round| match round % 3 {
            0 => Victim::Server,
            1 => Victim::Database,
            _ => Victim::Both,
        })
        .await;
    });
}

async fn play(server: &mut Server, rounds: u64, victim: impl Fn(u64) -> Victim) {
    let seed = knob("LATCHKEY_CRASH_SEED", u64::from(std::process::id()));
    let mut dice = Dice::new(seed);
    let workspace = server.workspace("crash").await;
    let world = load::World::prepare(&workspace).await;
    let mut ledger = Ledger::default();
    for round in 0..rounds {
        let victim = victim(round);
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS)
            .map(|at| {
                let writer = Writer::new(&world, seed ^ (round * 31 + at as u64), format!("r{round}w{at}"));
                tokio::spawn(writer.write_until(Arc::clone(&stop)))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(60 + dice.below(120))).await;
        if victim != Victim::Server {
            server.kill_database().await;
            // The server meets a database that is gone, and must neither end nor lie.
            tokio::time::sleep(Duration::from_millis(dice.below(60))).await;
        }
        if victim != Victim::Database {
            server.kill().await;
        }
        stop.store(true, Ordering::Relaxed);
        let mut written = Ledger::default();
        for writer in writers {
            written.add(writer.await.expect("a writer does not panic"));
        }
        if victim != Victim::Server {
            server.start_database().await;
        }
        if victim != Victim::Database {
            server.restart().await;
        }
        wait_until_ready(server).await;
        let told = format!("seed {seed}, round {round}, killed: {victim:?}");
        let verified = server.cli(&["audit", "verify", "--workspace", "crash"]).await;
        assert_eq!(verified.status, 0, "{told}: {verified:?}");
        written.check(&world, &told).await;
        ledger.add(written);
    }
    assert!(
        ledger.len() as u64 > rounds * 3,
        "only {} writes were acknowledged in {rounds} rounds",
        ledger.len()
    );
    ledger.check_whole(&world, &format!("seed {seed}, at the end")).await;
}

async fn wait_until_ready(server: &Server) {
    let started = Instant::now();
    let client = server.client();
    loop {
        match client.try_send("GET", "/readyz", &[], "").await {
            Ok(answer) if answer.status == 200 => return,
            other => {
                assert!(started.elapsed() < Duration::from_secs(20), "not ready: {other:?}\n{}", server.log())
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
