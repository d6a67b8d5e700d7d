//! The SCIM 2.0 service provider's routes (RFC 7644), at `/v1/scim/v2`.
//!
//! Translation only: a request is read and bounded, handed to `engine::directory`, and what comes
//! back is shown. [`routes`] lists what is served; the dispatcher reads the same table.
#![warn(missing_docs)]

mod bulk;
mod discovery;
mod failure;
mod flight;
mod intake;
mod media;
mod redact;
mod reply;
mod resources;
mod route;
mod search;
mod serve;
mod show;
mod target;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use latchkey_engine::Engine;
use latchkey_scim::Limits;

pub use route::{Auth, BASE, routes};

/// The SCIM endpoint. `base_url` is where clients reach this server, as `https://id.example.com`;
/// every address in an answer begins with it, whatever a `Host` header says.
pub fn router(engine: Engine, base_url: Arc<str>) -> Router {
    let scim = Arc::new(serve::Scim::new(engine, &base_url, Limits::default()));
    Router::new()
        .route(BASE, any(serve::serve))
        .route(&format!("{BASE}/"), any(serve::serve))
        .route(&format!("{BASE}/{{*rest}}"), any(serve::serve))
        .with_state(scim)
}
