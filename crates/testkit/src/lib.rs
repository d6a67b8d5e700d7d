//! For tests only: a running Latchkey, its databases, and a client that speaks to it.
//!
//! End-to-end tests start the real binary and use it as people and directories do, by its command line and
//! over HTTP:
//!
//! ```ignore
//! on_both! {
//!     async fn a_created_user_can_be_read_back(server: &Server) {
//!         let workspace = server.workspace("Acme").await;
//!         let made = workspace.scim().post("/Users", &user("ada")).await.expect(201);
//!         workspace.scim().get(&format!("/Users/{}", made.id())).await.expect(200);
//!     }
//! }
//! ```
//!
//! Tests of the store take their databases from [`postgres::Database`].

mod answer;
mod client;
mod on_both;
pub mod postgres;
mod server;
mod workspace;

pub use answer::Answer;
pub use client::Client;
pub use on_both::block_on;
pub use server::{CliOutput, Db, Server};
pub use workspace::Workspace;
