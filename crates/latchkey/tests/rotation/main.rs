//! Passwords at a real PostgreSQL server: a leaver's is changed and proven, and a server that is
//! killed anywhere in between ends with one working password that the vault holds.

#[path = "../support/mod.rs"]
mod support;

mod codes;
mod gate;
mod kills;
mod leaver;
mod target;
