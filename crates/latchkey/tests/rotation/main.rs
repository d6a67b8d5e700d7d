//! Secrets at real targets: a leaver's password is changed and proven, and a server that is killed
//! anywhere in between ends with one working secret that the vault holds, at each kind of target.

#[path = "../support/mod.rs"]
mod support;

mod canary;
mod codes;
mod gate;
mod kills;
mod kinds;
mod leaver;
mod load;
mod target;
