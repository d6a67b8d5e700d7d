//! No way across (A7): two workspaces, every route that the router has, every id of the other
//! one; and no way in without the right token.

#[path = "../support/mod.rs"]
mod support;

mod across;
mod doors;
mod routes;
mod world;
