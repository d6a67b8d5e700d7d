//! The audit log finds what was altered; tokens are what they should be; the flight recorder
//! tells what a directory asked and what came of it; and no secret is in any of it.

#[path = "../support/mod.rs"]
mod support;

mod audit;
mod canaries;
mod flights;
mod pace;
mod secrets;
mod tamper;
mod tokens;
