//! A directory, a SCIM provider and a ledger in memory, whose every step may fail or be the last.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use latchkey_cycles::{Ledger, LedgerError, MemoryLedger, Reading, Source, Target};
use latchkey_kernel::Timestamp;
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Watermark};
use latchkey_provisioning::ledger::{MemberRow, ObjectKey, ObjectRow, Totals, Write};
use latchkey_provisioning::state::JobState;
use latchkey_provisioning::{Difference, Entry, EntryId, Kind, Presence, TargetPath};
use latchkey_scim_client::{Exchange, Failure, FailureKind, Found};
use serde_json::{Map, Value as Json, json};

/// Repeatable randomness (xorshift64*): the seed is all there is to a run.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit).unwrap_or(0)
    }

    /// Whether a chance of so many in a thousand came true.
    pub(crate) fn chance(&mut self, per_mille: usize) -> bool {
        self.below(1_000) < per_mille
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a process may be killed, and where another gets its turn.
pub(crate) async fn a_step() {
    let mut waited = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What goes wrong.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) dice: Mutex<Dice>,
    /// Of a thousand steps.
    pub(crate) per_mille: Mutex<usize>,
}

impl Faults {
    fn strike(&self) -> Option<usize> {
        let mut dice = locked(&self.dice);
        dice.chance(*locked(&self.per_mille)).then(|| dice.below(100))
    }
}

/// People and groups, and what changed when.
#[derive(Debug, Default, Clone)]
pub(crate) struct Directory {
    pub(crate) people: BTreeMap<String, Person>,
    pub(crate) groups: BTreeMap<String, Vec<String>>,
    /// Who changed, oldest first.
    pub(crate) changes: Vec<(Kind, String)>,
    /// Under which login name somebody is known whose id is another.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Whether no watermark is known any more.
    pub(crate) forgets: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) manager: Option<String>,
}

impl Directory {
    pub(crate) fn change_of(&self, kind: Kind, id: &str) -> Change {
        let login = self.aliases.get(id).map_or(id, String::as_str);
        let whole = |attributes: Map<String, Json>, enabled, manager: Option<String>| {
            Box::new(Entry {
                id: EntryId(id.to_owned()),
                kind,
                presence: Presence::Present,
                enabled,
                attributes,
                assignments: Vec::new(),
                manager: manager.map(EntryId),
            })
        };
        let map = |json: Json| json.as_object().cloned().unwrap_or_default();
        let person = self.people.get(id).filter(|_| kind == Kind::User).map(|person| Change::Present {
            entry: whole(
                map(json!({ "userPrincipalName": format!("{login}@corp.example"), "displayName": person.name })),
                person.enabled,
                person.manager.clone(),
            ),
            members: None,
        });
        let group = self.groups.get(id).filter(|_| kind == Kind::Group).map(|members| Change::Present {
            entry: whole(map(json!({ "displayName": id, "objectId": id })), true, None),
            members: Some(Members::Whole(members.iter().cloned().map(EntryId).collect())),
        });
        person.or(group).unwrap_or(Change::Left {
            id: EntryId(id.to_owned()),
            kind,
            presence: Presence::Deleted,
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct SimSource {
    pub(crate) directory: Arc<Mutex<Directory>>,
    pub(crate) faults: Arc<Faults>,
}

pub(crate) struct SimReading {
    changes: Vec<Change>,
    at: usize,
    full: bool,
    until: usize,
    faults: Arc<Faults>,
}

impl SimSource {
    /// Somebody as the source has them now.
    pub(crate) fn change_of(&self, kind: Kind, id: &str) -> Change {
        locked(&self.directory).change_of(kind, id)
    }
}

impl Source for SimSource {
    type Reading = SimReading;

    async fn read(&self, since: Option<&Watermark>) -> Result<SimReading, SourceError> {
        a_step().await;
        if since.is_some() && self.faults.strike().is_some_and(|kind| kind < 30) {
            return Err(SourceError::new(SourceErrorKind::Expired, "the watermark is not known any more"));
        }
        let directory = locked(&self.directory);
        if since.is_some() && directory.forgets {
            return Err(SourceError::new(SourceErrorKind::Expired, "the watermark is not known any more"));
        }
        let from = since.and_then(|watermark| watermark.0.parse::<usize>().ok());
        let told: Vec<(Kind, String)> = match from {
            Some(from) => directory.changes[from..].to_vec(),
            None => {
                let people = directory.people.keys().map(|id| (Kind::User, id.clone()));
                people.chain(directory.groups.keys().map(|id| (Kind::Group, id.clone()))).collect()
            }
        };
        let changes = told.iter().map(|(kind, id)| directory.change_of(*kind, id)).collect();
        let until = directory.changes.len();
        Ok(SimReading { changes, at: 0, full: from.is_none(), until, faults: Arc::clone(&self.faults) })
    }

    async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        a_step().await;
        let directory = locked(&self.directory);
        Ok(ids.iter().map(|id| directory.change_of(kind, &id.0)).collect())
    }
}

impl Reading for SimReading {
    fn is_full(&self) -> bool {
        self.full
    }

    fn expected(&self) -> Option<u64> {
        Some(self.changes.len() as u64)
    }

    async fn next(&mut self) -> Result<Option<Vec<Change>>, SourceError> {
        a_step().await;
        if self.faults.strike().is_some() {
            return Err(SourceError::new(SourceErrorKind::Unreachable, "the page did not come"));
        }
        let page: Vec<Change> = self.changes.iter().skip(self.at).take(3).cloned().collect();
        self.at += page.len();
        Ok((!page.is_empty()).then_some(page))
    }

    fn watermark(self) -> Watermark {
        Watermark(self.until.to_string())
    }
}

/// One object at the provider.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) kind: Kind,
    pub(crate) resource: Map<String, Json>,
    pub(crate) members: Vec<String>,
    pub(crate) manager: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Provider {
    pub(crate) objects: BTreeMap<String, Held>,
    pub(crate) made: BTreeMap<String, usize>,
    /// Disabled or deleted, in all.
    pub(crate) let_go: usize,
    pub(crate) requests: usize,
    /// Whether it answers searches with anything but a list.
    pub(crate) cannot_search: bool,
    next: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct SimTarget {
    pub(crate) provider: Arc<Mutex<Provider>>,
    pub(crate) faults: Arc<Faults>,
    /// Whether it refuses a second object of one name.
    pub(crate) unique: bool,
}

impl SimTarget {
    /// One request: it may fail before it is performed, or its answer may be lost after it was.
    async fn perform<T>(
        &self,
        method: &'static str,
        trail: &mut Vec<Exchange>,
        act: impl FnOnce(&mut Provider) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        trail.push(Exchange {
            method,
            path: String::new(),
            body: None,
            status: Some(200),
            millis: 0,
            note: None,
        });
        a_step().await;
        let strike = self.faults.strike();
        match strike {
            Some(0..20) => return Err(Failure::new(FailureKind::TooManyRequests, "slower")),
            Some(20..50) => return Err(Failure::new(FailureKind::ServerError, "we failed")),
            Some(50..60) => return Err(Failure::new(FailureKind::Connect, "nobody answers")),
            _ => {}
        }
        let done = act(&mut locked(&self.provider));
        a_step().await;
        match strike {
            Some(_) => Err(Failure::new(FailureKind::Timeout, "no answer in time")),
            None => done,
        }
    }
}

fn name_of(kind: Kind, resource: &Map<String, Json>) -> String {
    let name = if kind == Kind::User { "userName" } else { "displayName" };
    resource.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

impl Target for SimTarget {
    async fn find(
        &self,
        kind: Kind,
        path: &TargetPath,
        value: &str,
        trail: &mut Vec<Exchange>,
    ) -> Result<Found, Failure> {
        self.perform("GET", trail, |provider| {
            if provider.cannot_search {
                return Err(Failure::new(FailureKind::IncompatibleFiltering, "404 where a list is due"));
            }
            let is_it = |held: &Held| {
                held.kind == kind && path.read(&held.resource).and_then(Json::as_str) == Some(value)
            };
            let found: Vec<_> = provider.objects.iter().filter(|(_, held)| is_it(held)).collect();
            Ok(match found.as_slice() {
                [] => Found::None,
                [(id, held)] => Found::One((*id).clone(), held.resource.clone()),
                several => Found::Several(several.len()),
            })
        })
        .await
    }

    async fn read(
        &self,
        _: Kind,
        id: &str,
        trail: &mut Vec<Exchange>,
    ) -> Result<Option<Map<String, Json>>, Failure> {
        self.perform("GET", trail, |provider| Ok(provider.objects.get(id).map(|held| held.resource.clone())))
            .await
    }

    async fn create(
        &self,
        kind: Kind,
        resource: Map<String, Json>,
        trail: &mut Vec<Exchange>,
    ) -> Result<String, Failure> {
        let unique = self.unique;
        self.perform("POST", trail, move |provider| {
            let name = name_of(kind, &resource);
            let taken = |held: &Held| held.kind == kind && name_of(kind, &held.resource) == name;
            if unique && provider.objects.values().any(taken) {
                return Err(Failure::new(FailureKind::Conflict, "the name is taken"));
            }
            provider.requests += 1;
            *provider.made.entry(name).or_default() += 1;
            provider.next += 1;
            let id = format!("t{}", provider.next);
            provider.objects.insert(id.clone(), Held { kind, resource, members: Vec::new(), manager: None });
            Ok(id)
        })
        .await
    }

    async fn change(
        &self,
        _: Kind,
        id: &str,
        (differences, _): (&[Difference], &Map<String, Json>),
        trail: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        self.perform("PATCH", trail, |provider| {
            provider.requests += 1;
            let Some(mut held) = provider.objects.get(id).cloned() else {
                return Err(Failure::new(FailureKind::NotFound, "there is no such object"));
            };
            for one in differences {
                if one.path.attribute == "manager" {
                    held.manager = one.new.as_ref().and_then(Json::as_str).map(str::to_owned);
                    if held.manager.as_ref().is_some_and(|id| !provider.objects.contains_key(id)) {
                        return Err(Failure::new(FailureKind::BadRequest, "there is no such manager"));
                    }
                    continue;
                }
                match &one.new {
                    Some(value) => one.path.write(&mut held.resource, value.clone()),
                    None => drop(held.resource.remove(&one.path.attribute)),
                }
                if one.path.attribute == "active" && one.new == Some(json!(false)) {
                    provider.let_go += 1;
                }
            }
            provider.objects.insert(id.to_owned(), held);
            Ok(())
        })
        .await
    }

    async fn change_members(
        &self,
        id: &str,
        (add, remove): (&[String], &[String]),
        trail: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        self.perform("PATCH", trail, |provider| {
            provider.requests += 1;
            if let Some(unknown) = add.iter().find(|id| !provider.objects.contains_key(*id)) {
                return Err(Failure::new(FailureKind::BadRequest, format!("{unknown} is nobody")));
            }
            let Some(held) = provider.objects.get_mut(id) else {
                return Err(Failure::new(FailureKind::NotFound, "there is no such group"));
            };
            held.members.retain(|member| !remove.contains(member) && !add.contains(member));
            held.members.extend(add.iter().cloned());
            Ok(())
        })
        .await
    }

    async fn delete(&self, _: Kind, id: &str, trail: &mut Vec<Exchange>) -> Result<(), Failure> {
        self.perform("DELETE", trail, |provider| {
            provider.requests += 1;
            if provider.objects.remove(id).is_some() {
                provider.let_go += 1;
            }
            for held in provider.objects.values_mut() {
                held.members.retain(|member| member != id);
                held.manager = held.manager.take().filter(|manager| manager != id);
            }
            Ok(())
        })
        .await
    }
}

/// A ledger that only the last to have taken the job may use.
#[derive(Debug, Clone)]
pub(crate) struct SimLedger {
    pub(crate) rows: Arc<MemoryLedger>,
    pub(crate) holder: Arc<Mutex<usize>>,
    pub(crate) node: usize,
}

impl SimLedger {
    /// The same for somebody who takes the job over.
    pub(crate) fn taken_over(&self) -> Self {
        let mut holder = locked(&self.holder);
        *holder += 1;
        Self { node: *holder, ..self.clone() }
    }

    async fn turn(&self) -> Result<(), LedgerError> {
        a_step().await;
        if *locked(&self.holder) == self.node { Ok(()) } else { Err(LedgerError::Lost) }
    }
}

impl Ledger for SimLedger {
    async fn state(&self) -> Result<JobState, LedgerError> {
        self.turn().await?;
        self.rows.state().await
    }

    async fn objects(&self, keys: &[ObjectKey]) -> Result<Vec<ObjectRow>, LedgerError> {
        self.turn().await?;
        self.rows.objects(keys).await
    }

    async fn page(&self, after: Option<ObjectKey>, limit: usize) -> Result<Vec<ObjectRow>, LedgerError> {
        self.turn().await?;
        self.rows.page(after, limit).await
    }

    async fn due_objects(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, LedgerError> {
        self.turn().await?;
        self.rows.due_objects(now, after, limit).await
    }

    async fn due_managers(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, LedgerError> {
        self.turn().await?;
        self.rows.due_managers(now, after, limit).await
    }

    async fn due_groups(
        &self,
        now: Timestamp,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectKey>, LedgerError> {
        self.turn().await?;
        self.rows.due_groups(now, after, limit).await
    }

    async fn due_members(
        &self,
        group: ObjectKey,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        self.turn().await?;
        self.rows.due_members(group, now, limit).await
    }

    async fn members_of(
        &self,
        group: ObjectKey,
        after: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<MemberRow>, LedgerError> {
        self.turn().await?;
        self.rows.members_of(group, after, limit).await
    }

    async fn groups_of(&self, member: ObjectKey) -> Result<Vec<MemberRow>, LedgerError> {
        self.turn().await?;
        self.rows.groups_of(member).await
    }

    async fn linked_to(&self, kind: Kind, target_id: &str) -> Result<Option<ObjectRow>, LedgerError> {
        self.turn().await?;
        self.rows.linked_to(kind, target_id).await
    }

    async fn totals(&self) -> Result<Totals, LedgerError> {
        self.turn().await?;
        self.rows.totals().await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), LedgerError> {
        self.turn().await?;
        self.rows.write(writes).await?;
        a_step().await;
        Ok(())
    }
}

/// Runs a future in which nothing waits for anything outside.
pub(crate) fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
