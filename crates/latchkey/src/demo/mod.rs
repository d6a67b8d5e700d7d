//! `latchkey demo`: the whole story on real requests, from a directory's first look-up to a person
//! who is locked out and comes back.
//!
//! The demo is a client like any other: it sends SCIM as Entra ID does (`entra`, `provision`), and
//! reads what came of it from the management API (`api`). It knows nothing of the engine, so what
//! it shows is what an admin would see. The caller starts the server and makes the workspace.
//!
//! The stages, in `story`: the directory sends its people; they are members and teams; accounts
//! are shared (`sharing` plans, `accounts` makes); one person leaves (`leaver`, with `watch` and
//! `timeline`); the passwords that they could use or knew change at the login service that stands in
//! for the real systems (`passwords`, with `service`); they come back (`returner`); where to look
//! (`ending`).

mod accounts;
mod api;
mod ending;
mod entra;
mod http;
mod leaver;
mod passwords;
mod people;
mod provision;
mod returner;
mod screen;
mod service;
mod sharing;
mod story;
mod table;
mod timeline;
mod watch;

pub(crate) use people::{BadPeople, Company};
pub(crate) use story::{Ending, Options, World, run};
