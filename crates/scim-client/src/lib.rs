//! Writes users and groups to any SCIM 2.0 provider.
//!
//! Knows how changes are worded ([`dialect`]), how fast a target may be asked ([`Pace`]), what its
//! refusals mean ([`Failure`]) and what is wrong with a connection ([`Diagnosis`]). Decides nothing
//! about people: what is sent comes as decisions of the `provisioning` room.
#![warn(missing_docs)]

mod answer;
mod client;
mod credential;
mod diagnose;
pub mod dialect;
mod extensions;
mod failure;
mod pace;
mod tls;
mod write;

pub use answer::{Exchange, Found, Listed};
pub use client::{Client, Options};
pub use credential::Credential;
pub use diagnose::{Check, Diagnosis};
pub use failure::{Failure, FailureKind};
pub use pace::Pace;
pub use tls::{TlsError, config as tls_config};
