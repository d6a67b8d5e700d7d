//! Teams: reading, and the statements behind their changes.

use latchkey_access::{ChangeSet, Team, Version};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId, WorkspaceId};

use crate::change::Op;
use crate::filter::{Draft, TeamWhere, Where};
use crate::member::limit_of;
use crate::membership::{self, TeamMember};
use crate::page::{Counted, From, Page};
use crate::row::{self, Columns, Load};
use crate::statement::statements;
use crate::store::Asked;
use crate::value::{Val, params};
use crate::{CommitError, Store, StoreError};

macro_rules! columns {
    () => {
        "t.workspace_id, t.id, t.display_name, t.display_name_key, t.external_id, t.origin, t.resource, \
         t.version, t.created_at, t.modified_at"
    };
}

statements! {
    TEAM_GET = concat!("select ", columns!(), " from team t where t.workspace_id = $1 and t.id = $2");
    TEAM_LIST_BY_IDS = concat!("select ", columns!(), " from team t where t.workspace_id = $1 \
        and t.id = any($2) order by t.id");
    TEAM_BY_DISPLAY_NAME = concat!("select ", columns!(), " from team t where t.workspace_id = $1 \
        and t.display_name_key = $2");
    TEAM_COUNT = "select count(*) from team t where t.workspace_id = $1";
    TEAM_INSERT = "insert into team (workspace_id, id, display_name, display_name_key, external_id, origin, \
        resource, version, created_at, modified_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    TEAM_UPDATE = "update team set display_name = $3, display_name_key = $4, external_id = $5, origin = $6, \
        resource = $7, version = $8, created_at = $9, modified_at = $10 \
        where workspace_id = $1 and id = $2 and version = $11";
    TEAM_TOUCH = "update team set version = version + 1, modified_at = $3 where workspace_id = $1 and id = $2";
    TEAM_DELETE = "delete from team where workspace_id = $1 and id = $2 and version = $3";
}

fn load(row: &mut Columns<'_>) -> Result<Team, StoreError> {
    Ok(Team {
        workspace_id: row.next()?,
        id: row.next()?,
        display_name: row.next()?,
        display_name_key: row.next()?,
        external_id: row.maybe()?,
        origin: row.next()?,
        resource: row.next()?,
        version: row.next()?,
        created_at: row.next()?,
        modified_at: row.next()?,
    })
}

enum Shown {
    Row(Box<Team>),
    Member(TeamMember),
}

fn load_shown(row: &mut Columns<'_>) -> Result<Shown, StoreError> {
    Ok(Shown::Row(Box::new(load(row)?)))
}

fn load_shown_member(row: &mut Columns<'_>) -> Result<Shown, StoreError> {
    membership::load_member(row).map(Shown::Member)
}

/// The reads of a team and, if asked for, its members.
fn shown(ws: WorkspaceId, id: TeamId, with_members: bool) -> Vec<Asked<Shown>> {
    let mut asked = vec![Asked::new(&TEAM_GET, params![ws, id], load_shown)];
    if with_members {
        asked.push(Asked::new(&membership::TEAM_MEMBERS, params![ws, id], load_shown_member));
    }
    asked
}

fn joined(found: Vec<Shown>) -> Option<(Team, Vec<TeamMember>)> {
    let (mut team, mut members) = (None, Vec::new());
    for one in found {
        match one {
            Shown::Row(row) => team = Some(*row),
            Shown::Member(member) => members.push(member),
        }
    }
    Some((team?, members))
}

impl Store {
    /// A team and, if asked for, all its members by id, at one instant.
    pub async fn team_shown(
        &self,
        ws: WorkspaceId,
        id: TeamId,
        with_members: bool,
    ) -> Result<Option<(Team, Vec<TeamMember>)>, StoreError> {
        if !with_members {
            return Ok(self.team_get(ws, id).await?.map(|team| (team, Vec::new())));
        }
        self.scan_at_once(shown(ws, id, true)).await.map(joined)
    }

    /// Commits, and reads a team as it is then: on PostgreSQL in the same round trip.
    ///
    /// # Errors
    /// As [`Store::commit`]. [`CommitError::Store`] may also mean that only the reading failed.
    pub async fn commit_showing_team(
        &self,
        changes: ChangeSet,
        id: TeamId,
        with_members: bool,
    ) -> Result<Option<(Team, Vec<TeamMember>)>, CommitError> {
        let asked = shown(changes.workspace_id, id, with_members);
        self.commit_then(changes, asked).await.map(joined)
    }

    /// The team of this id.
    pub async fn team_get(&self, ws: WorkspaceId, id: TeamId) -> Result<Option<Team>, StoreError> {
        self.look_up_one(&TEAM_GET, params![ws, id], load).await
    }

    /// The teams of these ids, in id order; ids that are not there are left out.
    pub async fn team_list_by_ids(&self, ws: WorkspaceId, ids: &[TeamId]) -> Result<Vec<Team>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.look_up(&TEAM_LIST_BY_IDS, params![ws, ids], load).await
    }

    /// The team of this folded name.
    pub async fn team_by_display_name(&self, ws: WorkspaceId, key: &str) -> Result<Option<Team>, StoreError> {
        self.look_up_one(&TEAM_BY_DISPLAY_NAME, params![ws, key], load).await
    }

    /// How many teams there are for which the condition holds.
    pub async fn team_count(&self, ws: WorkspaceId, filter: &TeamWhere) -> Result<u64, StoreError> {
        let counted = self.scan_asked(count_asked(ws, filter, row::count)).await?;
        Ok(counted.first().copied().unwrap_or(0))
    }

    /// The teams for which the condition holds, in id order.
    pub async fn team_page(
        &self,
        ws: WorkspaceId,
        filter: &TeamWhere,
        page: Page<TeamId>,
    ) -> Result<Vec<Team>, StoreError> {
        self.scan_asked(page_asked(ws, filter, page, load)).await
    }

    /// At most `limit` of them after the first `skip`, and how many there are.
    pub async fn team_page_counted(
        &self,
        ws: WorkspaceId,
        filter: &TeamWhere,
        skip: u64,
        limit: usize,
    ) -> Result<(Vec<Team>, u64), StoreError> {
        let page = |total| page_asked(ws, filter, Page::at(skip, limit, total), load_counted);
        self.counted(skip, limit, page, count_asked(ws, filter, Counted::load_total)).await
    }

    /// Shows all of them to `see`, in id order, at most `limit`, until it fails.
    pub async fn team_walk<E: std::convert::From<StoreError>>(
        &self,
        ws: WorkspaceId,
        filter: &TeamWhere,
        limit: usize,
        see: impl FnMut(Team) -> Result<(), E>,
    ) -> Result<(), E> {
        let page = |page| page_asked(ws, filter, page, load);
        self.walk(limit, page, |team| team.id, see).await
    }

    /// The teams of these ids, in id order, and their members, by team and member, at most `limit`
    /// of those.
    pub async fn teams_with_members(
        &self,
        ws: WorkspaceId,
        ids: &[TeamId],
        limit: usize,
    ) -> Result<(Vec<Team>, Vec<(TeamId, MemberId, String)>), StoreError> {
        if ids.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let asked = vec![
            Asked::new(&TEAM_LIST_BY_IDS, params![ws, ids], load_with_members),
            Asked::new(&membership::MEMBERS_OF_TEAMS, params![ws, ids, limit_of(limit)], load_member_with),
        ];
        let (mut teams, mut members) = (Vec::new(), Vec::new());
        for one in self.scan_at_once(asked).await? {
            match one {
                WithMembers::Team(team) => teams.push(*team),
                WithMembers::Member(of) => members.push(of),
            }
        }
        Ok((teams, members))
    }
}

fn load_counted(row: &mut Columns<'_>) -> Result<Counted<Team>, StoreError> {
    load(row).map(Counted::Row)
}

enum WithMembers {
    Team(Box<Team>),
    Member((TeamId, MemberId, String)),
}

fn load_with_members(row: &mut Columns<'_>) -> Result<WithMembers, StoreError> {
    Ok(WithMembers::Team(Box::new(load(row)?)))
}

fn load_member_with(row: &mut Columns<'_>) -> Result<WithMembers, StoreError> {
    membership::load_member_of(row).map(WithMembers::Member)
}

fn count_asked<T>(ws: WorkspaceId, filter: &TeamWhere, load: Load<T>) -> Asked<T> {
    if *filter == Where::Every {
        return Asked::new(&TEAM_COUNT, params![ws], load);
    }
    let mut draft = Draft::new(TEAM_COUNT.postgres().to_owned(), params![ws]);
    draft.and(filter);
    Asked::made("team_count", draft, filter.tests(), load)
}

fn page_asked<T>(ws: WorkspaceId, filter: &TeamWhere, page: Page<TeamId>, load: Load<T>) -> Asked<T> {
    let select = concat!("select ", columns!(), " from team t where t.workspace_id = $1");
    let mut draft = Draft::new(select.to_owned(), params![ws]);
    let skip = match page.from {
        From::Id(None) => None,
        From::Id(Some(id)) => {
            draft.push(" and t.id > ").bind(id);
            None
        }
        From::Rows { skip, .. } => Some(skip),
    };
    draft.and(filter).push(" order by t.id limit ").bind(page.limit);
    if let Some(skip) = skip {
        draft.push(" offset ").bind(skip);
    }
    Asked::made("team_page", draft, filter.tests(), load)
}

fn values(ws: WorkspaceId, t: &Team) -> Vec<Val> {
    params![
        ws,
        t.id,
        &t.display_name,
        &t.display_name_key,
        t.external_id.as_ref(),
        t.origin,
        &t.resource,
        t.version,
        t.created_at,
        t.modified_at,
    ]
}

pub(crate) fn insert(ws: WorkspaceId, team: &Team) -> Op {
    Op::new(&TEAM_INSERT, values(ws, team), "team")
}

pub(crate) fn update(ws: WorkspaceId, team: &Team, expect: Version) -> Op {
    let mut params = values(ws, team);
    params.push(expect.into());
    Op::new(&TEAM_UPDATE, params, "team").or_moved("team")
}

pub(crate) fn touch(ws: WorkspaceId, id: TeamId, at: Timestamp) -> Op {
    Op::new(&TEAM_TOUCH, params![ws, id, at], "team").or_missing("team")
}

pub(crate) fn delete(ws: WorkspaceId, id: TeamId, expect: Version) -> Op {
    Op::new(&TEAM_DELETE, params![ws, id, expect], "team").or_moved("team")
}
