//! A small login service to practise rotation on: a user store of its own, a login form with
//! optional one-time codes, a form to change the password, a JSON API alongside, a receiver of
//! signed webhooks, and faults on demand.
//!
//! It is a real server with real state: a password works or is refused. The demo starts it as the
//! system that a leaver could log in to, and the connectors' tests as the target that answers late,
//! twice or never. Everything is kept in memory; it is for this machine only.
#![warn(missing_docs)]

mod api;
mod fault;
mod hooks;
mod listener;
mod pages;
pub mod recipes;
mod service;
pub mod totp;
mod users;
mod world;

pub use fault::Fault;
pub use service::{Options, Service};
