//! A target whose password is changed by HTTP requests that a recipe declares.

mod condition;
mod config;
mod cookies;
mod markup;
mod parse;
mod pick;
mod raw;
mod recipe;
mod run;
mod session;

use latchkey_rotation::{Class, Failure};
use secrecy::SecretString;
use serde_json::Value;

pub use config::HttpConfig;
pub(crate) use config::{limits, substitutes};
pub(crate) use session::{Limits, Outgoing, Session, Trouble};

use crate::config::{ConfigError, read};
use crate::connector::{Abilities, Attempt, Probe, Receipt, Rotate, SessionsEnded, Verdict};
use crate::recipe::{CodeSource, Codes, Phase, Values};
use config::Checked;
use run::{Run, number};

/// Changes passwords as an HTTP recipe says.
#[derive(Debug, Clone)]
pub struct HttpRecipe {
    checked: Checked,
    admin: Option<SecretString>,
    codes: Codes,
}

impl HttpRecipe {
    /// A connector as configured (see [`HttpConfig`]); `admin` is what `{{admin.secret}}` stands for.
    ///
    /// # Errors
    /// When the recipe or a field breaks a rule; the error names the place.
    pub fn from_config(config: &Value, admin: Option<SecretString>) -> Result<Self, ConfigError> {
        let config: HttpConfig = read(config)?;
        Ok(Self { checked: config.check()?, admin, codes: Codes::default() })
    }

    /// With one-time codes for `{{totp}}`.
    #[must_use]
    pub fn with_codes(mut self, source: CodeSource) -> Self {
        self.codes = Codes::from(source);
        self
    }

    fn run<'a>(&'a self, values: Values<'a>) -> Result<Run<'a>, Failure> {
        let Checked { recipe, origins, network, tls, limits } = &self.checked;
        let session = Session::new(network, tls, origins.clone(), *limits).map_err(|_| {
            Failure::not_applied(Class::NeedsPerson, "no HTTP client can be made with this configuration")
        })?;
        let values = Values { admin: self.admin.as_ref(), ..values };
        Ok(Run::new(&recipe.id, origins, &self.codes, session, values))
    }
}

impl Rotate for HttpRecipe {
    fn abilities(&self) -> Abilities {
        let recipe = &self.checked.recipe;
        Abilities {
            by_admin: recipe.by_admin(),
            ends_sessions: recipe.ends_sessions_alone(),
            proves_refusal: recipe.phase == Phase::Single,
        }
    }

    async fn probe(&self, username: &str) -> Result<Probe, Failure> {
        let Checked { recipe, origins, .. } = &self.checked;
        let mut run = self.run(Values::of(username))?;
        let first = recipe.steps.iter().find(|step| {
            step.request.method == reqwest::Method::GET && step.slots().iter().all(|slot| !slot.is_secret())
        });
        let base = origins.base(&recipe.hosts[0]);
        let mut warnings = Vec::new();
        match recipe.probe.as_ref().or(first) {
            Some(step) => {
                run.step(step).await?;
            }
            None => {
                run.reach(&recipe.hosts[0]).await?;
                if recipe.by_admin() {
                    warnings.push(
                        "the recipe has no [probe]: whether the admin secret is accepted was not tried"
                            .to_owned(),
                    );
                }
            }
        }
        if base.starts_with("http:") {
            warnings
                .push(format!("passwords travel to {base} in clear; only this machine may be spoken to so"));
        }
        if recipe.terminate.is_none() {
            warnings.push("the recipe has no [terminate]: sessions that are open stay open".to_owned());
        }
        Ok(Probe { target: format!("{base} by recipe {}", recipe.id), warnings })
    }

    async fn change(&self, attempt: &Attempt<'_>) -> Result<Receipt, Failure> {
        let recipe = &self.checked.recipe;
        let values =
            Values { current: attempt.old, staged: Some(attempt.new), ..Values::of(attempt.username) };
        let mut run = self.run(values)?;
        for step in &recipe.steps {
            run.step(step).await?;
        }
        let mut method = format!("HTTP recipe {}", recipe.id);
        if let Some(terminate) = recipe.terminate.as_ref().filter(|_| !recipe.ends_sessions_alone()) {
            // The password is changed; that other sessions live on is told, and is no failure of the change.
            match run.step(terminate).await {
                Ok(_) => method.push_str("; other sessions were ended"),
                Err(failure) => {
                    method.push_str("; other sessions could not be ended: ");
                    method.push_str(&failure.message);
                }
            }
        }
        Ok(Receipt { method })
    }

    async fn verify(&self, username: &str, secret: &SecretString) -> Result<Verdict, Failure> {
        let verify = &self.checked.recipe.verify;
        let mut run = self.run(Values { current: Some(secret), ..Values::of(username) })?;
        let Some((judged, before)) = verify.steps.split_last() else {
            return Err(Failure::not_applied(Class::NeedsPerson, "the recipe has no login to verify with"));
        };
        for step in before {
            run.step(step).await?;
        }
        let answer = run.send(judged).await?;
        if verify.positive.holds(&answer) {
            return Ok(Verdict::Works);
        }
        // A locked login or a rate limit looks like a refusal to who asks the status alone.
        let known = judged.errors.iter().find(|declared| declared.matches(&answer));
        if let Some(declared) = known.filter(|declared| declared.class != Class::Auth) {
            return Err(run.declared(judged, declared, &answer));
        }
        if verify.negative.holds(&answer) {
            return Ok(Verdict::Refused);
        }
        let class =
            if answer.status == 429 || answer.status >= 500 { Class::Transient } else { Class::NeedsPerson };
        let what = format!(
            "answered with status {}, which is neither verify.positive nor verify.negative",
            answer.status
        );
        Err(run.failure(class, judged, &what))
    }

    async fn end_sessions(&self, username: &str) -> Result<SessionsEnded, Failure> {
        let recipe = &self.checked.recipe;
        let Some(terminate) = recipe.terminate.as_ref().filter(|_| recipe.ends_sessions_alone()) else {
            let what = "the recipe ends sessions only within a change, or not at all";
            return Err(Failure::not_applied(Class::NeedsPerson, what));
        };
        let mut run = self.run(Values::of(username))?;
        run.step(terminate).await?;
        Ok(SessionsEnded { count: number(run.captured("count")) })
    }
}
