//! A member with all that their leaving or their return is decided on, read at one instant.
//!
//! Together because a directory asks for it at each PATCH: one round trip on PostgreSQL, one lock
//! on SQLite, and there somebody who holds nothing costs one look-up more than their row.

use latchkey_access::assessment::Reached;
use latchkey_access::exposure::Exposure;
use latchkey_access::{Account, Member, MemberState, Workspace};
use latchkey_kernel::id::{MemberId, TeamId, WorkspaceId};

use crate::row::{Columns, Load};
use crate::statement::{Stmt, statements};
use crate::store::Asked;
use crate::value::{Val, params};
use crate::{Store, StoreError, account, exposure, member, membership, reach, workspace};

statements! {
    HOLDS = "select (select count(*) from access_grant g where g.workspace_id = $1 and g.member_id = $2), \
        exists (select 1 from account a where a.workspace_id = $1 and a.owner_id = $2) \
        or exists (select 1 from exposure e where e.workspace_id = $1 and e.member_id = $2) \
        or exists (select 1 from membership s cross join access_grant g where s.workspace_id = $1 \
        and s.member_id = $2 and g.workspace_id = $1 and g.team_id = s.team_id)";
    ACCOUNTS_HELD = concat!("with recursive below (id, depth) as ( \
        select g.collection_id, 0 from access_grant g where g.workspace_id = $1 and g.member_id = $2 \
        and g.collection_id is not null union \
        select g.collection_id, 0 from membership s cross join access_grant g where s.workspace_id = $1 \
        and s.member_id = $2 and g.workspace_id = $1 and g.team_id = s.team_id and g.collection_id is not null \
        union select c.id, b.depth + 1 from below b join collection c on c.workspace_id = $1 \
        and c.parent_id = b.id where b.depth < 64), \
        who (id) as (select a.id from account a where a.workspace_id = $1 and a.owner_id = $2 \
        union select e.account_id from exposure e where e.workspace_id = $1 and e.member_id = $2 \
        union select g.account_id from access_grant g where g.workspace_id = $1 and g.member_id = $2 \
        and g.account_id is not null \
        union select g.account_id from membership s cross join access_grant g where s.workspace_id = $1 \
        and s.member_id = $2 and g.workspace_id = $1 and g.team_id = s.team_id and g.account_id is not null \
        union select a.id from below b cross join account a where a.workspace_id = $1 and a.collection_id = b.id) \
        select ", account::columns!(), " from who w cross join account a where a.workspace_id = $1 \
        and a.id = w.id order by a.id");
}

/// A member, with their teams by id.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The row.
    pub member: Member,
    /// The teams' ids and names.
    pub teams: Vec<(TeamId, String)>,
}

/// What a leaving or a return rests on besides the member's row.
#[derive(Debug, Clone)]
pub struct Footing {
    /// The workspace, with its policy.
    pub workspace: Workspace,
    /// The number of the member's direct grants, on whatever; of an active member only.
    pub direct_grants: u64,
    /// What they could reach and know; of an active member only.
    pub reached: Reached,
}

enum Found {
    Member(Box<Member>),
    Team(TeamId, String),
    Workspace(Box<Workspace>),
    Holds { direct_grants: u64, more: bool },
    Reach(Box<reach::Found>),
    Exposure(Exposure),
    Account(Box<Account>),
}

fn load_member(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Member(Box::new(member::load(row)?)))
}

fn load_team(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    let (_, team, name) = membership::load_team_of(row)?;
    Ok(Found::Team(team, name))
}

fn load_workspace(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Workspace(Box::new(workspace::load(row)?)))
}

fn load_holds(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Holds { direct_grants: row.count()?, more: row.next()? })
}

fn load_owned(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    reach::load_owned(row).map(Box::new).map(Found::Reach)
}

fn load_granted(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    reach::load_granted(row).map(Box::new).map(Found::Reach)
}

fn load_below(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    reach::load_below(row).map(Box::new).map(Found::Reach)
}

fn load_known(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    exposure::load(row).map(Found::Exposure)
}

fn load_account(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Account(Box::new(account::load(row)?)))
}

/// There is no such member, or they are out: then nothing is asked about them.
fn is_out(found: &[Found]) -> bool {
    let active = |one: &Found| matches!(one, Found::Member(member) if member.state == MemberState::Active);
    !found.iter().any(active)
}

fn holds_nothing(found: &[Found]) -> bool {
    let something =
        |one: &Found| matches!(one, Found::Holds { direct_grants, more } if *direct_grants > 0 || *more);
    !found.iter().any(something)
}

fn nobody(found: &[Found]) -> bool {
    found.is_empty()
}

impl Store {
    /// The member of this id, unless deleted, with their teams.
    pub async fn subject(&self, ws: WorkspaceId, id: MemberId) -> Result<Option<Subject>, StoreError> {
        let found = self.at_once(of_member(ws, id)).await?;
        Ok(taken_apart(found).map(|(subject, _)| subject))
    }

    /// The same, with what their leaving or return rests on.
    pub async fn subject_with_footing(
        &self,
        ws: WorkspaceId,
        id: MemberId,
    ) -> Result<Option<(Subject, Footing)>, StoreError> {
        let member = || params![ws, id];
        let held =
            |stmt: &'static Stmt, load: Load<Found>| Asked::new(stmt, member(), load).unless(holds_nothing);
        let mut asked = of_member(ws, id);
        asked.push(Asked::new(&workspace::WORKSPACE_GET, params![ws], load_workspace).unless(nobody));
        asked.push(Asked::new(&HOLDS, member(), load_holds).unless(is_out));
        asked.push(held(&reach::REACH_OWNED, load_owned));
        asked.push(held(&reach::REACH_GRANTS, load_granted));
        asked.push(held(&reach::REACH_BELOW, load_below));
        asked.push(held(&exposure::EXPOSURES_OF_MEMBER, load_known));
        asked.push(held(&ACCOUNTS_HELD, load_account));
        let found = self.at_once(asked).await?;
        let Some((subject, mut rest)) = taken_apart(found) else { return Ok(None) };
        if subject.member.state != MemberState::Active {
            rest.retain(|one| matches!(one, Found::Workspace(_)));
        }
        footing(rest).map(|footing| Some((subject, footing)))
    }
}

fn of_member(ws: WorkspaceId, id: MemberId) -> Vec<Asked<Found>> {
    let params: Vec<Val> = params![ws, id];
    vec![
        Asked::new(&member::MEMBER_GET, params.clone(), load_member),
        Asked::new(&membership::TEAMS_OF_MEMBER, params, load_team).unless(nobody),
    ]
}

fn taken_apart(found: Vec<Found>) -> Option<(Subject, Vec<Found>)> {
    let (mut member, mut teams, mut rest) = (None, Vec::new(), Vec::new());
    for one in found {
        match one {
            Found::Member(row) => member = Some(*row),
            Found::Team(id, name) => teams.push((id, name)),
            other => rest.push(other),
        }
    }
    Some((Subject { member: member?, teams }, rest))
}

fn footing(found: Vec<Found>) -> Result<Footing, StoreError> {
    let (mut workspace, mut direct_grants, mut reaches) = (None, 0, Vec::new());
    let (mut exposures, mut accounts) = (Vec::new(), Vec::new());
    for one in found {
        match one {
            Found::Workspace(row) => workspace = Some(*row),
            Found::Holds { direct_grants: count, .. } => direct_grants = count,
            Found::Reach(found) => reaches.push(*found),
            Found::Exposure(row) => exposures.push(row),
            Found::Account(row) => accounts.push(*row),
            Found::Member(_) | Found::Team(..) => {}
        }
    }
    let workspace = workspace
        .ok_or_else(|| StoreError::Damaged { column: 0, found: "a member of no workspace".to_owned() })?;
    let reached = Reached { reaches: reach::join(reaches), exposures, accounts };
    Ok(Footing { workspace, direct_grants, reached })
}
