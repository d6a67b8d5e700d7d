//! Who is in which team. One row each, so that what a change costs does not depend on the team's size (S3).

use latchkey_access::Membership;
use latchkey_access::member::{Epoch, Standing};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId, WorkspaceId};

use crate::change::Op;
use crate::member::{self, limit_of};
use crate::row::{self, Columns};
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

statements! {
    TEAM_MEMBERS = "select m.id, m.display_name, s.confirmed_epoch from membership s \
        join member m on m.workspace_id = s.workspace_id and m.id = s.member_id \
        where s.workspace_id = $1 and s.team_id = $2 and m.state <> 'deleted' order by s.member_id";
    TEAM_MEMBERS_FIRST = "select m.id, m.display_name, s.confirmed_epoch from membership s \
        join member m on m.workspace_id = s.workspace_id and m.id = s.member_id \
        where s.workspace_id = $1 and s.team_id = $2 and m.state <> 'deleted' order by s.member_id limit $3";
    TEAM_MEMBERS_AFTER = "select m.id, m.display_name, s.confirmed_epoch from membership s \
        join member m on m.workspace_id = s.workspace_id and m.id = s.member_id \
        where s.workspace_id = $1 and s.team_id = $2 and s.member_id > $3 and m.state <> 'deleted' \
        order by s.member_id limit $4";
    TEAM_MEMBER_IDS = "select s.member_id from membership s where s.workspace_id = $1 and s.team_id = $2 \
        order by s.member_id";
    TEAM_MEMBER_COUNT = "select count(*) from membership s where s.workspace_id = $1 and s.team_id = $2";
    MEMBERS_OF_TEAMS = "select s.team_id, m.id, m.display_name from membership s \
        join member m on m.workspace_id = s.workspace_id and m.id = s.member_id \
        where s.workspace_id = $1 and s.team_id = any($2) and m.state <> 'deleted' \
        order by s.team_id, s.member_id limit $3";
    TEAMS_OF_MEMBERS = "select s.member_id, t.id, t.display_name from membership s \
        join team t on t.workspace_id = s.workspace_id and t.id = s.team_id \
        where s.workspace_id = $1 and s.member_id = any($2) order by s.member_id, s.team_id";
    TEAMS_OF_MEMBER = "select s.member_id, t.id, t.display_name from membership s \
        join team t on t.workspace_id = s.workspace_id and t.id = s.team_id \
        where s.workspace_id = $1 and s.member_id = $2 order by s.team_id";
    MEMBERSHIPS_OF_MEMBER = "select s.team_id, s.member_id, s.confirmed_epoch from membership s \
        where s.workspace_id = $1 and s.member_id = $2 order by s.team_id";
    TEAM_STANDINGS = "select m.id, m.state, m.access_epoch, m.reviewed_epoch, s.team_id, s.confirmed_epoch \
        from member m left join membership s on s.workspace_id = m.workspace_id and s.team_id = $2 \
        and s.member_id = m.id where m.workspace_id = $1 and m.id = any($3) and m.state <> 'deleted' \
        order by m.id";

    MEMBERSHIP_INSERT = "insert into membership (workspace_id, team_id, member_id, confirmed_epoch) \
        select m.workspace_id, $2, m.id, $4 from member m where m.workspace_id = $1 and m.id = $3 \
        and m.state <> 'deleted' for share \
        on conflict (workspace_id, team_id, member_id) do update set member_id = excluded.member_id";
    MEMBERSHIP_CONFIRM = "update membership set confirmed_epoch = $4 where workspace_id = $1 \
        and team_id = $2 and member_id = $3";
    MEMBERSHIP_CONFIRM_ALL = "update membership set confirmed_epoch = $3 where workspace_id = $1 and member_id = $2";
    MEMBERSHIP_DELETE = "delete from membership where workspace_id = $1 and team_id = $2 and member_id = $3";
    TEAMS_LOCK = "select 1 from team t where t.workspace_id = $1 and t.id in (select s.team_id from membership s \
        where s.workspace_id = $1 and s.member_id = $2) order by t.id for update";
    TEAMS_TOUCH = "update team set version = version + 1, modified_at = $3 where workspace_id = $1 \
        and id in (select s.team_id from membership s where s.workspace_id = $1 and s.member_id = $2)";
    MEMBERSHIP_DELETE_ALL = "delete from membership where workspace_id = $1 and member_id = $2";
}

/// A member of a team: id, what people call them, and the epoch in which it was confirmed.
pub type TeamMember = (MemberId, String, Option<Epoch>);

pub(crate) fn load_member(row: &mut Columns<'_>) -> Result<TeamMember, StoreError> {
    Ok((row.next()?, row.next()?, row.maybe()?))
}

pub(crate) fn load_team_of(row: &mut Columns<'_>) -> Result<(MemberId, TeamId, String), StoreError> {
    Ok((row.next()?, row.next()?, row.next()?))
}

pub(crate) fn load_member_of(row: &mut Columns<'_>) -> Result<(TeamId, MemberId, String), StoreError> {
    Ok((row.next()?, row.next()?, row.next()?))
}

fn load(row: &mut Columns<'_>) -> Result<Membership, StoreError> {
    Ok(Membership { team_id: row.next()?, member_id: row.next()?, confirmed: row.maybe()? })
}

fn load_standing(row: &mut Columns<'_>) -> Result<(Standing, Option<Membership>), StoreError> {
    let standing = member::load_standing(row)?;
    let (team, confirmed): (Option<TeamId>, Option<Epoch>) = (row.maybe()?, row.maybe()?);
    let membership = team.map(|team_id| Membership { team_id, member_id: standing.member_id, confirmed });
    Ok((standing, membership))
}

impl Store {
    /// Members of a team after an id, in id order.
    pub async fn team_members_page(
        &self,
        ws: WorkspaceId,
        team: TeamId,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<TeamMember>, StoreError> {
        let limit = limit_of(limit);
        match after {
            None => self.scan(&TEAM_MEMBERS_FIRST, params![ws, team, limit], load_member).await,
            Some(id) => self.scan(&TEAM_MEMBERS_AFTER, params![ws, team, id, limit], load_member).await,
        }
    }

    /// The ids of a team's members, in order; read from the key alone.
    pub async fn team_member_ids(&self, ws: WorkspaceId, team: TeamId) -> Result<Vec<MemberId>, StoreError> {
        self.scan(&TEAM_MEMBER_IDS, params![ws, team], row::first).await
    }

    /// How many are in a team.
    pub async fn team_member_count(&self, ws: WorkspaceId, team: TeamId) -> Result<u64, StoreError> {
        self.scan_count(&TEAM_MEMBER_COUNT, params![ws, team]).await
    }

    /// The members of several teams, by team and member, at most `limit` rows.
    pub async fn members_of_teams(
        &self,
        ws: WorkspaceId,
        teams: &[TeamId],
        limit: usize,
    ) -> Result<Vec<(TeamId, MemberId, String)>, StoreError> {
        if teams.is_empty() {
            return Ok(Vec::new());
        }
        self.scan(&MEMBERS_OF_TEAMS, params![ws, teams, limit_of(limit)], load_member_of).await
    }

    /// The teams of these members with their names, by member and team.
    pub async fn teams_of_members(
        &self,
        ws: WorkspaceId,
        members: &[MemberId],
    ) -> Result<Vec<(MemberId, TeamId, String)>, StoreError> {
        match members {
            [] => Ok(Vec::new()),
            [one] => self.look_up(&TEAMS_OF_MEMBER, params![ws, *one], load_team_of).await,
            many => self.look_up(&TEAMS_OF_MEMBERS, params![ws, many], load_team_of).await,
        }
    }

    /// The memberships of a member, by team.
    pub async fn memberships_of_member(
        &self,
        ws: WorkspaceId,
        member: MemberId,
    ) -> Result<Vec<Membership>, StoreError> {
        self.look_up(&MEMBERSHIPS_OF_MEMBER, params![ws, member], load).await
    }

    /// Of these ids, those that are members (deleted ones are not), each with its membership in the
    /// team if there is one. Costs by the number of ids, not by the team's size.
    pub async fn team_standings(
        &self,
        ws: WorkspaceId,
        team: TeamId,
        members: &[MemberId],
    ) -> Result<Vec<(Standing, Option<Membership>)>, StoreError> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        self.look_up(&TEAM_STANDINGS, params![ws, team, members], load_standing).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, row: Membership) -> Op {
    let params = params![ws, row.team_id, row.member_id, row.confirmed];
    Op::new(&MEMBERSHIP_INSERT, params, "team").or_missing("member")
}

pub(crate) fn confirm(ws: WorkspaceId, team: TeamId, member: MemberId, epoch: Epoch) -> Op {
    Op::new(&MEMBERSHIP_CONFIRM, params![ws, team, member, epoch], "membership").or_missing("membership")
}

pub(crate) fn confirm_all(ws: WorkspaceId, member: MemberId, epoch: Epoch) -> Op {
    Op::new(&MEMBERSHIP_CONFIRM_ALL, params![ws, member, epoch], "membership")
}

pub(crate) fn delete(ws: WorkspaceId, team: TeamId, member: MemberId) -> Op {
    Op::new(&MEMBERSHIP_DELETE, params![ws, team, member], "membership")
}

/// The teams are locked in id order, so that members who leave together do not wait for each
/// other in a circle.
pub(crate) fn delete_all(ws: WorkspaceId, member: MemberId, at: Timestamp) -> [Op; 4] {
    [
        member::lock(ws, member),
        Op::new(&TEAMS_LOCK, params![ws, member], "team"),
        Op::new(&TEAMS_TOUCH, params![ws, member, at], "team"),
        Op::new(&MEMBERSHIP_DELETE_ALL, params![ws, member], "membership"),
    ]
}
