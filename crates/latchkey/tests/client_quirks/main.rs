//! What real SCIM clients send, row by row of the project's list of client quirks (rows 1 to 85):
//! each row's exact shape goes over HTTP, and what is stored is read back.

#[path = "../support/mod.rs"]
mod support;

mod entra_groups;
mod entra_patches;
mod entra_reads;
mod entra_values;
mod okta;
mod others;
mod row;

use std::collections::BTreeSet;

use latchkey_testkit::{Server, on_both};

use row::{Row, play};

/// The last row of the list.
const ROWS: u8 = 85;

#[test]
fn every_row_of_the_list_is_played() {
    let tables = [
        entra_patches::rows(),
        entra_values::rows(),
        entra_groups::rows(),
        entra_reads::rows(),
        okta::rows(),
        others::rows(),
    ];
    let played: BTreeSet<u8> = tables.iter().flatten().map(|row| row.number).collect();
    let missing: Vec<u8> = (1..=ROWS).filter(|number| !played.contains(number)).collect();
    assert!(missing.is_empty(), "rows without a test: {missing:?}");
    assert!(played.iter().all(|number| (1..=ROWS).contains(number)), "a row that the list has not");
}

on_both! {
    async fn entra_patches_users(server: &Server) {
        play(server, entra_patches::rows()).await;
    }
}

on_both! {
    async fn entra_values_are_understood_and_kept(server: &Server) {
        play(server, entra_values::rows()).await;
    }
}

on_both! {
    async fn entra_keeps_groups(server: &Server) {
        play(server, entra_groups::rows()).await;
    }
}

on_both! {
    async fn entra_reads_and_retries(server: &Server) {
        play(server, entra_reads::rows()).await;
    }
}

on_both! {
    async fn okta_is_served(server: &Server) {
        play(server, okta::rows()).await;
    }
}

on_both! {
    async fn other_clients_are_served(server: &Server) {
        play(server, others::rows()).await;
    }
}

/// A name for the type of a table.
type Rows = Vec<Row>;
