//! Lists: a filter becomes a condition in SQL over indexed columns where it can, and the rest is
//! evaluated on a stream within bounds, so that totals are exact or the request is refused.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::Duration;

use latchkey_access::{Member, Team};
use latchkey_kernel::id::{MemberId, TeamId, WorkspaceId};
use latchkey_scim::cursor::Cursor;
use latchkey_scim::filter::{self, Resolved};
use latchkey_scim::limits::Limits;
use latchkey_scim::list::{ListQuery, Page, SortKey, SortValue};
use latchkey_scim::schema::{GROUP_TYPE, ResourceType, USER_TYPE};
use latchkey_scim::{Complex, Resource, ScimType, Value};
use latchkey_store::{Page as Rows, Store, Where};

use super::compile::{Compiled, compile};
use super::listable::Listable;
use super::{Directory, GroupAnswer, GroupMember, UserAnswer};
use crate::{Engine, Error};

/// How many rows are looked at one by one for a filter or an order that no index answers. At some
/// ten microseconds each this is about a second; beyond it the answer is 400 `tooMany`.
const SCAN_MAX: usize = 200_000;
/// Members shown in one list of groups. A list that would show more is asked without them.
const MEMBERS_MAX: usize = 200_000;
/// How long a cursor is good for; told in the service provider's configuration.
pub const CURSOR_TIME: Duration = Duration::from_secs(24 * 60 * 60);
const CURSOR: &str = "scim cursor";
const CURSOR_KEY: &str = "scim cursor key";

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// How many there are on all pages.
    pub total: Option<usize>,
    /// The position of the first, from 1, when paging by position.
    pub start: Option<usize>,
    /// The page.
    pub items: Vec<T>,
    /// Where the next page begins, when paging by cursor and there is one.
    pub next_cursor: Option<String>,
}

/// What is on a page, as far as it has been read.
enum Items<T: Listable> {
    Rows(Vec<T>),
    /// Of rows that were looked at one by one, only who is to be shown is kept; they are read again
    /// together with what belongs to them.
    Ids(Vec<T::Id>),
}

/// A page as it was found.
struct Found<T: Listable> {
    total: usize,
    start: Option<usize>,
    items: Items<T>,
    next_cursor: Option<String>,
}

impl<T: Listable> Found<T> {
    fn with<U>(self, items: Vec<U>) -> Listed<U> {
        Listed { total: Some(self.total), start: self.start, items, next_cursor: self.next_cursor }
    }
}

impl Directory<'_> {
    /// A page of users.
    ///
    /// # Errors
    /// 400 for a filter, order or cursor that can't be served, or that would look at too much.
    pub async fn user_list(&self, query: &ListQuery, limits: &Limits) -> Result<Listed<UserAnswer>, Error> {
        let filter = resolve(query, &USER_TYPE, limits)?;
        self.users(query, filter.as_ref()).await
    }

    /// A page of groups, with their members unless the query leaves them out.
    ///
    /// # Errors
    /// As for users, and 400 `tooMany` when the members on the page are too many to show.
    pub async fn group_list(&self, query: &ListQuery, limits: &Limits) -> Result<Listed<GroupAnswer>, Error> {
        let filter = resolve(query, &GROUP_TYPE, limits)?;
        self.groups(query, filter.as_ref()).await
    }

    /// A page of everything: the users, then the groups. The total stands in the first part.
    ///
    /// A filter on an attribute that only one of the kinds has matches none of the other
    /// (RFC 7644 §3.4.2.1).
    ///
    /// # Errors
    /// 400 for a filter that neither kind can answer, for an order and for a cursor.
    pub async fn root_list(
        &self,
        query: &ListQuery,
        limits: &Limits,
    ) -> Result<(Listed<UserAnswer>, Listed<GroupAnswer>), Error> {
        if query.sort.is_some() {
            let detail = "sortBy is served for /Users and /Groups, and not for both at once";
            return Err(latchkey_scim::Error::invalid_value(detail).into());
        }
        let Page::Index { start, count } = query.page else {
            let detail =
                "cursors are served for /Users and /Groups, and not for both at once; use startIndex";
            return Err(latchkey_scim::Error::bad(ScimType::InvalidCursor, detail).into());
        };
        let nothing = Some(Resolved::Constant(false));
        let (users, groups) = match (resolve(query, &USER_TYPE, limits), resolve(query, &GROUP_TYPE, limits))
        {
            (Err(error), Err(_)) => return Err(error.into()),
            (users, groups) => (users.unwrap_or(nothing.clone()), groups.unwrap_or(nothing)),
        };
        let mut listed = self.users(query, users.as_ref()).await?;
        let before = listed.total.unwrap_or_default();
        let rest = ListQuery {
            page: Page::Index {
                start: start.saturating_sub(before).max(1),
                count: count - listed.items.len(),
            },
            ..query.clone()
        };
        let groups = self.groups(&rest, groups.as_ref()).await?;
        listed.total = Some(before + groups.total.unwrap_or_default());
        Ok((listed, groups))
    }

    async fn users(&self, query: &ListQuery, filter: Option<&Resolved>) -> Result<Listed<UserAnswer>, Error> {
        let listed = rows::<Member>(self.engine, self.workspace_id, query, filter).await?;
        let store = self.engine.store();
        let wants_teams = query.projection.wants("groups");
        let (members, mut teams) = match &listed.items {
            Items::Ids(ids) => {
                let (mut members, teams) =
                    store.members_with_teams(self.workspace_id, ids, wants_teams).await?;
                in_order_of(ids, &mut members);
                (members, teams)
            }
            Items::Rows(members) => {
                let ids: Vec<MemberId> = members.iter().map(|member| member.id).collect();
                let asked = if wants_teams { &ids[..] } else { &[] };
                (members.clone(), store.teams_of_members(self.workspace_id, asked).await?)
            }
        };
        teams.sort_by_key(|(member, _, _)| *member);
        let items = members.into_iter().map(|member| {
            let from = teams.partition_point(|(id, _, _)| *id < member.id);
            let theirs = teams[from..].iter().take_while(|(id, _, _)| *id == member.id);
            let teams = theirs.map(|(_, team, name)| (*team, name.clone())).collect();
            UserAnswer { member, teams }
        });
        let items = items.collect();
        Ok(listed.with(items))
    }

    async fn groups(
        &self,
        query: &ListQuery,
        filter: Option<&Resolved>,
    ) -> Result<Listed<GroupAnswer>, Error> {
        let listed = rows::<Team>(self.engine, self.workspace_id, query, filter).await?;
        let store = self.engine.store();
        let with_members = query.projection.wants("members");
        // One query for the whole page, and no row more than is needed to see that it is too much.
        let limit = if with_members { MEMBERS_MAX + 1 } else { 0 };
        let (teams, members) = match &listed.items {
            Items::Ids(ids) => {
                let (mut teams, members) = store.teams_with_members(self.workspace_id, ids, limit).await?;
                in_order_of(ids, &mut teams);
                (teams, members)
            }
            Items::Rows(teams) => {
                let ids: Vec<TeamId> = teams.iter().map(|team| team.id).collect();
                let asked = if with_members { &ids[..] } else { &[] };
                (teams.clone(), store.members_of_teams(self.workspace_id, asked, limit).await?)
            }
        };
        if members.len() > MEMBERS_MAX {
            return Err(too_many(
                "the groups on this page have too many members to show at once; add excludedAttributes=members, or ask for fewer groups",
            ));
        }
        let mut by_team: HashMap<TeamId, Vec<GroupMember>> = HashMap::new();
        for (team, id, display) in members {
            by_team.entry(team).or_default().push(GroupMember { id, display });
        }
        let items = teams.into_iter().map(|team| {
            let members = with_members.then(|| by_team.remove(&team.id).unwrap_or_default());
            GroupAnswer { team, members }
        });
        let items = items.collect();
        Ok(listed.with(items))
    }
}

/// In the order of these ids.
fn in_order_of<T: Listable>(ids: &[T::Id], rows: &mut [T]) {
    rows.sort_by_cached_key(|row| ids.iter().position(|id| *id == row.id()));
}

fn resolve(
    query: &ListQuery,
    ty: &'static ResourceType,
    limits: &Limits,
) -> Result<Option<Resolved>, latchkey_scim::Error> {
    let Some(text) = &query.filter else { return Ok(None) };
    Ok(Some(filter::resolve(&filter::parse(text, limits)?, ty)?))
}

async fn rows<T: Listable>(
    engine: &Engine,
    workspace_id: WorkspaceId,
    query: &ListQuery,
    filter: Option<&Resolved>,
) -> Result<Found<T>, Error> {
    let compiled = match filter {
        Some(filter) => compile::<T::Test>(filter)?,
        None => Compiled { condition: Where::Every, rest: None },
    };
    let sort = query.sort.as_ref().map(|sort| SortKey::resolve(sort, T::TYPE)).transpose()?;
    let list = List::<T> {
        engine,
        workspace_id,
        condition: compiled.condition,
        rest: compiled.rest,
        sort,
        // A cursor of another workspace is as good as none (A7).
        identity: format!("{workspace_id} {}", query.identity(T::TYPE.endpoint)),
    };
    match (&query.page, list.rest.is_none() && list.sort.is_none()) {
        (Page::Index { start, count }, true) => list.indexed(*start, *count).await,
        (Page::Index { start, count }, false) => list.scanned_index(*start, *count).await,
        (Page::Cursor { cursor, count }, true) => list.keyset(cursor.as_deref(), *count).await,
        (Page::Cursor { cursor, count }, false) => list.scanned_cursor(cursor.as_deref(), *count).await,
    }
}

/// One list request, ready to be answered.
struct List<'a, T: Listable> {
    engine: &'a Engine,
    workspace_id: WorkspaceId,
    condition: Where<T::Test>,
    rest: Option<Resolved>,
    sort: Option<SortKey>,
    identity: String,
}

/// A row that matches, by what it is sorted by.
type Hit<T> = (SortValue, <T as Listable>::Id);

impl<T: Listable> List<'_, T> {
    /// By position, all of it in the database.
    async fn indexed(&self, start: usize, count: usize) -> Result<Found<T>, Error> {
        let (items, total) = match &self.condition {
            Where::Test(test) => match T::look_up(self.store(), self.workspace_id, test).await? {
                Some(found) => {
                    let total = found.len();
                    (found.into_iter().skip(start - 1).take(count).collect(), total)
                }
                None => self.counted(start, count).await?,
            },
            _ => self.counted(start, count).await?,
        };
        Ok(Found { total, start: Some(start), items: Items::Rows(items), next_cursor: None })
    }

    /// By cursor, all of it in the database: the page costs the same wherever it lies, as the
    /// place is found by key and the total comes with the cursor.
    async fn keyset(&self, cursor: Option<&str>, count: usize) -> Result<Found<T>, Error> {
        let (mut items, total) = match cursor.map(|text| self.open(text)).transpose()? {
            None => {
                // One more than asked for tells whether there are more.
                self.counted(1, if count == 0 { 0 } else { count + 1 }).await?
            }
            Some(cursor) => {
                let after = id_in::<T>(&cursor)?;
                let page = async {
                    if count == 0 { Ok(Vec::new()) } else { self.page(Rows::after(after, count + 1)).await }
                };
                match cursor.total {
                    Some(total) => (page.await?, usize::try_from(total).unwrap_or(usize::MAX)),
                    None => tokio::try_join!(page, self.count())?,
                }
            }
        };
        let more = items.len() > count;
        items.truncate(count);
        let next_cursor = items.last().filter(|_| more).map(|last| self.seal(None, last.id(), total));
        Ok(Found { total, start: None, items: Items::Rows(items), next_cursor })
    }

    async fn scanned_index(&self, start: usize, count: usize) -> Result<Found<T>, Error> {
        let hits = self.hits().await?;
        let page = hits.get(start - 1..).unwrap_or_default();
        let items = Items::Ids(page.iter().take(count).map(|(_, id)| *id).collect());
        Ok(Found { total: hits.len(), start: Some(start), items, next_cursor: None })
    }

    async fn scanned_cursor(&self, cursor: Option<&str>, count: usize) -> Result<Found<T>, Error> {
        let cursor = cursor.map(|text| self.open(text)).transpose()?;
        let place = async {
            let Some(cursor) = &cursor else { return Ok(None) };
            let last = id_in::<T>(cursor)?;
            Ok::<_, Error>(Some((self.value_at(cursor, last).await?, last)))
        };
        let (hits, place) = tokio::try_join!(self.hits(), place)?;
        let from =
            place.map_or(0, |place| hits.partition_point(|hit| self.order(hit, &place) != Ordering::Greater));
        let page = &hits[from..];
        let shown = &page[..count.min(page.len())];
        let next = shown.last().filter(|_| page.len() > shown.len());
        let next_cursor = next.map(|(value, id)| self.seal(Some(value), *id, hits.len()));
        let items = Items::Ids(shown.iter().map(|(_, id)| *id).collect());
        Ok(Found { total: hits.len(), start: None, items, next_cursor })
    }

    /// Everything that matches, in order.
    async fn hits(&self) -> Result<Vec<Hit<T>>, Error> {
        let mut hits = Vec::new();
        let mut looked_at = 0;
        let look = |row: T| {
            looked_at += 1;
            if looked_at > SCAN_MAX {
                return Err(too_many(
                    "this filter or order has no index and too many resources to look at one by one; narrow it by userName, externalId, id, emails.value, active, displayName, groups or meta",
                ));
            }
            let resource = whole(&row)?;
            if self.rest.as_ref().is_none_or(|rest| filter::matches(rest, &resource)) {
                let value = self.sort.as_ref().map_or(SortValue::Nothing, |sort| sort.value(&resource));
                hits.push((value, row.id()));
            }
            Ok(())
        };
        T::walk(self.store(), self.workspace_id, &self.condition, SCAN_MAX + 1, look).await?;
        hits.sort_by(|a, b| self.order(a, b));
        Ok(hits)
    }

    /// What the row at which the last page ended was sorted by then: it may have changed since, or
    /// be gone, and the walk goes on from where it was.
    async fn value_at(&self, cursor: &Cursor, id: T::Id) -> Result<SortValue, Error> {
        let Some(sort) = &self.sort else { return Ok(SortValue::Nothing) };
        if let Some(sealed) = &cursor.last_key {
            let opened = self.engine.keys().open(CURSOR_KEY, &[self.identity.as_bytes()], sealed).ok();
            return Ok(opened.and_then(|key| SortValue::of_key(&key)).ok_or_else(|| {
                scim_error(ScimType::InvalidCursor, "the cursor names no place in this order")
            })?);
        }
        // Too long a text to be carried in the cursor; so the row has to tell it.
        match T::by_ids(self.store(), self.workspace_id, &[id]).await?.first() {
            Some(row) => Ok(sort.value(&whole(row)?)),
            None => Err(scim_error(
                ScimType::ExpiredCursor,
                "the resource at which the last page ended is gone; begin again with an empty cursor",
            )
            .into()),
        }
    }

    fn order(&self, a: &Hit<T>, b: &Hit<T>) -> Ordering {
        let by_value = self.sort.as_ref().map_or(Ordering::Equal, |sort| sort.compare(&a.0, &b.0));
        by_value.then(a.1.cmp(&b.1))
    }

    /// At most `count` rows from the position `start` on, and how many there are.
    async fn counted(&self, start: usize, count: usize) -> Result<(Vec<T>, usize), Error> {
        let skip = start as u64 - 1;
        let (rows, total) =
            T::page_counted(self.store(), self.workspace_id, &self.condition, skip, count).await?;
        Ok((rows, usize::try_from(total).unwrap_or(usize::MAX)))
    }

    async fn page(&self, rows: Rows<T::Id>) -> Result<Vec<T>, Error> {
        Ok(T::page(self.store(), self.workspace_id, &self.condition, rows).await?)
    }

    async fn count(&self) -> Result<usize, Error> {
        let count = T::count(self.store(), self.workspace_id, &self.condition).await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn store(&self) -> &Store {
        self.engine.store()
    }

    fn open(&self, text: &str) -> Result<Cursor, Error> {
        let oldest = self.engine.now().minus(CURSOR_TIME).as_millis() / 1_000;
        Ok(Cursor::decode(text, &self.identity, oldest, &|data| self.engine.keys().keyed_hash(CURSOR, data))?)
    }

    /// The cursor behind this row. What it is sorted by is sealed: a cursor stands in URLs.
    fn seal(&self, value: Option<&SortValue>, last: T::Id, total: usize) -> String {
        let key = value.filter(|_| self.sort.is_some()).and_then(SortValue::to_key);
        let engine = self.engine;
        let seal = |key: Vec<u8>| {
            engine.keys().seal(CURSOR_KEY, &[self.identity.as_bytes()], &key, engine.entropy())
        };
        let cursor = Cursor {
            last_id: last.to_string(),
            last_key: key.map(seal),
            total: Some(total as u64),
            issued_at: self.engine.now().as_millis() / 1_000,
        };
        cursor.encode(&self.identity, &|data| self.engine.keys().keyed_hash(CURSOR, data))
    }
}

fn id_in<T: Listable>(cursor: &Cursor) -> Result<T::Id, Error> {
    let refused = |_| scim_error(ScimType::InvalidCursor, "the cursor names no resource");
    Ok(cursor.last_id.parse().map_err(refused)?)
}

/// The attributes of a row with those that the server makes, as a filter or an order may name them.
fn whole<T: Listable>(row: &T) -> Result<Resource, Error> {
    let mut resource = row.resource()?;
    resource.core.set("id", Value::String(row.id().to_string()));
    let (created, modified) = row.times();
    let mut meta = Complex::new();
    meta.set("resourceType", Value::String(T::TYPE.name.to_owned()));
    meta.set("created", Value::String(created.to_string()));
    meta.set("lastModified", Value::String(modified.to_string()));
    resource.core.set("meta", Value::Complex(meta));
    Ok(resource)
}

fn too_many(detail: &str) -> Error {
    scim_error(ScimType::TooMany, detail).into()
}

fn scim_error(keyword: ScimType, detail: &str) -> latchkey_scim::Error {
    latchkey_scim::Error::bad(keyword, detail)
}
