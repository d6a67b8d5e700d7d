//! The configuration of the connector.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use super::chromium;
use super::recipe::{Act, Recipe};
use crate::config::ConfigError;
use crate::http::{Limits, limits, substitutes};
use crate::network::Network;
use crate::recipe::{Host, Origins};

/// What an admin gives for a target with web forms.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrowserConfig {
    /// The recipe, as TOML or JSON text.
    pub recipe: String,
    /// The hosts of this installation, in place of those that the recipe lists, in the same order.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What may be reached. `ca_certificates` has no part here: Chromium trusts what the system does.
    #[serde(default)]
    pub network: Network,
    /// The Chromium to start, if it is not to be looked for on PATH.
    #[serde(default)]
    pub chromium: Option<PathBuf>,
    /// The longest wait for what a step looks for.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u32,
    /// The longest time for a whole change or login.
    #[serde(default = "whole_seconds")]
    pub whole_seconds: u32,
}

fn timeout_seconds() -> u32 {
    20
}

fn whole_seconds() -> u32 {
    180
}

/// A configuration that was checked.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) recipe: Recipe,
    pub(super) origins: Origins,
    pub(super) network: Arc<Network>,
    pub(super) chromium: PathBuf,
    pub(super) path: OsString,
    pub(super) limits: Limits,
}

impl BrowserConfig {
    pub(super) fn check(self, path: OsString) -> Result<Checked, ConfigError> {
        let field = |field: &str, problem: String| ConfigError::new(field, problem);
        let mut recipe = Recipe::parse(&self.recipe)?;
        let hosts = substitutes(&recipe.hosts, &self.hosts)?;
        let pairs: Vec<(Host, Host)> = recipe.hosts.iter().cloned().zip(hosts.iter().cloned()).collect();
        let parts = [&mut recipe.login.steps, &mut recipe.change.steps, &mut recipe.terminate];
        for step in parts.into_iter().flatten() {
            if let Act::Goto { host, .. } = &mut step.act
                && let Some((_, new)) = pairs.iter().find(|(old, _)| old == host)
            {
                *host = new.clone();
            }
        }
        recipe.hosts.clone_from(&hosts);
        if self.network.ca_certificates.is_some() {
            let problem = "Chromium trusts the system's authorities alone; add it there";
            return Err(field("network.ca_certificates", problem.into()));
        }
        let chromium = match self.chromium {
            Some(program) => program,
            None => chromium::find(&path).map_err(|error| field("chromium", error.to_string()))?,
        };
        Ok(Checked {
            recipe,
            origins: Origins::new(hosts, self.network.plain_http_on_loopback),
            network: Arc::new(self.network),
            chromium,
            path,
            limits: limits(self.timeout_seconds, self.whole_seconds, 1)?,
        })
    }
}
