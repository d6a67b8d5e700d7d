//! The management API at `/v1/api`: translation only. One table of endpoints makes the router,
//! the check of tokens and the OpenAPI document; each handler reads a request, calls one service
//! of the engine, and shows what came of it.

mod caller;
mod document;
mod endpoint;
mod extract;
mod gate;
mod page;
mod problem;
mod routes;
mod secret_body;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use latchkey_engine::Engine;
use latchkey_jobs::Jobs;

pub use document::openapi;

use crate::endpoint::Table;

/// What handlers are given.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) engine: Engine,
    pub(crate) jobs: Jobs,
    /// Where clients reach this server, without a path.
    pub(crate) base_url: Arc<str>,
}

/// Bodies are small; the largest is a review of thousands of ids.
const BODY_BYTES: usize = 1_024 * 1_024;

/// The routes, with absolute paths.
pub fn router(jobs: Jobs, base_url: Arc<str>) -> Router {
    let engine = jobs.engine().clone();
    let table = Table::of(routes::endpoints());
    let gate = gate::Gate::new(engine.clone(), Arc::clone(&table.actions));
    table
        .router
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .route_layer(middleware::from_fn_with_state(gate, gate::pass))
        .with_state(ApiState { engine, jobs, base_url })
}

/// Method, path and the kind of token (`api` or `none`) of each route.
pub fn routes() -> Vec<(&'static str, &'static str, &'static str)> {
    Table::<ApiState>::of(routes::endpoints()).routes
}
