//! Making, changing and deleting: in words that the target takes, and as much as it takes.

use std::sync::atomic::Ordering;

use latchkey_provisioning::jobfile::Dialect;
use latchkey_provisioning::{Difference, Kind};
use reqwest::Method;
use serde_json::{Map, Value as Json};

use crate::answer::{Exchange, id_of, object};
use crate::client::{Client, collection};
use crate::failure::{Failure, FailureKind};
use crate::{dialect, extensions};

/// So many members may be refused alone; then it is probably not about them.
const REFUSED_MEMBERS: usize = 8;

/// What is still to be done with a group's members.
enum Step<'i> {
    Send(&'i [String]),
    /// The halves of a portion that was refused have been sent.
    Judge {
        size: usize,
        refused: usize,
    },
}

impl Client {
    /// Makes an object, and answers with its id. An extension that the target does not know is left
    /// out; the exchange's note says so.
    ///
    /// # Errors
    /// When the target does not answer, refuses, or answers without an id.
    pub async fn create(
        &self,
        kind: Kind,
        mut resource: Map<String, Json>,
        trail: &mut Vec<Exchange>,
    ) -> Result<String, Failure> {
        let mut left_out = extensions::of_resource(&resource);
        left_out.retain(|urn| self.is_unknown(urn));
        resource.retain(|key, _| !left_out.contains(key));
        let refusal = match self.post(kind, resource.clone(), &left_out, trail).await {
            Err(failure) if failure.kind == FailureKind::BadRequest => failure,
            result => return result,
        };
        let unlisted = self.unlisted(extensions::of_resource(&resource), trail).await?;
        if unlisted.is_empty() {
            return Err(refusal);
        }
        resource.retain(|key, _| !unlisted.contains(key));
        left_out.extend(unlisted.iter().cloned());
        let made = self.post(kind, resource, &left_out, trail).await;
        if made.is_ok() {
            self.leave_out_from_now_on(unlisted);
        }
        made
    }

    /// Changes an object. `held` is what the target holds. If the target refuses the changes together,
    /// each is sent alone, so that one that it does not take does not hold up the others, least of all
    /// that somebody is out.
    ///
    /// # Errors
    /// When the target does not answer or refuses; [`FailureKind::NotFound`] when it is gone.
    pub async fn change(
        &self,
        kind: Kind,
        id: &str,
        (differences, held): (&[Difference], &Map<String, Json>),
        trail: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        let known = |one: &&Difference| one.path.urn.as_ref().is_none_or(|urn| !self.is_unknown(urn));
        let differences: Vec<Difference> = differences.iter().filter(known).cloned().collect();
        if differences.is_empty() {
            return Ok(());
        }
        let refusal = match self.change_at_once(kind, id, (&differences, held), trail).await {
            Err(failure) if failure.kind == FailureKind::BadRequest => failure,
            result => return result,
        };
        let portions = portions(&differences);
        let alone = portions.len() == 1;
        let mut refusals = Vec::new();
        for portion in portions {
            let refusal = if alone {
                refusal.clone()
            } else {
                match self.change_at_once(kind, id, (&portion, held), trail).await {
                    Ok(()) => continue,
                    Err(failure) if failure.kind == FailureKind::BadRequest => failure,
                    Err(failure) => return Err(failure),
                }
            };
            let unlisted = self.unlisted(extensions::of_changes(&portion), trail).await?;
            if unlisted.is_empty() {
                refusals.push((portion[0].path.to_string(), refusal));
                continue;
            }
            if let Some(exchange) = trail.last_mut() {
                exchange.note = Some(extensions::note(&unlisted));
            }
            self.leave_out_from_now_on(unlisted);
        }
        let Some((_, first)) = refusals.first() else { return Ok(()) };
        let messages: Vec<String> =
            refusals.iter().map(|(path, failure)| format!("{path}: {}", failure.message)).collect();
        Err(Failure { message: messages.join("; "), ..first.clone() })
    }

    /// Adds members to a group, and takes others out: in portions, which get smaller where the target
    /// refuses large ones, down to the members that it refuses alone.
    ///
    /// # Errors
    /// When the target does not answer, refuses the group, or refuses members; all others are in step
    /// then, and sending them again changes nothing.
    pub async fn change_members(
        &self,
        id: &str,
        (add, remove): (&[String], &[String]),
        trail: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        let mut refusals = Vec::new();
        self.in_portions(id, dialect::add_members, add, (&mut refusals, trail)).await?;
        self.in_portions(id, dialect::remove_members, remove, (&mut refusals, trail)).await?;
        let Some((_, first)) = refusals.first() else { return Ok(()) };
        let who: Vec<&str> = refusals.iter().map(|(id, _)| id.as_str()).collect();
        let message = format!("the member {} is refused: {}", who.join(", "), first.message);
        Err(Failure { message, ..first.clone() })
    }

    async fn in_portions<'i>(
        &self,
        group: &str,
        words: fn(Dialect, &[String]) -> Vec<Json>,
        ids: &'i [String],
        (refusals, trail): (&mut Vec<(&'i String, Failure)>, &mut Vec<Exchange>),
    ) -> Result<(), Failure> {
        let most = self.shared.members_at_once.load(Ordering::Relaxed);
        let mut steps: Vec<Step<'_>> = ids.chunks(most).rev().map(Step::Send).collect();
        while let Some(step) = steps.pop() {
            let part = match step {
                Step::Send(part) => part,
                Step::Judge { size, refused } => {
                    // The halves went through, so it was the number that the target did not take.
                    if refusals.len() == refused {
                        self.shared.members_at_once.fetch_min(size, Ordering::Relaxed);
                    }
                    continue;
                }
            };
            let refusal = match self.patch(Kind::Group, group, &|dialect| words(dialect, part), trail).await {
                Ok(()) => continue,
                Err(failure) if failure.kind == FailureKind::BadRequest => failure,
                Err(failure) => return Err(failure),
            };
            match part {
                [one] if refusals.len() < REFUSED_MEMBERS => refusals.push((one, refusal)),
                [_] => return Err(refusal),
                part => {
                    let (first, second) = part.split_at(part.len().div_ceil(2));
                    let judge = Step::Judge { size: first.len(), refused: refusals.len() };
                    steps.extend([judge, Step::Send(second), Step::Send(first)]);
                }
            }
        }
        Ok(())
    }

    /// Deletes an object; that it is gone already is as good.
    ///
    /// # Errors
    /// When the target does not answer or refuses.
    pub async fn delete(&self, kind: Kind, id: &str, trail: &mut Vec<Exchange>) -> Result<(), Failure> {
        match self.send(Method::DELETE, self.url(&[collection(kind), id]), None, trail).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.kind == FailureKind::NotFound => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    async fn post(
        &self,
        kind: Kind,
        resource: Map<String, Json>,
        left_out: &[String],
        trail: &mut Vec<Exchange>,
    ) -> Result<String, Failure> {
        let body = dialect::create(kind, self.dialect(), resource);
        let answer = self.send(Method::POST, self.url(&[collection(kind)]), Some(body), trail).await;
        if let (false, Some(exchange)) = (left_out.is_empty(), trail.last_mut()) {
            exchange.note = Some(extensions::note(left_out));
        }
        id_of(&object(&answer?.body)?)
    }

    async fn change_at_once(
        &self,
        kind: Kind,
        id: &str,
        (differences, held): (&[Difference], &Map<String, Json>),
        trail: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        let body = |dialect| vec![dialect::change(kind, dialect, differences, held)];
        self.patch(kind, id, &body, trail).await
    }

    /// Sends changes in the words that the target is known to want. One that is still to be found
    /// out about, and does not understand the standard's, gets Entra ID's from then on.
    async fn patch(
        &self,
        kind: Kind,
        id: &str,
        bodies: &(dyn Fn(Dialect) -> Vec<Json> + Sync),
        trail: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        let url = self.url(&[collection(kind), id]);
        let words = self.dialect();
        let mut refused = None;
        for body in bodies(words) {
            match self.send(Method::PATCH, url.clone(), Some(body), trail).await {
                Ok(_) => {}
                Err(failure) if self.may_want_entra(&failure) => {
                    refused = Some(failure);
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        let Some(refused) = refused else { return Ok(()) };
        for body in bodies(Dialect::Entra) {
            if self.send(Method::PATCH, url.clone(), Some(body), trail).await.is_err() {
                // The first refusal says more.
                return Err(refused);
            }
        }
        self.shared.wants_entra.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn may_want_entra(&self, failure: &Failure) -> bool {
        self.shared.dialect == Dialect::Auto
            && self.dialect() == Dialect::Rfc
            && matches!(failure.kind, FailureKind::BadRequest | FailureKind::NotImplemented)
    }
}

/// Changes that belong together: all of one value of an attribute, as of the work address.
fn portions(differences: &[Difference]) -> Vec<Vec<Difference>> {
    let mut portions: Vec<Vec<Difference>> = Vec::new();
    for one in differences {
        let same = |other: &Difference| {
            other.path.urn == one.path.urn
                && other.path.attribute == one.path.attribute
                && other.path.which == one.path.which
        };
        match portions.iter_mut().find(|portion| portion.iter().any(same)) {
            Some(portion) => portion.push(one.clone()),
            None => portions.push(vec![one.clone()]),
        }
    }
    portions
}
