//! Directories that speak LDAP, Active Directory among them.
//!
//! What changed is asked in the best way that the server offers: content synchronization
//! (RFC 4533), Active Directory's `uSNChanged`, or `modifyTimestamp`. Where a server doesn't say who
//! left, the ids that are there are compared with those that were.

mod changes;
mod dn;
mod entry;
mod link;
mod mark;
mod people;
mod reading;
mod sync;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use latchkey_provisioning::feed::{Change, SourceError, SourceErrorKind, Watermark};
use latchkey_provisioning::jobfile::Directory;
use latchkey_provisioning::{EntryId, Kind, Presence};
use ldap3::ldap_escape;
use uuid::Uuid;

use crate::any::Options;
use crate::attributes::Selection;
use crate::tls;
use link::{Link, Query, Target};
use mark::{Mark, Tracker};
use people::People;

pub(crate) use reading::Reading;

/// How often it is looked whether something changed.
const WATCH: Duration = Duration::from_secs(1);
/// How many entries are asked for by id in one question.
const TOGETHER: usize = 50;

/// A directory that speaks LDAP.
#[derive(Debug, Clone)]
pub struct Ldap(Arc<Place>);

/// Where it is, and what is read there.
#[derive(Debug)]
struct Place {
    target: Target,
    base: String,
    active_directory: bool,
    users: Wanted,
    groups: Wanted,
    assigned: Option<Assigned>,
}

/// What is read of one kind.
#[derive(Debug)]
struct Wanted {
    /// Whether the job takes them at all.
    told: bool,
    filter: String,
    selection: Selection,
    attributes: Vec<String>,
}

/// Who is given the application.
#[derive(Debug)]
enum Assigned {
    Group(String),
    Filter(String),
}

/// What a server says of itself.
#[derive(Debug, Default)]
struct Root {
    syncs: bool,
    server: String,
    usn: Option<u64>,
}

impl Place {
    const fn id_attribute(&self) -> &'static str {
        if self.active_directory { "objectGUID" } else { "entryUUID" }
    }

    const fn wanted(&self, kind: Kind) -> &Wanted {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }

    fn query<'q>(&'q self, filter: &'q str, attributes: &'q [String]) -> Query<'q> {
        Query { base: &self.base, filter, attributes }
    }

    /// That an entry has one of these ids.
    fn is_one_of(&self, ids: &[Uuid]) -> String {
        let one = |id: &Uuid| {
            let value = if self.active_directory {
                id.to_bytes_le().iter().map(|byte| format!("\\{byte:02x}")).collect()
            } else {
                id.to_string()
            };
            format!("({}={value})", self.id_attribute())
        };
        format!("(|{})", ids.iter().map(one).collect::<String>())
    }
}

impl Ldap {
    pub(crate) fn open(options: &Options) -> Result<Self, SourceError> {
        let wrong = |message: &str| SourceError::new(SourceErrorKind::Malformed, message);
        let Directory::Ldap {
            active_directory,
            url,
            bind_dn,
            base,
            user_filter,
            group_filter,
            assigned_group,
            assigned_filter,
            ca_file,
            ..
        } = &options.directory
        else {
            return Err(wrong("the source is not one of LDAP"));
        };
        let password = options.secret.clone().ok_or_else(|| wrong("the password of bind_dn is missing"))?;
        let assigned = match (assigned_group, assigned_filter) {
            _ if options.sync_all => None,
            (Some(group), _) => Some(Assigned::Group(group.clone())),
            (None, Some(filter)) => Some(Assigned::Filter(filter.clone())),
            (None, None) => {
                return Err(wrong(
                    "the job takes who is assigned, but [source] doesn't say who that is; name assigned_group or assigned_filter, or set scope = \"all\"",
                ));
            }
        };
        let id = if *active_directory { "objectGUID" } else { "entryUUID" };
        let wanted = |kind, names: Option<&Vec<String>>, filter: &Option<String>, usual: &str| {
            let selection = Selection::of(names);
            Wanted {
                told: names.is_some(),
                filter: filter.as_deref().unwrap_or(usual).to_owned(),
                attributes: entry::asked(kind, &selection, id),
                selection,
            }
        };
        let (people, groups) = if *active_directory {
            ("(&(objectCategory=person)(objectClass=user))", "(objectClass=group)")
        } else {
            ("(objectClass=inetOrgPerson)", "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))")
        };
        let ca_file = ca_file.as_ref().map(|name| options.base.join(name));
        let target = Target {
            url: url.trim_end_matches('/').to_owned(),
            bind_dn: bind_dn.clone(),
            password,
            tls: Arc::new(tls::config(ca_file.as_deref())?),
        };
        Ok(Self(Arc::new(Place {
            target,
            base: base.clone(),
            active_directory: *active_directory,
            users: wanted(Kind::User, options.wanted.users.as_ref(), user_filter, people),
            groups: wanted(Kind::Group, options.wanted.groups.as_ref(), group_filter, groups),
            assigned,
        })))
    }

    pub(crate) async fn read(&self, since: Option<&Watermark>) -> Result<Reading, SourceError> {
        let since = match since {
            None => None,
            Some(watermark) => Some(Mark::of(watermark).ok_or_else(expired)?),
        };
        let link = Link::open(&self.0.target).await?;
        let root = self.root(&link).await?;
        match since {
            None => self.read_all(link, &root).await,
            Some(mark) => self.read_since(link, &root, mark).await,
        }
    }

    async fn root(&self, link: &Link) -> Result<Root, SourceError> {
        let names = ["supportedControl", "highestCommittedUSN", "dsServiceName"].map(str::to_owned);
        let query = Query { base: "", filter: "(objectClass=*)", attributes: &names };
        let Some(entry) = link.entry(query).await? else { return Ok(Root::default()) };
        let syncs =
            entry.attrs.get("supportedControl").is_some_and(|all| all.iter().any(|one| one == sync::CONTROL));
        let found = entry::Found::from(entry);
        Ok(Root {
            syncs: syncs && !self.0.active_directory,
            server: found.first("dsServiceName").unwrap_or_default().to_owned(),
            usn: found.first("highestCommittedUSN").and_then(|text| text.parse().ok()),
        })
    }

<<<<<<< HEAD
    async fn read_all(&self, link: Link, root: &Root) -> Result<Reading, SourceError> {
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
    async fn synced(
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

    async fn read_since(&self, link: Link, root: &Root, mut mark: Mark) -> Result<Reading, SourceError> {
        let place = &self.0;
        let mut people = People::default();
        let mut changed: Vec<(Kind, String, Uuid)> = Vec::new();
        let mut left: Vec<(Kind, Uuid)> = Vec::new();
        let mut quiet = false;
        match mark.tracker.clone() {
            Tracker::Sync { users, groups } => {
                if !root.syncs {
                    return Err(expired());
                }
                let mut cookies = Vec::new();
                for (kind, cookie) in [(Kind::User, users), (Kind::Group, groups)] {
                    let nothing = ["1.1".to_owned()];
                    let query = place.query(&place.wanted(kind).filter, &nothing);
                    let told = link.changes(query, Some(cookie.0.clone())).await?;
                    left.extend(told.left(mark.known(kind).0.iter()).into_iter().map(|id| (kind, id)));
                    changed.extend(told.changed.into_iter().map(|(name, id)| (kind, name, id)));
                    cookies.push(told.cookie.map_or(cookie, Bytes));
                }
                if let (Some(groups), Some(users)) = (cookies.pop(), cookies.pop()) {
                    mark.tracker = Tracker::Sync { users, groups };
                }
            }
            Tracker::Usn { server, usn } => {
                let Some(now) = root.usn.filter(|now| root.server == server && *now >= usn) else {
                    // Numbers hold at one server; another one, or one that was restored, counts by itself.
                    return Err(expired());
                };
                quiet = now == usn;
                if !quiet {
                    place.learn_all(&link, &mut people).await?;
                    let since = format!("(uSNChanged>={})", usn.saturating_add(1));
                    changed = self.matching(&link, &since).await?;
                    mark.tracker = Tracker::Usn { server, usn: now };
                }
            }
            Tracker::Time { latest } => {
                let now = place.learn_all(&link, &mut people).await?;
                let since = earlier(&latest).ok_or_else(expired)?;
                changed = self.matching(&link, &format!("(modifyTimestamp>={since})")).await?;
                mark.tracker = Tracker::Time { latest: now.max(latest) };
            }
        }
        if people.whole {
            for kind in [Kind::User, Kind::Group] {
                let there: HashSet<Uuid> = people.ids(kind).collect();
                left.extend(mark.known(kind).0.iter().filter(|id| !there.contains(id)).map(|id| (kind, *id)));
                let told: HashSet<Uuid> = changed.iter().map(|(_, _, id)| *id).collect();
                let new = people
                    .named(kind)
                    .filter(|(_, id)| !mark.known(kind).0.contains(id) && !told.contains(id));
                changed.extend(new.map(|(name, id)| (kind, name.to_owned(), id)));
            }
        }
        for (kind, name, id) in &changed {
            people.learn(*kind, name, *id);
        }
        if !quiet {
            self.note_assignments(&link, &mut mark, &mut people, &mut changed).await?;
        }
        let left = self.gone(&link, left).await?;
        for change in &left {
            if let Ok(id) = Uuid::parse_str(&change.id().0) {
                mark.known_mut(change.kind()).0.remove(&id);
            }
        }
        changed.retain(|(kind, _, _)| place.wanted(*kind).told);
        changed.sort_by_key(|(kind, _, _)| *kind);
        let told = left.into_iter().filter(|change| place.wanted(change.kind()).told).collect();
        let steps = [Step::Changed(changed.into()), Step::Left(told)].into();
        Ok(Reading::new(self.0.clone(), link, mark, people, steps, false))
    }

    /// Names and ids of what passes a filter beside its kind's own.
    async fn matching(&self, link: &Link, beside: &str) -> Result<Vec<(Kind, String, Uuid)>, SourceError> {
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
    async fn assigned(&self, link: &Link, people: &mut People) -> Result<BTreeSet<Uuid>, SourceError> {
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
    async fn note_assignments(
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
    async fn gone(&self, link: &Link, left: Vec<(Kind, Uuid)>) -> Result<Vec<Change>, SourceError> {
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

=======
>>>>>>> sources
    pub(crate) async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        let known: Vec<Uuid> = ids.iter().filter_map(|id| Uuid::parse_str(&id.0).ok()).collect();
        let mut changes = Vec::new();
        let link = Link::open(&self.0.target).await?;
        let mut people = People::default();
        let assigned = self.assigned(&link, &mut people).await?;
        for some in known.chunks(TOGETHER) {
            let filter = format!("(&{}{})", self.0.wanted(kind).filter, self.0.is_one_of(some));
            changes.extend(self.0.whole(&link, kind, &filter, &mut people, &assigned).await?);
        }
        let found: HashSet<EntryId> = changes.iter().map(|change| change.id().clone()).collect();
        let missing: Vec<Uuid> =
            known.iter().filter(|id| !found.contains(&EntryId(id.to_string()))).copied().collect();
        changes.extend(self.gone(&link, missing.into_iter().map(|id| (kind, id)).collect()).await?);
        let strange = ids.iter().filter(|id| Uuid::parse_str(&id.0).is_err());
        changes.extend(strange.map(|id| Change::Left { id: id.clone(), kind, presence: Presence::Deleted }));
        Ok(changes)
    }

    pub(crate) async fn search(&self, kind: Kind, text: &str) -> Result<Vec<Change>, SourceError> {
        let text = text.trim();
        let names: &[&str] = match (kind, self.0.active_directory) {
            (Kind::User, true) => &["userPrincipalName", "sAMAccountName", "mail", "displayName", "cn"],
            (Kind::User, false) => &["uid", "mail", "displayName", "cn"],
            (Kind::Group, true) => &["sAMAccountName", "displayName", "mail", "cn"],
            (Kind::Group, false) => &["displayName", "mail", "cn"],
        };
        let value = ldap_escape(text);
        let mut any: String = names.iter().map(|name| format!("({name}={value})")).collect();
        if let Ok(id) = Uuid::parse_str(text) {
            any.push_str(&self.0.is_one_of(&[id]));
        }
        let filter = format!("(&{}(|{any}))", self.0.wanted(kind).filter);
        let link = Link::open(&self.0.target).await?;
        let mut people = People::default();
        let assigned = self.assigned(&link, &mut people).await?;
        self.0.whole(&link, kind, &filter, &mut people, &assigned).await
    }

    pub(crate) async fn test(&self) -> Result<String, SourceError> {
        let place = &self.0;
        let link = Link::open(&place.target).await?;
        let root = self.root(&link).await?;
        let mut said = format!("signed in to {} as {}", place.target.url, place.target.bind_dn);
        for (kind, one, many) in [(Kind::User, "person", "people"), (Kind::Group, "group", "groups")] {
            let wanted = place.wanted(kind);
            if !wanted.told {
                continue;
            }
            let page = link.page(place.query(&wanted.filter, &wanted.attributes), Vec::new()).await?;
            let count = page.entries.len();
            let more = if page.cookie.is_empty() { "" } else { " on the first page, and there are more" };
            for entry in page.entries {
                entry::Found::from(entry).id(place.id_attribute())?;
            }
            if count == 0 && kind == Kind::User {
                let message = format!(
                    "{said}, but nobody below {} passes {}; check base, user_filter and what this login may read",
                    place.base, wanted.filter
                );
                return Err(SourceError::new(SourceErrorKind::Malformed, message));
            }
            said.push_str(&format!("; {count} {}{more}", if count == 1 { one } else { many }));
        }
        let way = if place.active_directory && root.usn.is_some() {
            "uSNChanged"
        } else if self.synced(&link, &root, &mut People::default()).await?.is_some() {
            "content synchronization (RFC 4533)"
        } else {
            "modifyTimestamp"
        };
        Ok(format!("{said}; changes are found by {way}"))
    }

    pub(crate) async fn changed(&self, since: &Watermark) -> Result<(), SourceError> {
        let Some(mark) = Mark::of(since) else { return Ok(()) };
        let link = Link::open(&self.0.target).await?;
        let mut before = None;
        loop {
            let now = self.state(&link).await?;
            let moved = match (&mark.tracker, before.as_ref()) {
                (Tracker::Usn { usn, .. }, _) => now != usn.to_string(),
                // The cookie of a reading holds the state that it read.
                (Tracker::Sync { users, .. }, None) => {
                    !now.split(' ').all(|one| String::from_utf8_lossy(&users.0).contains(one))
                }
                (_, before) => before.is_some_and(|before| *before != now),
            };
            if moved {
                return Ok(());
            }
            before = Some(now);
            tokio::time::sleep(WATCH).await;
        }
    }

    /// What differs once anything in the directory changed.
    async fn state(&self, link: &Link) -> Result<String, SourceError> {
        if self.0.active_directory {
            return Ok(self.root(link).await?.usn.unwrap_or_default().to_string());
        }
        let attributes = ["contextCSN".to_owned()];
        let query = Query { base: &self.0.base, filter: "(objectClass=*)", attributes: &attributes };
        let entry = link.entry(query).await?;
        let states = entry.and_then(|entry| entry.attrs.into_iter().find(|(name, _)| name == "contextCSN"));
        let mut states = states.map(|(_, states)| states).unwrap_or_default();
        if states.is_empty() {
            // No such thing here: then whether anything changed shows in the times of changes alone.
            return self.0.learn_all(link, &mut People::default()).await;
        }
        states.sort();
        Ok(states.join(" "))
    }
}

fn expired() -> SourceError {
    SourceError::new(
        SourceErrorKind::Expired,
        "the directory cannot go on from where the last reading ended, so all is read anew",
    )
}
