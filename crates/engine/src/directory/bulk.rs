//! Many operations in one request: each goes the way of a single one, in the order that their
//! references need, and is whole or not at all; the request is not (RFC 7644 §3.7).

use latchkey_scim::bulk::{Bulk, BulkRequest, Method, Outcome, Step};
use latchkey_scim::json::Json;
use latchkey_scim::limits::Limits;
use latchkey_scim::schema::USER_TYPE;

use super::users::etag;
use super::{Directory, Done, Effect, GroupAnswer, GroupShown, UserAnswer};
use crate::Error;

/// What one operation came to.
struct Stepped {
    outcome: Outcome,
    effects: Vec<Effect>,
    hints: Vec<String>,
}

impl Directory<'_> {
    /// Performs a bulk request and writes its answer. `base` is the URL of the SCIM root, and
    /// `worded` the edge's words for a service's error, as a single request would get them.
    ///
    /// # Errors
    /// When the body is no bulk request or has too many operations. What goes wrong within an
    /// operation is in the answer.
    pub async fn bulk(
        &self,
        body: &Json,
        base: &str,
        limits: &Limits,
        worded: impl Fn(Error) -> latchkey_scim::Error,
    ) -> Result<Done<String>, Error> {
        let mut bulk = Bulk::new(BulkRequest::parse(body, limits)?, base);
        let (mut effects, mut hints) = (Vec::<Effect>::new(), Vec::new());
        while let Some(step) = bulk.next_step() {
            // Boxed: the futures of all the operations would lie side by side in this one.
            let outcome = match Box::pin(self.step(&step, limits)).await {
                Ok(stepped) => {
                    add_up(&mut effects, stepped.effects);
                    hints.extend(stepped.hints);
                    stepped.outcome
                }
                Err(error) => Outcome::Failed(worded(error)),
            };
            bulk.done(outcome);
        }
        hints.sort_unstable();
        hints.dedup();
        Ok(Done { value: bulk.into_response(), effects, hints })
    }

    async fn step(&self, step: &Step, limits: &Limits) -> Result<Stepped, Error> {
        let id = step.id.as_deref().unwrap_or_default();
        let (data, conditions) = (&step.data, &step.conditions);
        if std::ptr::eq(step.ty, &USER_TYPE) {
            return match step.method {
                Method::Post => self.user_create(data, limits).await.map(|done| user(201, done)),
                Method::Put => {
                    self.user_replace(id, data, conditions, limits).await.map(|done| user(200, done))
                }
                Method::Patch => {
                    self.user_patch(id, data, conditions, limits).await.map(|done| user(200, done))
                }
                Method::Delete => self.user_delete(id, conditions).await.map(|done| gone(id, done)),
            };
        }
        match step.method {
            Method::Post => {
                self.group_create(data, GroupShown::Row, limits).await.map(|done| group(201, done))
            }
            Method::Put => self
                .group_replace(id, data, conditions, GroupShown::Row, limits)
                .await
                .map(|done| group(200, done)),
            Method::Patch => self
                .group_patch(id, data, conditions, GroupShown::Row, limits)
                .await
                .map(|done| group(204, done)),
            Method::Delete => self.group_delete(id, conditions).await.map(|done| gone(id, done)),
        }
    }
}

fn user(status: u16, done: Done<UserAnswer>) -> Stepped {
    let member = &done.value.member;
    let outcome = Outcome::Done { status, id: member.id.to_string(), version: Some(etag(member.version)) };
    Stepped { outcome, effects: done.effects, hints: done.hints }
}

fn group(status: u16, done: Done<GroupAnswer>) -> Stepped {
    let team = &done.value.team;
    let outcome = Outcome::Done { status, id: team.id.to_string(), version: Some(etag(team.version)) };
    Stepped { outcome, effects: done.effects, hints: done.hints }
}

fn gone(id: &str, done: Done<()>) -> Stepped {
    let outcome = Outcome::Done { status: 204, id: id.to_owned(), version: None };
    Stepped { outcome, effects: done.effects, hints: done.hints }
}

/// A thousand creations are one line.
fn add_up(effects: &mut Vec<Effect>, more: Vec<Effect>) {
    for effect in more {
        match effects.iter_mut().find(|known| known.what == effect.what) {
            Some(known) => {
                known.count = Some(known.count.unwrap_or(1) + effect.count.unwrap_or(1));
            }
            None => effects.push(effect),
        }
    }
}
