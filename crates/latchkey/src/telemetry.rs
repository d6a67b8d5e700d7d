//! Logs and metrics.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Bounds of the buckets for durations, in seconds: from an in-memory answer to a stuck one.
const SECONDS: [f64; 12] = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0];

/// Starts logging to standard error.
///
/// # Errors
/// When the filter does not read, or a logger is already there.
pub(crate) fn start_log(filter: &str, json: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| anyhow::anyhow!("--log {filter:?} is not a log filter: {error}; write it as `info`"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json {
        log.json().try_init()
    } else {
        let colour = std::io::stderr().is_terminal() && anstream::stderr().current_choice() != anstream::ColorChoice::Never;
        log.with_ansi(colour).try_init()
    };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}

/// Starts counting; the handle renders what was counted in Prometheus' text form.
///
/// # Errors
/// When a recorder is already there.
pub(crate) fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?;
    Ok(builder.install_recorder()?)
}
