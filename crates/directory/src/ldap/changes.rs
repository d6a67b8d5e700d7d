//! The ways to find out what changed, and who left.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use latchkey_provisioning::feed::{Change, SourceError, SourceErrorKind};
use latchkey_provisioning::{EntryId, Kind, Presence};
use ldap3::SearchEntry;
use uuid::Uuid;

use super::link::Link;
use super::mark::{Bytes, Ids, Mark, Tracker, earlier};
use super::people::People;
use super::reading::{Reading, Step};
use super::{Assigned, Ldap, Root, TOGETHER, entry, expired};

/// What is to be told.
#[derive(Default)]
struct Moved {
    changed: Vec<(Kind, String, Uuid)>,
    left: Vec<(Kind, Uuid)>,
}

impl Moved {
    /// Adds who is not among all who are there, and who is new among them though no change was seen:
    /// a filter may let somebody in by what is written elsewhere.
    fn compare(&mut self, mark: &Mark, people: &People) {
        let told: HashSet<Uuid> = self.changed.iter().map(|(_, _, id)| *id).collect();
        for kind in [Kind::User, Kind::Group] {
            let known = &mark.known(kind).0;
            let there: HashSet<Uuid> = people.ids(kind).collect();
            self.left.extend(known.iter().filter(|id| !there.contains(id)).map(|id| (kind, *id)));
            let new = people.named(kind).filter(|(_, id)| !known.contains(id) && !told.contains(id));
            self.changed.extend(new.map(|(name, id)| (kind, name.to_owned(), id)));
        }
    }
}

impl Ldap {
    pub(super) async fn read_all(&self, link: Link, root: &Root) -> Result<Reading, SourceError> {
        let place = &self.0;
        let mut people = People::default();
        let tracker = match root.usn.filter(|_| place.active_directory) {
            Some(usn) => {
                place.learn_all(&link, &mut people).await?;
                Tracker::Usn { server: root.server.clone(), usn }
            }
            None => match self.synced(&link, root, &mut people).await? {
                Some(tracker) => tracker,
                None => Tracker::Time { latest: place.learn_all(&link, &mut people).await? },
            },
        };
        let mut mark =
            Mark { tracker, users: Ids::default(), groups: Ids::default(), assigned: Ids::default() };
        for kind in [Kind::User, Kind::Group] {
            mark.known_mut(kind).0 = people.ids(kind).collect();
        }
        mark.assigned.0 = self.assigned(&link, &mut people).await?;
        let told = [Kind::User, Kind::Group].into_iter().filter(|kind| place.wanted(*kind).told);
        let steps = told.map(|kind| Step::Whole { kind, cookie: Vec::new() }).collect();
        Ok(Reading::new(self.0.clone(), link, mark, people, steps, true))
    }

    /// All ids by content synchronization, and the cookies to go on from; `None` where the server
    /// doesn't offer it, or not to this login.
    pub(super) async fn synced(
        &self,
        link: &Link,
        root: &Root,
        people: &mut People,
    ) -> Result<Option<Tracker>, SourceError> {
        if !root.syncs {
            return Ok(None);
        }
        let mut cookies = Vec::new();
        for kind in [Kind::User, Kind::Group] {
            let nothing = ["1.1".to_owned()];
            let filter = &self.0.wanted(kind).filter;
            let told = match link.changes(self.0.query(filter, &nothing), None).await {
                Ok(told) => told,
                Err(error)
                    if matches!(error.kind, SourceErrorKind::Unreachable | SourceErrorKind::Throttled(_)) =>
                {
                    return Err(error);
                }
                Err(_) => return Ok(None),
            };
            for (name, id) in &told.changed {
                people.learn(kind, name, *id);
            }
            let Some(cookie) = told.cookie else { return Ok(None) };
            cookies.push(Bytes(cookie));
        }
        people.whole = true;
        let (groups, users) = (cookies.pop(), cookies.pop());
        Ok(users.zip(groups).map(|(users, groups)| Tracker::Sync { users, groups }))
    }

    pub(super) async fn read_since(
        &self,
        link: Link,
        root: &Root,
        mut mark: Mark,
    ) -> Result<Reading, SourceError> {
        let place = &self.0;
        let mut people = People::default();
        let Some(Moved { mut changed, left }) = self.moved(&link, root, &mut mark, &mut people).await? else {
            return Ok(Reading::new(self.0.clone(), link, mark, people, VecDeque::new(), false));
        };
        for (kind, name, id) in &changed {
            people.learn(*kind, name, *id);
        }
        self.note_assignments(&link, &mut mark, &mut people, &mut changed).await?;
        let left = self.gone(&link, left).await?;
        for change in &left {
            if let Ok(id) = Uuid::parse_str(&change.id().0) {
                mark.known_mut(change.kind()).0.remove(&id);
            }
        }
        changed.retain(|(kind, _, _)| place.wanted(*kind).told);
        changed.sort_by_key(|(kind, _, _)| *kind);
        let told = left.into_iter().filter(|change| place.wanted(change.kind()).told).collect();
        // Those who left first: they have waited for nothing else.
        let steps = [Step::Left(told), Step::Changed(changed.into())].into();
        Ok(Reading::new(self.0.clone(), link, mark, people, steps, false))
    }

    /// What moved since a mark, which moves on; `None` where nothing did.
    async fn moved(
        &self,
        link: &Link,
        root: &Root,
        mark: &mut Mark,
        people: &mut People,
    ) -> Result<Option<Moved>, SourceError> {
        let place = &self.0;
        let mut moved = Moved::default();
        match mark.tracker.clone() {
            Tracker::Sync { users, groups } => {
                if !root.syncs {
                    return Err(expired());
                }
                let users = self.synced_since(link, mark, Kind::User, users, &mut moved).await?;
                let groups = self.synced_since(link, mark, Kind::Group, groups, &mut moved).await?;
                mark.tracker = Tracker::Sync { users, groups };
                return Ok(Some(moved));
            }
            Tracker::Usn { server, usn } => {
                let Some(now) = root.usn.filter(|now| root.server == server && *now >= usn) else {
                    // Numbers hold at one server; another one, or one that was restored, counts by itself.
                    return Err(expired());
                };
                if now == usn {
                    return Ok(None);
                }
                place.learn_all(link, people).await?;
                let since = format!("(uSNChanged>={})", usn.saturating_add(1));
                moved.changed = self.matching(link, &since).await?;
                mark.tracker = Tracker::Usn { server, usn: now };
            }
            Tracker::Time { latest } => {
                let now = place.learn_all(link, people).await?;
                let since = earlier(&latest).ok_or_else(expired)?;
                moved.changed = self.matching(link, &format!("(modifyTimestamp>={since})")).await?;
                mark.tracker = Tracker::Time { latest: now.max(latest) };
            }
        }
        moved.compare(mark, people);
        Ok(Some(moved))
    }

    /// What the server says of one kind since a cookie, and the next cookie.
    async fn synced_since(
        &self,
        link: &Link,
        mark: &Mark,
        kind: Kind,
        cookie: Bytes,
        moved: &mut Moved,
    ) -> Result<Bytes, SourceError> {
        let nothing = ["1.1".to_owned()];
        let query = self.0.query(&self.0.wanted(kind).filter, &nothing);
        let told = link.changes(query, Some(cookie.0.clone())).await?;
        moved.left.extend(told.left(mark.known(kind).0.iter()).into_iter().map(|id| (kind, id)));
        moved.changed.extend(told.changed.into_iter().map(|(name, id)| (kind, name, id)));
        Ok(told.cookie.map_or(cookie, Bytes))
    }

    /// Names and ids of what passes a filter beside its kind's own.
    pub(super) async fn matching(
        &self,
        link: &Link,
        beside: &str,
    ) -> Result<Vec<(Kind, String, Uuid)>, SourceError> {
        let attribute = self.0.id_attribute();
        let attributes = [attribute.to_owned()];
        let mut all = Vec::new();
        for kind in [Kind::User, Kind::Group] {
            let filter = format!("(&{}{beside})", self.0.wanted(kind).filter);
            let take = |entry: SearchEntry| {
                let found = entry::Found::from(entry);
                let id = found.id(attribute)?;
                all.push((kind, found.dn, id));
                Ok(())
            };
            link.all(self.0.query(&filter, &attributes), take).await?;
        }
        Ok(all)
    }

    /// Who is given the application.
    pub(super) async fn assigned(
        &self,
        link: &Link,
        people: &mut People,
    ) -> Result<BTreeSet<Uuid>, SourceError> {
        match &self.0.assigned {
            None => Ok(BTreeSet::new()),
            Some(Assigned::Filter(filter)) => {
                let all = self.matching(link, filter).await?;
                all.iter().for_each(|(kind, name, id)| people.learn(*kind, name, *id));
                Ok(all.into_iter().map(|(_, _, id)| id).collect())
            }
            Some(Assigned::Group(name)) => {
                let group = self.0.find(link, Kind::Group, name).await?;
                let (group, id) = group.ok_or_else(|| {
                    let message = format!(
                        "assigned_group {name} is not there, is no group, or this login may not see it; nobody would be assigned"
                    );
                    SourceError::new(SourceErrorKind::Malformed, message)
                })?;
                self.0.resolve(link, people, group.members().collect()).await?;
                let direct = group.members().filter_map(|name| people.find(name));
                let users = direct.filter(|(kind, _)| *kind == Kind::User).map(|(_, id)| id);
                Ok(users.chain([id]).collect())
            }
        }
    }

    /// Whoever is newly assigned, or not any more, changed, though the entry itself did not.
    pub(super) async fn note_assignments(
        &self,
        link: &Link,
        mark: &mut Mark,
        people: &mut People,
        changed: &mut Vec<(Kind, String, Uuid)>,
    ) -> Result<(), SourceError> {
        let now = self.assigned(link, people).await?;
        let told: HashSet<Uuid> = changed.iter().map(|(_, _, id)| *id).collect();
        let differ: Vec<Uuid> =
            now.symmetric_difference(&mark.assigned.0).filter(|id| !told.contains(id)).copied().collect();
        for ids in differ.chunks(TOGETHER) {
            changed.extend(self.matching(link, &self.0.is_one_of(ids)).await?);
        }
        mark.assigned.0 = now;
        Ok(())
    }

    /// What became of those that are not told of any more: in the directory still but not among
    /// the people, or gone. Whoever is there all the same has not left.
    pub(super) async fn gone(
        &self,
        link: &Link,
        left: Vec<(Kind, Uuid)>,
    ) -> Result<Vec<Change>, SourceError> {
        let attribute = self.0.id_attribute();
        let attributes = [attribute.to_owned()];
        let mut changes = Vec::new();
        for some in left.chunks(TOGETHER) {
            let ids: Vec<Uuid> = some.iter().map(|(_, id)| *id).collect();
            let filter = self.0.is_one_of(&ids);
            let mut anywhere = HashSet::new();
            let take = |entry: SearchEntry| {
                anywhere.insert(entry::Found::from(entry).id(attribute)?);
                Ok(())
            };
            link.all(self.0.query(&filter, &attributes), take).await?;
            let still: HashMap<Uuid, Kind> = if anywhere.is_empty() {
                HashMap::new()
            } else {
                self.matching(link, &filter).await?.into_iter().map(|(kind, _, id)| (id, kind)).collect()
            };
            for (kind, id) in some.iter().filter(|(kind, id)| still.get(id) != Some(kind)) {
                let presence = if anywhere.contains(id) { Presence::SoftDeleted } else { Presence::Deleted };
                changes.push(Change::Left { id: EntryId(id.to_string()), kind: *kind, presence });
            }
        }
        Ok(changes)
    }
}
