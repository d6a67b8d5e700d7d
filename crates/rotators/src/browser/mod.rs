//! A target whose password is changed on its web pages, by a Chromium without a window that does
//! what a recipe says.

mod chromium;
mod config;
mod devtools;
mod gate;
mod page;
mod parse;
mod recipe;
mod run;

use std::ffi::OsString;
use std::sync::Arc;

use latchkey_rotation::{Class, Failure};
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;

pub use config::BrowserConfig;

use crate::config::{ConfigError, read};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use crate::network::{Guard, Refused};
use crate::recipe::{CodeSource, Codes, Known, Phase, Values};
use config::Checked;
use page::{OpenError, Page};
use recipe::{Act, Marker};
use run::{Halt, Run};

/// Changes passwords as a browser recipe says.
#[derive(Debug, Clone)]
pub struct BrowserRecipe {
    checked: Checked,
    codes: Codes,
}

impl BrowserRecipe {
    /// A connector as configured (see [`BrowserConfig`]), with the Chromium that this process's PATH
    /// finds, as for any child process.
    ///
    /// # Errors
    /// When the recipe or a field breaks a rule, when there is no Chromium, or when an admin secret is
    /// given, for which pages have no use.
    pub fn from_config(config: &Value, admin: Option<SecretString>) -> Result<Self, ConfigError> {
        if admin.is_some() {
            return Err(ConfigError::new(
                "the admin credential",
                "a browser recipe logs in as the account itself",
            ));
        }
        Self::with_path(read(config)?, std::env::var_os("PATH").unwrap_or_default())
    }

    fn with_path(config: BrowserConfig, path: OsString) -> Result<Self, ConfigError> {
        Ok(Self { checked: config.check(path)?, codes: Codes::default() })
    }

    /// With one-time codes for `totp` steps.
    #[must_use]
    pub fn with_codes(mut self, source: CodeSource) -> Self {
        self.codes = Codes::from(source);
        self
    }

    /// Opens a browser of its own.
    async fn run<'a>(&'a self, values: Values<'a>) -> Result<Run<'a>, Failure> {
        let Checked { recipe, origins, chromium, path, limits, .. } = &self.checked;
        let until = Instant::now() + limits.whole;
        let known = Arc::new(Known::of([values.current, values.staged].into_iter().flatten()));
        let resolver = self.resolver().await?;
        let page =
            Page::open(chromium, path, &resolver, origins, Arc::clone(&known)).await.map_err(|error| {
                let class = match error {
                    OpenError::Launch(_) => Class::NeedsPerson,
                    OpenError::Ended(_) => Class::Transient,
                };
                Failure::not_applied(class, format!("recipe {}: {error}", recipe.id))
            })?;
        Ok(Run {
            page,
            recipe,
            origins,
            codes: &self.codes,
            values,
            known,
            limits: *limits,
            until,
            sent: false,
            refused: None,
        })
    }

    /// Each host to the one address that was checked, and every other name to nowhere.
    async fn resolver(&self) -> Result<String, Failure> {
        let guard = Guard(Arc::clone(&self.checked.network));
        let mut rules = Vec::new();
        for host in self.checked.origins.hosts() {
            let found = guard.addresses(host.name(), 0).await.map_err(|refused| {
                let class = match refused {
                    Refused::Address { .. } => Class::NeedsPerson,
                    Refused::Nothing { .. } | Refused::Lookup { .. } => Class::Transient,
                };
                Failure::not_applied(class, format!("recipe {}: {refused}", self.checked.recipe.id))
            })?;
            if let Some(address) = found.first() {
                let to = match address.ip() {
                    std::net::IpAddr::V4(ip) => ip.to_string(),
                    std::net::IpAddr::V6(ip) => format!("[{ip}]"),
                };
                rules.push(format!("MAP {} {to}", host.name()));
            }
        }
        rules.push("MAP * ~NOTFOUND".to_owned());
        Ok(rules.join(","))
    }

    /// Ends the browser; a failure gets a picture of the page first.
    async fn end<T>(run: Run<'_>, result: Result<T, Halt>) -> Result<T, Failure> {
        let result = match result {
            Ok(well) => Ok(well),
            Err(halt) => {
                let failure = match halt {
                    Halt::Failed(failure) => failure,
                    Halt::Refused => {
                        let what =
                            "the target refuses the password that Latchkey holds; it was changed there";
                        run.failure(
                            Class::NeedsPerson,
                            Run::place("login", "with the current password"),
                            what,
                        )
                    }
                };
                Err(failure.with_evidence(run.page.picture(&run.known).await))
            }
        };
        run.page.close().await;
        result
    }

    async fn log_in(&self, run: &mut Run<'_>) -> Result<(), Halt> {
        let login = &self.checked.recipe.login;
        run.refused = Some(&run.recipe.login.refused);
        run.steps("login", &login.steps, &login.errors).await?;
        let place = Run::place("login", "after the last step");
        run.first_of(place, &[&login.accepted], &login.errors).await?;
        run.refused = None;
        Ok(())
    }

    async fn change_in(&self, run: &mut Run<'_>) -> Result<String, Halt> {
        let recipe = &self.checked.recipe;
        self.log_in(run).await?;
        let change = &recipe.change;
        run.steps("change", &change.steps, &change.errors).await?;
        run.first_of(Run::place("change", "after the last step"), &[&change.done], &change.errors).await?;
        if recipe.terminate.is_empty() {
            return Ok(String::new());
        }
        Ok(match run.steps("terminate", &recipe.terminate, &[]).await {
            Ok(()) | Err(Halt::Refused) => "; other sessions were ended".to_owned(),
            Err(Halt::Failed(failure)) => format!("; other sessions could not be ended: {}", failure.message),
        })
    }
}

impl Rotate for BrowserRecipe {
    fn abilities(&self) -> Abilities {
        Abilities {
            by_admin: false,
            ends_sessions: false,
            proves_refusal: self.checked.recipe.phase == Phase::Single,
        }
    }

    /// Opens the login page, and looks for the first field that is to be filled.
    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        let Checked { recipe, origins, .. } = &self.checked;
        let mut run = self.run(Values::of(username)).await?;
        let fills = |step: &recipe::Step| matches!(step.act, Act::Fill { .. });
        let upto = recipe.login.steps.iter().position(fills).unwrap_or(recipe.login.steps.len());
        let mut result = run.steps("login", &recipe.login.steps[..upto], &recipe.login.errors).await;
        if let (Ok(()), Some(step)) = (&result, recipe.login.steps.get(upto))
            && let Act::Fill { targets, .. } = &step.act
        {
            let marker = Marker { targets: targets.clone(), path: None };
            let words = step.act.describe();
            let place = Run::place("login", &words);
            result = run.first_of(place, &[&marker], &recipe.login.errors).await.map(|_| ());
        }
        Self::end(run, result).await?;
        let base = origins.base(&recipe.hosts[0]);
        let mut warnings = Vec::new();
        if base.starts_with("http:") {
            warnings
                .push(format!("passwords travel to {base} in clear; only this machine may be spoken to so"));
        }
        if chromium::is_root() {
            warnings.push("Latchkey runs as root, so Chromium runs without its sandbox (--no-sandbox); run it as a user of its own".to_owned());
        }
        if recipe.terminate.is_empty() {
            warnings.push(
                "the recipe has no [terminate]: sessions that are open stay open unless the target ends them"
                    .to_owned(),
            );
        }
        Ok(Probe { target: format!("{base} by browser recipe {}", recipe.id), warnings })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let id = &self.checked.recipe.id;
        if attempt.old.is_none() {
            let what =
                format!("recipe {id}: the password that works now is not known, and the pages ask for it");
            return Err(Failure::not_applied(Class::NeedsPerson, what));
        }
        let values =
            Values { current: attempt.old, staged: Some(attempt.new), ..Values::of(attempt.username) };
        let mut run = self.run(values).await?;
        let result = self.change_in(&mut run).await;
        let more = Self::end(run, result).await?;
        Ok(Receipt { method: format!("browser recipe {id}{more}") })
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        let mut run = self.run(Values { current: Some(secret), ..Values::of(username) }).await?;
        let result = match self.log_in(&mut run).await {
            Ok(()) => Ok(Verdict::Works),
            Err(Halt::Refused) => Ok(Verdict::Refused),
            Err(failed) => Err(failed),
        };
        Self::end(run, result).await
    }

    async fn end_sessions(&self, _: &str) -> Result<SessionsEnded, Failure> {
        let what = "a browser recipe ends sessions within the change, by its [terminate]";
        Err(Failure::not_applied(Class::NeedsPerson, what))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn without_chromium_it_says_what_to_install() {
        let recipe = r##"
            recipe = { id = "r", hosts = ["a.test"] }
            [login]
            step = [{ fill = { label = "Password", with = "{{secret.current}}" } }]
            accepted = { path = "/home" }
            refused = { role = "alert" }
            [change]
            step = [
              { fill = { label = "New", with = "{{secret.staged}}" } },
              { click = { text = "Save" }, point_of_no_return = true },
            ]
            done = { text = "done" }
        "##;
        let config = read(&json!({ "recipe": recipe })).expect("a configuration");
        let error =
            BrowserRecipe::with_path(config, "/nonexistent".into()).expect_err("no Chromium").to_string();
        assert!(error.contains("apt-get install chromium"), "{error}");
    }
}
