//! Who is behind a name, as far as it was learnt in one reading.

use std::collections::{BTreeSet, HashMap};

use futures_util::FutureExt;
use latchkey_provisioning::feed::{Change, Members, SourceError};
use latchkey_provisioning::{Assignment, EntryId, Kind};
use ldap3::SearchEntry;
use uuid::Uuid;

use super::dn::normal;
use super::entry::Found;
use super::link::{Link, Query};
use super::{Place, TOGETHER};
use crate::at_once;

/// Names and ids.
#[derive(Debug, Default)]
pub(super) struct People {
    named: HashMap<String, (Kind, Uuid)>,
    /// Whether everybody is in it, so that who is not is nobody.
    pub(super) whole: bool,
}

/// So many names are asked for one by one; for more, all are read at once.
const FEW: usize = 500;

impl People {
    pub(super) fn learn(&mut self, kind: Kind, name: &str, id: Uuid) {
        self.named.insert(normal(name), (kind, id));
    }

    pub(super) fn find(&self, name: &str) -> Option<(Kind, Uuid)> {
        self.named.get(&normal(name)).copied()
    }

    pub(super) fn ids(&self, kind: Kind) -> impl Iterator<Item = Uuid> {
        self.named(kind).map(|(_, id)| id)
    }

    pub(super) fn named(&self, kind: Kind) -> impl Iterator<Item = (&str, Uuid)> {
        let of = self.named.iter().filter(move |(_, (one, _))| *one == kind);
        of.map(|(name, (_, id))| (name.as_str(), *id))
    }

    /// Who is meant; somebody unknown stays a reference that nobody can follow.
    fn reference(&self, name: &str) -> EntryId {
        match self.find(name) {
            Some((_, id)) => EntryId(id.to_string()),
            None => EntryId(format!("dn:{}", normal(name))),
        }
    }
}

impl Place {
    /// Whole objects of one kind that pass a filter.
    pub(super) async fn whole(
        &self,
        link: &Link,
        kind: Kind,
        filter: &str,
        people: &mut People,
        assigned: &BTreeSet<Uuid>,
    ) -> Result<Vec<Change>, SourceError> {
        let mut all = Vec::new();
        let wanted = self.wanted(kind);
        link.all(self.query(filter, &wanted.attributes), |entry| {
            all.push(Found::from(entry));
            Ok(())
        })
        .await?;
        self.tell(link, kind, all, people, assigned).await
    }

    /// An entry by its name, if it is of this kind.
    pub(super) async fn find(
        &self,
        link: &Link,
        kind: Kind,
        name: &str,
    ) -> Result<Option<(Found, Uuid)>, SourceError> {
        let wanted = self.wanted(kind);
        let query = Query { base: name, filter: &wanted.filter, attributes: &wanted.attributes };
        let Some(entry) = link.entry(query).await? else { return Ok(None) };
        let mut found = Found::from(entry);
        self.finish(link, &mut found).await?;
        let id = found.id(self.id_attribute())?;
        Ok(Some((found, id)))
    }

    /// Entries by their names, many at a time, and as objects. Who is not there any more is left
    /// out: the next reading tells of that.
    pub(super) async fn tell_named(
        &self,
        link: &Link,
        kind: Kind,
        names: Vec<(String, Uuid)>,
        people: &mut People,
        assigned: &BTreeSet<Uuid>,
    ) -> Result<Vec<Change>, SourceError> {
        let mut asked = Vec::with_capacity(names.len());
        for (name, _) in &names {
            asked.push(self.find(link, kind, name).boxed());
        }
        let found = at_once::ask(asked, TOGETHER).await?;
        let meant =
            found.into_iter().zip(&names).filter_map(|(found, (_, id))| found.filter(|(_, one)| one == id));
        let meant = meant.map(|(found, _)| found).collect();
        self.tell(link, kind, meant, people, assigned).await
    }

    /// Entries as objects, with whom they refer to.
    pub(super) async fn tell(
        &self,
        link: &Link,
        kind: Kind,
        mut entries: Vec<Found>,
        people: &mut People,
        assigned: &BTreeSet<Uuid>,
    ) -> Result<Vec<Change>, SourceError> {
        for entry in &mut entries {
            self.finish(link, entry).await?;
        }
        let names = entries.iter().flat_map(|entry| entry.members().chain(entry.manager())).collect();
        self.resolve(link, people, names).await?;
        entries.iter().map(|found| self.change(kind, found, people, assigned)).collect()
    }

    fn change(
        &self,
        kind: Kind,
        found: &Found,
        people: &People,
        assigned: &BTreeSet<Uuid>,
    ) -> Result<Change, SourceError> {
        let id = found.id(self.id_attribute())?;
        let mut entry = found.entry(kind, id, &self.wanted(kind).selection);
        if assigned.contains(&id) {
            entry.assignments.push(Assignment {
                role: String::new(),
                display: String::new(),
                entitles: true,
            });
        }
        let members = match kind {
            Kind::User => {
                entry.manager = found.manager().map(|name| people.reference(name));
                None
            }
            Kind::Group => Some(Members::Whole(found.members().map(|name| people.reference(name)).collect())),
        };
        Ok(Change::Present { entry: Box::new(entry), members })
    }

    /// Reads on where a list came in part.
    async fn finish(&self, link: &Link, found: &mut Found) -> Result<(), SourceError> {
        let mut more = found.take_ranges();
        while let Some(next) = more.pop() {
            let attributes = [format!("{};range={}-*", next.attribute, next.from)];
            let query = Query { base: &found.dn, filter: "(objectClass=*)", attributes: &attributes };
            let Some(part) = link.entry(query).await? else { break };
            more.extend(found.take_more(Found::from(part)));
        }
        Ok(())
    }

    /// Everybody's name and id, page after page, and the time of the latest change.
    pub(super) async fn learn_all(&self, link: &Link, people: &mut People) -> Result<String, SourceError> {
        let attribute = self.id_attribute();
        let attributes = [attribute, "modifyTimestamp"].map(str::to_owned);
        let mut latest = String::new();
        for kind in [Kind::User, Kind::Group] {
            let query = self.query(&self.wanted(kind).filter, &attributes);
            let learn = |entry: SearchEntry| {
                let found = Found::from(entry);
                if let Some(time) = found.first("modifyTimestamp").filter(|time| **time > *latest) {
                    time.clone_into(&mut latest);
                }
                people.learn(kind, &found.dn, found.id(attribute)?);
                Ok(())
            };
            link.all(query, learn).await?;
        }
        people.whole = true;
        Ok(latest)
    }

    /// Learns who is behind these names.
    pub(super) async fn resolve(
        &self,
        link: &Link,
        people: &mut People,
        names: Vec<&str>,
    ) -> Result<(), SourceError> {
        if people.whole {
            return Ok(());
        }
        let mut unknown = names;
        unknown.retain(|name| people.find(name).is_none());
        unknown.sort_unstable();
        unknown.dedup();
        let attributes = [self.id_attribute().to_owned()];
        if unknown.len() > FEW {
            return self.learn_all(link, people).await.map(drop);
        }
        for kind in [Kind::User, Kind::Group] {
            let filter = &self.wanted(kind).filter;
            let mut asked = Vec::with_capacity(unknown.len());
            for name in &unknown {
                asked.push(link.entry(Query { base: name, filter, attributes: &attributes }).boxed());
            }
            let found = at_once::ask(asked, TOGETHER).await?;
            for (name, entry) in unknown.iter().zip(found) {
                if let Some(entry) = entry {
                    people.learn(kind, name, Found::from(entry).id(self.id_attribute())?);
                }
            }
            unknown.retain(|name| people.find(name).is_none());
        }
        Ok(())
    }
}
