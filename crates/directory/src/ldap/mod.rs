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
