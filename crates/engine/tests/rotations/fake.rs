//! A target in memory: logins with their passwords, and what goes wrong next.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use latchkey_engine::rotations::{CodeSource, Doing, Target, Targets};
use latchkey_rotation::{Class, Evidence, Failure, Verdict};
use latchkey_rotators::{Abilities, Attempt, Probe, Receipt, SessionsEnded};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// What goes wrong with the next act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// The act never ends, and nothing was done.
    HangsBefore,
    /// The act never ends, and it was done.
    HangsAfter,
    /// It was done, and the answer is an error.
    AnswerLost,
    Busy,
    RefusesValue,
    RefusesAdmin,
    WantsPerson,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// By login; the first is the newest.
    pub(crate) passwords: HashMap<String, Vec<String>>,
    pub(crate) next: VecDeque<Trouble>,
    /// What was asked for, in order: `change`, `login`, `end`.
    pub(crate) acts: Vec<&'static str>,
    pub(crate) keeps_old: bool,
    pub(crate) hanging: bool,
    /// How many of the next logins need a one-time code.
    pub(crate) asks_codes: usize,
    /// What its page looks like when it wants a person.
    pub(crate) picture: Vec<u8>,
    /// The codes that it was given, in order.
    pub(crate) codes_seen: Vec<String>,
    codes: Option<Codes>,
}

struct Codes(CodeSource);

impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("codes")
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Fake(pub(crate) Arc<Mutex<State>>);

impl Fake {
    pub(crate) fn has(&self, login: &str, password: &str) {
        self.0.lock().unwrap().passwords.insert(login.to_owned(), vec![password.to_owned()]);
    }

    pub(crate) fn works(&self, login: &str) -> String {
        self.0.lock().unwrap().passwords[login][0].clone()
    }

    pub(crate) fn accepts(&self, login: &str, password: &str) -> bool {
        self.0.lock().unwrap().passwords[login].iter().any(|known| known == password)
    }

    pub(crate) fn then(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.0.lock().unwrap().next.extend(troubles);
    }

    pub(crate) fn acts(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().acts)
    }

    pub(crate) fn hangs(&self) -> bool {
        self.0.lock().unwrap().hanging
    }

    fn begin(&self, act: &'static str) -> Trouble {
        let mut state = self.0.lock().unwrap();
        state.acts.push(act);
        state.next.pop_front().unwrap_or(Trouble::None)
    }

    async fn act<T>(&self, act: &'static str, done: impl FnOnce(&mut State) -> T) -> Result<T, Failure> {
        let trouble = self.begin(act);
        let failure = match trouble {
            Trouble::None => None,
            Trouble::HangsBefore => {
                self.0.lock().unwrap().hanging = true;
                return std::future::pending().await;
            }
            Trouble::HangsAfter => {
                done(&mut self.0.lock().unwrap());
                self.0.lock().unwrap().hanging = true;
                return std::future::pending().await;
            }
            Trouble::AnswerLost => {
                done(&mut self.0.lock().unwrap());
                return Err(Failure::unknown(Class::Transient, "the answer was lost"));
            }
            Trouble::Busy => Some((Class::Transient, "the target is busy")),
            Trouble::RefusesValue => Some((Class::Policy, "the target refuses this password")),
            Trouble::RefusesAdmin => Some((Class::Auth, "the connector's credential is refused")),
            Trouble::WantsPerson => Some((Class::NeedsPerson, "the target shows a CAPTCHA")),
        };
        match failure {
            None => Ok(done(&mut self.0.lock().unwrap())),
            Some((class, message)) => {
                let picture = (trouble == Trouble::WantsPerson).then(|| Evidence {
                    media_type: "image/png",
                    bytes: self.0.lock().unwrap().picture.clone(),
                });
                Err(Failure::not_applied(class, message).with_evidence(picture))
            }
        }
    }
}

impl Target for Fake {
    fn abilities(&self) -> Abilities {
        Abilities { by_admin: true, ends_sessions: true, proves_refusal: true }
    }

    fn probe<'a>(&'a self, _: &'a str) -> Doing<'a, Probe> {
        Box::pin(async { Ok(Probe { target: "a fake".to_owned(), warnings: Vec::new() }) })
    }

    fn change<'a>(&'a self, attempt: &'a Attempt<'a>) -> Doing<'a, Receipt> {
        Box::pin(async move {
            let (login, new) = (attempt.username.to_owned(), attempt.new.expose_secret().to_owned());
            self.act("change", move |state| {
                let keeps_old = state.keeps_old;
                let passwords = state.passwords.entry(login).or_default();
                passwords.insert(0, new);
                passwords.truncate(if keeps_old { 2 } else { 1 });
            })
            .await?;
            Ok(Receipt { method: "set in memory".to_owned() })
        })
    }

    fn verify<'a>(&'a self, username: &'a str, secret: &'a SecretString) -> Doing<'a, Verdict> {
        Box::pin(async move {
            let works = self.clone();
            let source = self.0.lock().unwrap().codes.as_ref().map(|codes| Arc::clone(&codes.0));
            let asks = {
                let mut state = self.0.lock().unwrap();
                let asks = state.asks_codes > 0;
                state.asks_codes = state.asks_codes.saturating_sub(1);
                asks
            };
            if asks {
                let source = source.expect("the account has a seed");
                let code = source().await.map_err(|what| Failure::not_applied(Class::Transient, what))?;
                self.0.lock().unwrap().codes_seen.push(code.code.expose_secret().to_owned());
            }
            self.act("login", |_| ()).await?;
            let works = works.accepts(username, secret.expose_secret());
            Ok(if works { Verdict::Works } else { Verdict::Refused })
        })
    }

    fn end_sessions<'a>(&'a self, _: &'a str) -> Doing<'a, SessionsEnded> {
        Box::pin(async {
            self.act("end", |_| ()).await?;
            Ok(SessionsEnded { count: Some(3) })
        })
    }
}

impl Targets for Fake {
    fn make(
        &self,
        kind: &str,
        config: &Value,
        admin: Option<SecretString>,
        codes: Option<CodeSource>,
    ) -> Result<Arc<dyn Target>, String> {
        if kind != "fake" {
            return Err(format!("kind: there is no `{kind}`"));
        }
        if config.get("needs_admin").is_some() && admin.is_none() {
            return Err("admin: is missing".to_owned());
        }
        self.0.lock().unwrap().codes = codes.map(Codes);
        Ok(Arc::new(self.clone()))
    }
}
