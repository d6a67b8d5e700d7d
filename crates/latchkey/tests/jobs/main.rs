//! Jobs of a workspace, performed by the server: from its own directory to a SCIM application, which
//! here is another workspace of the same server.

#[path = "../support/mod.rs"]
mod support;

mod leavers;
mod mail;
mod manage;
mod nodes;
mod scene;
mod uploads;
