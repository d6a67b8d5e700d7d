//! A member with all that their leaving or their return is decided on, read at one instant.
//!
//! Together because a directory asks for it at each PATCH: one round trip on PostgreSQL, one lock
//! on SQLite, and there somebody who holds nothing costs one look-up more than their row.

use latchkey_access::assessment::Reached;
use latchkey_access::exposure::Exposure;
use latchkey_access::safeguard::Wave;
use latchkey_access::{Account, Member, MemberState, OffboardingRotation, Role, Workspace};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId, WorkspaceId};

use crate::member::limit_of;
use crate::row::{Columns, Load};
use crate::statement::{Stmt, statements};
use crate::store::Asked;
use crate::succession::{self, ACCOUNT_SUCCESSORS, InLine, Next};
use crate::value::{Val, params};
use crate::{
    MemberBrief, Store, StoreError, WhoReach, account, exposure, member, membership, reach, workspace,
};

/// How far leavers are counted; no safeguard that anybody sets is larger.
const LEAVERS_COUNTED: usize = 100_000;

/// Whether a member has anything that leads to an account: of somebody who has not, nobody counts.
macro_rules! holds_something {
    () => {
        "(exists (select 1 from access_grant g where g.workspace_id = $1 and g.member_id = $2) \
         or exists (select 1 from account a where a.workspace_id = $1 and a.owner_id = $2) \
         or exists (select 1 from exposure e where e.workspace_id = $1 and e.member_id = $2) \
         or exists (select 1 from membership s cross join access_grant g where s.workspace_id = $1 \
         and s.member_id = $2 and g.workspace_id = $1 and g.team_id = s.team_id))"
    };
}

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
    LEAVING_WAVE = concat!("select case when ", holds_something!(), " then (select count(*) from (select 1 \
        from offboarding_case c where c.workspace_id = $1 and c.cut_at >= $3 limit $4) as counted) else 0 end, \
        case when ", holds_something!(), " then (select count(*) from member m where m.workspace_id = $1 \
        and m.state <> 'deleted' and m.state = 'active') else 0 end");
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
    /// Who is in charge of the workspace and who would be next; at least if they are an Owner or own
    /// an account.
    pub in_line: InLine,
    /// The successors that the accounts name which they own.
    pub successors: Vec<MemberBrief>,
    /// Other active members who may do everything with those, each with a way, by account and member.
    pub co_owners: Vec<WhoReach>,
    /// How many are leaving; at least if a password is to be changed.
    pub wave: Wave,
}

enum Found {
    Member(Box<Member>),
    Team(TeamId, String),
    Workspace(Box<Workspace>),
    Holds { direct_grants: u64, more: bool },
    Reach(Box<reach::Found>),
    Exposure(Exposure),
    Account(Box<Account>),
    Next(Next),
    Successor(MemberBrief),
    CoOwner(Box<WhoReach>),
    Wave(Wave),
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

fn load_in_charge(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Next(Next::InCharge(Box::new(member::load(row)?))))
}

fn load_policy_successor(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Next(Next::Successor(Box::new(member::load(row)?))))
}

fn load_successor(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    member::load_brief(row).map(Found::Successor)
}

fn load_co_owner(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    succession::load_co_owner(row).map(Box::new).map(Found::CoOwner)
}

fn load_wave(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Wave(Wave { leavers: row.count()?, active: row.count()? }))
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

fn is_no_owner(found: &[Found]) -> bool {
    let owner = |one: &Found| {
        matches!(one, Found::Member(member)
            if member.state == MemberState::Active && member.role == Role::Owner)
    };
    !found.iter().any(owner)
}

fn owns_nothing(found: &[Found]) -> bool {
    let owned = |one: &Found| matches!(one, Found::Reach(reach) if matches!(**reach, reach::Found::Owned(_)));
    !found.iter().any(owned)
}

/// None of the accounts found could have a password to change: a look that spares the counting, not
/// the rule ([`latchkey_access::assessment`]).
fn rotates_nothing(found: &[Found]) -> bool {
    let known = found.iter().any(|one| matches!(one, Found::Exposure(_)));
    let could = |account: &Account| match account.offboarding_rotation {
        OffboardingRotation::Never => false,
        OffboardingRotation::Always => true,
        OffboardingRotation::Auto => known || account.is_privileged(),
    };
    !found.iter().any(|one| matches!(one, Found::Account(account) if could(account)))
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

    /// The same, with what their leaving or return rests on; leavers are counted from `since` on.
    pub async fn subject_with_footing(
        &self,
        ws: WorkspaceId,
        id: MemberId,
        since: Timestamp,
    ) -> Result<Option<(Subject, Footing)>, StoreError> {
        let mut first = of_member(ws, id);
        first.push(Asked::new(&workspace::WORKSPACE_GET, params![ws], load_workspace).unless(nobody));
        first.push(Asked::new(&HOLDS, params![ws, id], load_holds).unless(is_out));
        let enough = |found: &[Found]| is_out(found) || (holds_nothing(found) && is_no_owner(found));
        let found = self.at_once_with(first, enough, || what_is_at_stake(ws, id, since)).await?;
        let Some((subject, mut rest)) = taken_apart(found) else { return Ok(None) };
        if subject.member.state != MemberState::Active {
            rest.retain(|one| matches!(one, Found::Workspace(_)));
        }
        footing(rest).map(|footing| Some((subject, footing)))
    }
}

/// What is asked of an active member who is an Owner or has anything that leads to an account.
fn what_is_at_stake(ws: WorkspaceId, id: MemberId, since: Timestamp) -> Vec<Asked<Found>> {
    let member = || params![ws, id];
    let held =
        |stmt: &'static Stmt, load: Load<Found>| Asked::new(stmt, member(), load).unless(holds_nothing);
    let mut asked = vec![
        held(&reach::REACH_OWNED, load_owned),
        held(&reach::REACH_GRANTS, load_granted),
        held(&reach::REACH_BELOW, load_below),
        held(&exposure::EXPOSURES_OF_MEMBER, load_known),
        held(&ACCOUNTS_HELD, load_account),
    ];
    let (in_charge, successor) = succession::in_line(ws, load_in_charge, load_policy_successor);
    asked.extend(in_charge.map(|one| one.unless(is_no_owner)));
    asked.push(successor.unless(|found| is_no_owner(found) && owns_nothing(found)));
    asked.push(Asked::new(&ACCOUNT_SUCCESSORS, member(), load_successor).unless(owns_nothing));
    asked.push(succession::co_owners(ws, id, load_co_owner).unless(owns_nothing));
    let counting = params![ws, id, since, limit_of(LEAVERS_COUNTED)];
    asked.push(Asked::new(&LEAVING_WAVE, counting, load_wave).unless(rotates_nothing));
    asked
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
    let (mut in_line, mut successors, mut co_owners) = (InLine::default(), Vec::new(), Vec::new());
    let mut wave = Wave::default();
    for one in found {
        match one {
            Found::Workspace(row) => workspace = Some(*row),
            Found::Holds { direct_grants: count, .. } => direct_grants = count,
            Found::Reach(found) => reaches.push(*found),
            Found::Exposure(row) => exposures.push(row),
            Found::Account(row) => accounts.push(*row),
            Found::Next(next) => in_line.add(next),
            Found::Successor(member) => successors.push(member),
            Found::CoOwner(who) => co_owners.push(*who),
            Found::Wave(counted) => wave = counted,
            Found::Member(_) | Found::Team(..) => {}
        }
    }
    let workspace = workspace
        .ok_or_else(|| StoreError::Damaged { column: 0, found: "a member of no workspace".to_owned() })?;
    let reached = Reached { reaches: reach::join(reaches), exposures, accounts };
    Ok(Footing { workspace, direct_grants, reached, in_line, successors, co_owners, wave })
}
