//! Where a provisioning job reads people and groups.
//!
//! Each source tells whole objects, page after page, and a [`Watermark`] where the next reading
//! goes on. What is absent from a full reading has left, so a reading that breaks off is an error
//! and can never be taken for a whole one. Nothing about people is decided here.
//!
//! [`Watermark`]: latchkey_provisioning::feed::Watermark
#![warn(missing_docs)]

mod any;
mod at_once;
mod attributes;
mod files;
mod graph;
mod ldap;
mod scim;
mod tls;
mod web;

pub use any::{AnySource, Options, Reading};
pub use files::Files;
pub use graph::Graph;
pub use ldap::Ldap;
pub use scim::Scim;
