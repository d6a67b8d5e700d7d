//! SIGKILL at every piece of traffic between us and the target, so before and after each act and
//! each state.

use std::time::Duration;

use latchkey_testkit::{Client, Db, Server, block_on};
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::support::{api, text};
use crate::target::{Held, Target};

const BINARY: &str = env!("CARGO_BIN_EXE_latchkey");
/// Pieces between two kills.
const STEP: usize = 3;

#[test]
fn v2_v3_a_server_killed_anywhere_ends_with_one_working_password_that_the_vault_holds() {
    block_on(async {
        let target = Target::start().await;
        let gate = Gate::before(target.address()).await;
        let mut server = Server::start_durable(Db::Sqlite, BINARY, &[]).await;
        let workspace = server.workspace("kills").await;
        let connector = target.connector(&workspace.api(), gate.port).await;
        let whole = Held::make(&target, &workspace, &connector, "whole").await;
        gate.close_after(100_000);
        let rotation = rotate(&workspace.api(), &whole).await;
        over(&server, &workspace.api(), &rotation).await;
        let pieces = gate.passed();
        assert!(pieces > 20, "a rotation takes several connections: {pieces}");
        for (round, kill_at) in (0..pieces).step_by(STEP).enumerate() {
            let held = Held::make(&target, &workspace, &connector, &format!("role{round}")).await;
            gate.close_after(kill_at);
            let rotation = rotate(&workspace.api(), &held).await;
            let told = tokio::time::timeout(Duration::from_secs(60), gate.closed()).await;
            assert!(told.is_ok(), "nothing came to piece {kill_at}\n{}", server.log());
            server.kill().await;
            gate.open();
            server.restart().await;
            let ended = over(&server, &workspace.api(), &rotation).await;
            let new = held.vaulted(&server, &workspace).await;
            assert!(target.lets_in(&held.role, &new).await, "killed at piece {kill_at}: {ended}");
            assert_eq!(ended["state"], "done", "killed at piece {kill_at}: {ended}");
            assert_ne!(new, held.old);
            assert!(!target.lets_in(&held.role, &held.old).await, "killed at piece {kill_at}: {ended}");
        }
    });
}

async fn rotate(api: &Client, held: &Held) -> String {
    let asked = api.post(&format!("/accounts/{}/rotate", held.account), &json!({})).await.expect(202).json();
    text(&asked, "/id").to_owned()
}

/// The rotation, once it is over.
pub(crate) async fn over(server: &Server, api: &Client, rotation: &str) -> Value {
    for _ in 0..900 {
        let seen = api.get(&format!("/rotations/{rotation}")).await.expect(200).json();
        if seen["over"] == true {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seen = api.get(&format!("/rotations/{rotation}")).await.json();
    panic!("it never ends: {seen}\n{:?}\n{}", api::all(api, "/tasks").await, server.log());
}
