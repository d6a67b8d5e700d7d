//! One pass over the pages of a recipe, that always knows whether the password may have changed.

use std::sync::Arc;
use std::time::Duration;

use latchkey_rotation::{Class, Failure, Outcome};
use tokio::time::Instant;

use super::devtools::Broken;
use super::page::{Found, Page, State};
use super::recipe::{Act, Declared, Marker, Recipe, Step};
use crate::http::Limits;
use crate::recipe::{Codes, Known, Origins, Values};

/// Between two looks at the page.
const LOOK: Duration = Duration::from_millis(60);

pub(super) struct Run<'a> {
    pub(super) page: Page,
    pub(super) recipe: &'a Recipe,
    pub(super) origins: &'a Origins,
    pub(super) codes: &'a Codes,
    pub(super) values: Values<'a>,
    pub(super) known: Arc<Known>,
    pub(super) limits: Limits,
    pub(super) until: Instant,
    /// Whether the new password may have been sent.
    pub(super) sent: bool,
    /// What shows that the login is refused, while it goes on.
    pub(super) refused: Option<&'a Marker>,
}

/// Why a run goes no further.
pub(super) enum Halt {
    /// The page said that it refuses the login.
    Refused,
    /// Something went wrong.
    Failed(Failure),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Where a run stands, for its errors.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    part: &'static str,
    step: &'a str,
}

impl Run<'_> {
    /// Performs the steps; `errors` are what the recipe knows may show up among them.
    pub(super) async fn steps(
        &mut self,
        part: &'static str,
        steps: &[Step],
        errors: &[Declared],
    ) -> Result<(), Halt> {
        for step in steps {
            let words = step.act.describe();
            let place = Place { part, step: &words };
            if step.point_of_no_return {
                self.click(place, step, errors).await?;
            } else {
                self.act(place, step, errors).await?;
            }
        }
        Ok(())
    }

    async fn act(&mut self, place: Place<'_>, step: &Step, errors: &[Declared]) -> Result<(), Halt> {
        match &step.act {
            Act::Goto { host, path } => {
                let encode = |value: &str| {
                    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
                        .to_string()
                };
                let path = path
                    .fill(&self.values, encode)
                    .map_err(|missing| self.failure(Class::NeedsPerson, place, &missing.to_string()))?;
                let url = format!("{}{}", self.origins.base(host), path.as_str());
                match self.page.go(&url).await {
                    Err(broken) => Err(self.broken(place, &broken).into()),
                    Ok(Some(error)) => Err(self.unreachable(place, &error).into()),
                    Ok(None) => Ok(()),
                }
            }
            Act::Fill { targets, with } => {
                let text = with
                    .fill_plain(&self.values)
                    .map_err(|missing| self.failure(Class::NeedsPerson, place, &missing.to_string()))?;
                self.fill(place, targets, &text, errors).await
            }
            Act::Code { targets } => {
                use secrecy::ExposeSecret;
                let code = self.codes.next().await;
                let code = code.map_err(|what| self.failure(Class::Transient, place, &what))?;
                let Some(code) = code else {
                    let what = "the account has no TOTP secret in Latchkey";
                    return Err(self.failure(Class::NeedsPerson, place, what).into());
                };
                self.fill(place, targets, code.expose_secret(), errors).await
            }
            Act::Click { .. } => self.click(place, step, errors).await,
            Act::WaitFor { marker } | Act::Expect { marker } => {
                self.first_of(place, &[marker], errors).await.map(|_| ())
            }
            Act::Human { when, why } => {
                let needed = match when {
                    None => true,
                    Some(marker) => self.is_there(place, marker).await?,
                };
                if needed { Err(self.failure(Class::NeedsPerson, place, why).into()) } else { Ok(()) }
            }
        }
    }

    async fn fill(
        &mut self,
        place: Place<'_>,
        targets: &[super::recipe::Target],
        text: &str,
        errors: &[Declared],
    ) -> Result<(), Halt> {
        let until = self.step_end();
        loop {
            let found = self.page.focus(targets).await;
            if let Ok(found) = &found
                && found.is_focused()
            {
                break;
            }
            self.go_on(place, found, until, errors, "the field").await?;
        }
        let typed = self.page.type_in(targets, text).await.map_err(|broken| self.broken(place, &broken))?;
        if typed.same {
            return Ok(());
        }
        if typed.prefix && typed.cut > 0 {
            let what = format!("the field keeps only {} characters of what is typed", typed.cut);
            return Err(self.failure(Class::Policy, place, &what).into());
        }
        Err(self.failure(Class::NeedsPerson, place, "the field holds something else than was typed").into())
    }

    async fn click(&mut self, place: Place<'_>, step: &Step, errors: &[Declared]) -> Result<(), Halt> {
        let Act::Click { targets } = &step.act else {
            return Err(self.failure(Class::NeedsPerson, place, "the point of no return is no click").into());
        };
        let until = self.step_end();
        let mut last = None;
        let (x, y) = loop {
            let found = self.page.point(targets).await;
            if let Ok(found) = &found
                && let Some(point) = found.place()
            {
                // What still moves or is being laid out would be missed.
                if last == Some(point) {
                    break point;
                }
                last = Some(point);
                tokio::time::sleep(LOOK).await;
                continue;
            }
            self.go_on(place, found, until, errors, "what is to be clicked").await?;
        };
        self.sent |= step.point_of_no_return;
        self.page.press(x, y).await.map_err(|broken| self.broken(place, &broken).into())
    }

    /// The page has not what a step looks for: waits a little, or gives up.
    async fn go_on(
        &self,
        place: Place<'_>,
        found: Result<Found, Broken>,
        until: Instant,
        errors: &[Declared],
        what: &str,
    ) -> Result<(), Halt> {
        match found {
            Err(Broken::Gone) => return Err(self.broken(place, &Broken::Gone).into()),
            Err(_) if Instant::now() < until => {}
            Err(broken) => return Err(self.broken(place, &broken).into()),
            Ok(found) => {
                self.well(place, &found.state)?;
                self.none_of(place, errors, &found.state).await?;
                if let Some(origin) = &found.foreign {
                    let what = format!("{what} belongs to {origin}, where nothing may be typed");
                    return Err(self.failure(Class::NeedsPerson, place, &what).into());
                }
                if Instant::now() >= until {
                    let why = match found.count {
                        0 => "is not on the page; the page may have changed".to_owned(),
                        1 if found.is_covered() => "is there, but disabled or covered".to_owned(),
                        1 => "cannot be used".to_owned(),
                        count => format!("is there {count} times; the recipe must say which"),
                    };
                    return Err(self.failure(Class::NeedsPerson, place, &format!("{what} {why}")).into());
                }
            }
        }
        tokio::time::sleep(LOOK).await;
        Ok(())
    }

    /// Waits until one of the markers stands on the page, and says which.
    pub(super) async fn first_of(
        &self,
        place: Place<'_>,
        markers: &[&Marker],
        errors: &[Declared],
    ) -> Result<usize, Halt> {
        let until = self.step_end();
        let mut all = markers.to_vec();
        all.extend(errors.iter().map(|declared| &declared.marker));
        all.extend(self.refused);
        loop {
            match self.page.look(&all).await {
                Err(Broken::Gone) => return Err(self.broken(place, &Broken::Gone).into()),
                Err(broken) if Instant::now() >= until => return Err(self.broken(place, &broken).into()),
                Err(_) => {}
                Ok(look) => {
                    let known = look.found.iter().skip(markers.len()).position(|found| *found);
                    match known {
                        Some(at) if at < errors.len() => {
                            return Err(self.declared(place, &errors[at], &look.state).into());
                        }
                        Some(_) => return Err(Halt::Refused),
                        None => {}
                    }
                    if let Some(at) = look.found.iter().take(markers.len()).position(|found| *found) {
                        return Ok(at);
                    }
                    self.well(place, &look.state)?;
                    if Instant::now() >= until {
                        let words: Vec<String> = markers.iter().map(|marker| marker.describe()).collect();
                        let what =
                            format!("the page does not show {}; it may have changed", words.join(" or "));
                        // Once the new password is sent, trying it tells more than a person's look.
                        let class = if self.sent { Class::Transient } else { Class::NeedsPerson };
                        return Err(self.failure(class, place, &what).into());
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether the marker stands on the page once it is loaded.
    async fn is_there(&self, place: Place<'_>, marker: &Marker) -> Result<bool, Failure> {
        let until = self.step_end();
        loop {
            match self.page.look(&[marker]).await {
                Err(Broken::Gone) => return Err(self.broken(place, &Broken::Gone)),
                Ok(look) if look.state.ready || Instant::now() >= until => {
                    self.well(place, &look.state)?;
                    return Ok(look.found.first().copied().unwrap_or_default());
                }
                Err(broken) if Instant::now() >= until => return Err(self.broken(place, &broken)),
                _ => tokio::time::sleep(LOOK).await,
            }
        }
    }

    async fn none_of(&self, place: Place<'_>, errors: &[Declared], state: &State) -> Result<(), Halt> {
        let mut markers: Vec<&Marker> = errors.iter().map(|declared| &declared.marker).collect();
        markers.extend(self.refused);
        if markers.is_empty() {
            return Ok(());
        }
        // What refuses an answer now is asked again with the next look.
        let Ok(look) = self.page.look(&markers).await else { return Ok(()) };
        match look.found.iter().position(|found| *found) {
            Some(at) if at < errors.len() => Err(self.declared(place, &errors[at], state).into()),
            Some(_) => Err(Halt::Refused),
            None => Ok(()),
        }
    }

    /// A page that is none ends the wait at once.
    fn well(&self, place: Place<'_>, state: &State) -> Result<(), Failure> {
        if let Some(where_to) = self.page.turned_away().into_iter().find(|to| to.contains("secret")) {
            let what = format!("a request was stopped that went to {where_to}");
            return Err(self.failure(Class::NeedsPerson, place, &what));
        }
        if state.broken {
            let what = match self.page.turned_away().last() {
                Some(where_to) => format!("the page leads to {where_to}"),
                None => "the connection failed".to_owned(),
            };
            let class =
                if self.page.turned_away().is_empty() { Class::Transient } else { Class::NeedsPerson };
            return Err(self.failure(class, place, &what));
        }
        if state.status == 429 || state.status >= 500 {
            let what = format!("answered with status {}", state.status);
            return Err(self.failure(Class::Transient, place, &what));
        }
        Ok(())
    }

    fn step_end(&self) -> Instant {
        (Instant::now() + self.limits.request).min(self.until)
    }

    pub(super) fn place<'b>(part: &'static str, step: &'b str) -> Place<'b> {
        Place { part, step }
    }

    pub(super) fn failure(&self, class: Class, place: Place<'_>, what: &str) -> Failure {
        let message = format!("recipe {}, {}, {}: {what}", self.recipe.id, place.part, place.step);
        if self.sent { Failure::unknown(class, message) } else { Failure::not_applied(class, message) }
    }

    /// The recipe's author knows that this page means a refusal, which changed nothing; what came with
    /// a server's error, nobody knows.
    fn declared(&self, place: Place<'_>, declared: &Declared, state: &State) -> Failure {
        // No admin's credential takes part, so none can be at fault.
        let class = if declared.class == Class::Auth { Class::NeedsPerson } else { declared.class };
        let what = match &declared.message {
            Some(message) => message.clone(),
            None => format!("the page shows {}", declared.marker.describe()),
        };
        let mut failure = self.failure(class, place, &what);
        if state.status < 500 {
            failure.outcome = Outcome::NotApplied;
        }
        failure
    }

    fn broken(&self, place: Place<'_>, broken: &Broken) -> Failure {
        self.failure(Class::Transient, place, &broken.to_string())
    }

    fn unreachable(&self, place: Place<'_>, error: &str) -> Failure {
        match self.page.turned_away().last() {
            Some(where_to) => {
                self.failure(Class::NeedsPerson, place, &format!("the page leads to {where_to}"))
            }
            None => self.failure(Class::Transient, place, &format!("cannot be reached ({error})")),
        }
    }
}
