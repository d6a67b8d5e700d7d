//! Teams, as admins see and change them. A directory's team is changed in the directory.

use latchkey_access::authority::Action;
use latchkey_access::member::Version;
use latchkey_access::membership::{self, MemberChange};
use latchkey_access::{Member, Membership, Origin, Team, teams as rules};
use latchkey_kernel::id::{MemberId, TeamId};
use latchkey_scim::filter::fold;
use latchkey_store::{Conflict, Page, TeamColumn, TeamTest, TextOp, UniqueKey, Where};

use crate::engine::only_moved;
use crate::{Caller, Engine, Error, members};

/// Which teams.
#[derive(Debug, Clone, Default)]
pub struct TeamQuery {
    /// What the name begins with, in any case.
    pub text: Option<String>,
    /// The last id of the page before.
    pub after: Option<TeamId>,
    /// At most so many.
    pub limit: usize,
}

/// A page of teams, in order of their ids.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller, query: &TeamQuery) -> Result<Vec<Team>, Error> {
    by.may(Action::ReadMembers)?;
    let page = query.after.map_or_else(|| Page::first(query.limit), |id| Page::after(id, query.limit));
    let condition = match query.text.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => {
            let key = fold(text).into_owned();
            Where::Test(TeamTest::Text(TeamColumn::DisplayNameKey, TextOp::StartsWith, key))
        }
        None => Where::Every,
    };
    Ok(engine.store().team_page(by.workspace_id(), &condition, page).await?)
}

/// One team.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: TeamId) -> Result<Team, Error> {
    by.may(Action::ReadMembers)?;
    find(engine, by, id).await
}

/// A page of a team's members, in order of their ids, and in which epoch access through the
/// team counts for each.
///
/// # Errors
/// When there is no such team, or the caller may not.
pub async fn members(
    engine: &Engine,
    by: &Caller,
    id: TeamId,
    after: Option<MemberId>,
    limit: usize,
) -> Result<Vec<(Member, Membership)>, Error> {
    by.may(Action::ReadMembers)?;
    find(engine, by, id).await?;
    let store = engine.store();
    let rows = store.team_members_page(by.workspace_id(), id, after, limit).await?;
    let ids: Vec<MemberId> = rows.iter().map(|(member, _, _)| *member).collect();
    let mut found = store.member_list_by_ids(by.workspace_id(), &ids).await?;
    let members = rows.into_iter().filter_map(|(member_id, _, confirmed)| {
        let at = found.iter().position(|member| member.id == member_id)?;
        Some((found.swap_remove(at), Membership { team_id: id, member_id, confirmed }))
    });
    Ok(members.collect())
}

/// Makes a team that is kept here.
///
/// # Errors
/// When the name is taken, empty or too long, or the caller may not.
pub async fn create(engine: &Engine, by: &Caller, name: &str) -> Result<Team, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteTeams)?;
            let blank = Team {
                workspace_id: by.workspace_id(),
                id: TeamId::fresh(cause.now, engine.entropy()),
                display_name: String::new(),
                display_name_key: String::new(),
                external_id: None,
                origin: Origin::Local,
                resource: String::new(),
                version: Version::FIRST,
                created_at: cause.now,
                modified_at: cause.now,
            };
            let team = named(&blank, name)?;
            let changes = rules::create(team.clone(), &cause, engine.ids(&cause));
            engine.commit(changes, |conflict| name_taken(conflict, name)).await?;
            Ok(team)
        })
        .await
}

/// Renames a team that is kept here.
///
/// # Errors
/// When the name is taken, the directory keeps the team, or the caller may not.
pub async fn rename(engine: &Engine, by: &Caller, id: TeamId, name: &str) -> Result<Team, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteTeams)?;
            let before = find(engine, by, id).await?;
            let changes = rules::update(&before, named(&before, name)?, &cause, engine.ids(&cause))?;
            engine.commit(changes, |conflict| name_taken(conflict, name)).await?;
            Ok(find(engine, by, id).await?)
        })
        .await
}

/// Removes a team that is kept here, with its memberships and grants.
///
/// # Errors
/// When there is none, the directory keeps it, or the caller may not.
pub async fn delete(engine: &Engine, by: &Caller, id: TeamId) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteTeams)?;
            let (team, reached) = tokio::try_join!(find(engine, by, id), async {
                Ok(engine.store().accounts_of_team(by.workspace_id(), id).await?)
            })?;
            let changes = rules::delete(&team, &reached, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await
        })
        .await
}

/// Puts a member into a team that is kept here; there already is no failure. Access through it
/// counts at once, as it is a person who gives it.
///
/// # Errors
/// When the member is out, the directory keeps the team, or the caller may not.
pub async fn add_member(engine: &Engine, by: &Caller, id: TeamId, member: MemberId) -> Result<(), Error> {
    change_members(engine, by, id, || async {
        let member = members::find(engine, by, member).await?;
        if !member.standing().is_active() {
            return Err(latchkey_access::refusal::Refusal::MemberNotActive.into());
        }
        let workspace = engine.workspace(by.workspace_id()).await?;
        let confirmed = membership::confirmed_for(&member.standing(), &workspace.policy);
        Ok(MemberChange { added: vec![(member.id, confirmed)], removed: Vec::new() })
    })
    .await
}

/// Lets access through a member's dormant membership count again, outside a review.
///
/// # Errors
/// When they are not in the team, are out, or confirm for themselves, or the caller may not.
pub async fn confirm_member(engine: &Engine, by: &Caller, id: TeamId, member: MemberId) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::CloseReview)?;
            let team = find(engine, by, id).await?;
            let member = members::find(engine, by, member).await?;
            let standings = engine.store().team_standings(by.workspace_id(), id, &[member.id]).await?;
            let membership = standings.into_iter().find_map(|(_, membership)| membership);
            let membership = membership.ok_or(Error::NotFound { what: "membership" })?;
            let changes = membership::confirm(&team, &membership, &member, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await
        })
        .await
}

/// Takes a member out of a team that is kept here; not there is no failure.
///
/// # Errors
/// When there is no such team, the directory keeps it, or the caller may not.
pub async fn remove_member(engine: &Engine, by: &Caller, id: TeamId, member: MemberId) -> Result<(), Error> {
    change_members(engine, by, id, || async {
        let standings = engine.store().team_standings(by.workspace_id(), id, &[member]).await?;
        if standings.is_empty() {
            return Err(Error::NotFound { what: "member" });
        }
        let is_in = standings.iter().any(|(_, membership)| membership.is_some());
        Ok(MemberChange { added: Vec::new(), removed: if is_in { vec![member] } else { Vec::new() } })
    })
    .await
}

async fn change_members<F>(
    engine: &Engine,
    by: &Caller,
    id: TeamId,
    change: impl Fn() -> F,
) -> Result<(), Error>
where
    F: Future<Output = Result<MemberChange, Error>>,
{
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteTeams)?;
            let team = find(engine, by, id).await?;
            let mut changes = latchkey_access::ChangeSet::new(by.workspace_id());
            membership::extend(&mut changes, &team, change().await?, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await
        })
        .await
}

/// One team of the caller's workspace.
pub(crate) async fn find(engine: &Engine, by: &Caller, id: TeamId) -> Result<Team, Error> {
    engine.store().team_get(by.workspace_id(), id).await?.ok_or(Error::NotFound { what: "team" })
}

/// The team with this name, in the columns and in what SCIM reads.
fn named(team: &Team, name: &str) -> Result<Team, Error> {
    crate::directory::renamed_team(team, name)
}

fn name_taken(conflict: &Conflict, name: &str) -> Option<Error> {
    matches!(conflict, Conflict::Unique(UniqueKey::TeamDisplayName))
        .then(|| Error::Clash(format!("there is a team {name:?} already; choose another name")))
}
