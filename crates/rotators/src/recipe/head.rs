//! `[recipe]`: what every recipe begins with.

use serde::Deserialize;

use super::{Host, Phase, RecipeError};

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) id: String,
    hosts: Vec<String>,
    #[serde(default)]
    pub(crate) phase: Phase,
}

impl Head {
    /// The hosts that may be reached; the recipe has a name and at least one of them.
    pub(crate) fn hosts(&self) -> Result<Vec<Host>, RecipeError> {
        let host =
            |text: &String| Host::parse(text).map_err(|problem| RecipeError::new("recipe.hosts", problem));
        let hosts = self.hosts.iter().map(host).collect::<Result<Vec<_>, _>>()?;
        if self.id.trim().is_empty() {
            return Err(RecipeError::new("recipe.id", "it is empty; jobs name the recipe by it"));
        }
        if hosts.is_empty() {
            return Err(RecipeError::new("recipe.hosts", "it is empty; list the hosts that may be reached"));
        }
        Ok(hosts)
    }
}
