//! The configuration of the connector.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::recipe::Recipe;
use super::session::Limits;
use crate::config::ConfigError;
use crate::network::{Network, tls};
use crate::recipe::{Host, Origins};

/// What an admin gives for an HTTP target.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// The recipe, as TOML or JSON text.
    pub recipe: String,
    /// The hosts of this installation, in place of those that the recipe lists, in the same order:
    /// for a recipe that is written once for a product that many run themselves.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What may be reached.
    #[serde(default)]
    pub network: Network,
    /// The longest wait for one answer.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u32,
    /// The longest time for a whole change or login.
    #[serde(default = "whole_seconds")]
    pub whole_seconds: u32,
    /// The longest answer that is read.
    #[serde(default = "body_bytes")]
    pub body_bytes: usize,
}

fn timeout_seconds() -> u32 {
    20
}

fn whole_seconds() -> u32 {
    90
}

fn body_bytes() -> usize {
    1 << 20
}

/// A configuration that was checked.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) recipe: Recipe,
    pub(super) origins: Origins,
    pub(super) network: Arc<Network>,
    pub(super) tls: rustls::ClientConfig,
    pub(super) limits: Limits,
}

impl HttpConfig {
    pub(super) fn check(self) -> Result<Checked, ConfigError> {
        let mut recipe = Recipe::parse(&self.recipe)?;
        let hosts = substitutes(&recipe.hosts, &self.hosts)?;
        if !self.hosts.is_empty() {
            let pairs: Vec<(Host, Host)> = recipe.hosts.iter().cloned().zip(hosts.iter().cloned()).collect();
            let all = recipe.steps.iter_mut().chain(&mut recipe.verify.steps);
            for step in all.chain(&mut recipe.terminate).chain(&mut recipe.probe) {
                if let Some((_, new)) = pairs.iter().find(|(old, _)| *old == step.request.host) {
                    step.request.host = new.clone();
                }
            }
            recipe.hosts.clone_from(&hosts);
        }
        let limits = limits(self.timeout_seconds, self.whole_seconds, self.body_bytes)?;
        Ok(Checked {
            recipe,
            origins: Origins::new(hosts, self.network.plain_http_on_loopback),
            tls: tls(&self.network)?,
            network: Arc::new(self.network),
            limits,
        })
    }
}

/// The hosts in force.
pub(crate) fn substitutes(listed: &[Host], given: &[String]) -> Result<Vec<Host>, ConfigError> {
    let wrong = |problem: String| ConfigError::new("hosts", problem);
    if given.is_empty() {
        return Ok(listed.to_vec());
    }
    if given.len() != listed.len() {
        return Err(wrong(format!("the recipe lists {}; give as many, in its order", listed.len())));
    }
    given.iter().map(|host| Host::parse(host).map_err(wrong)).collect()
}

/// Limits that are limits.
pub(crate) fn limits(request: u32, whole: u32, body: usize) -> Result<Limits, ConfigError> {
    let wrong = |field: &str, problem: &str| Err(ConfigError::new(field, problem));
    if !(1..=300).contains(&request) {
        return wrong("timeout_seconds", "must be 1 to 300");
    }
    if !(1..=600).contains(&whole) {
        return wrong("whole_seconds", "must be 1 to 600");
    }
    if !(1..=16 << 20).contains(&body) {
        return wrong("body_bytes", "must be 1 to 16777216");
    }
    let seconds = |count: u32| Duration::from_secs(count.into());
    Ok(Limits { request: seconds(request), whole: seconds(whole), body })
}
