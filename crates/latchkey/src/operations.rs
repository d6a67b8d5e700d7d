//! What operators and their tools ask: health, readiness, metrics.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use latchkey_engine::Engine;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

/// Method, path and the token that it needs, of each route here.
pub(crate) const ROUTES: [(&str, &str, &str); 3] =
    [("GET", "/healthz", "none"), ("GET", "/readyz", "none"), ("GET", "/metrics", "none")];

/// The routes.
pub(crate) fn router(engine: Engine, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(engine))
        .route("/metrics", get(render).with_state(metrics))
}

/// Ready means that the database answers.
async fn ready(State(engine): State<Engine>) -> Response {
    match engine.store().ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

async fn render(State(metrics): State<PrometheusHandle>) -> Response {
    let text = tokio::task::spawn_blocking(move || {
        metrics.run_upkeep();
        metrics.render()
    });
    match text.await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What is no route of any room.
pub(crate) async fn not_found() -> Response {
    let problem = json!({
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": "there is nothing at this address; SCIM is at /v1/scim/v2, the management API at /v1/api",
    });
    let body = problem.to_string();
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}
