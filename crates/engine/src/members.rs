//! Members, as admins see and change them.

use latchkey_access::authority::Action;
use latchkey_access::offboarding::Trigger;
use latchkey_access::{Member, MemberState, Role, Workspace, members as rules};
use latchkey_kernel::id::{MemberId, TeamId};
use latchkey_scim::filter::fold;
use latchkey_store::{
    Conflict, Footing, MemberColumn, MemberTest, MemberWhere, Page, TextOp, UniqueKey, Where,
};

use crate::directory::resource_with_active;
use crate::engine::only_moved;
use crate::{Caller, Effect, Engine, Error, leaving, returning};

/// Somebody to be added by hand.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// The name that they sign in with, usually their work address.
    pub user_name: String,
    /// What people call them; `user_name` if there is none.
    pub display_name: Option<String>,
    /// Where notices go.
    pub work_email: Option<String>,
    /// What they may do.
    pub role: Role,
}

/// A change of a member, with what followed.
#[derive(Debug, Clone)]
pub struct Changed {
    /// As they are now.
    pub member: Member,
    /// What followed.
    pub effects: Vec<Effect>,
}

/// Which members.
#[derive(Debug, Clone, Default)]
pub struct MemberQuery {
    /// What name, `userName` or work address begin with, in any case.
    pub text: Option<String>,
    /// Only active or only inactive ones.
    pub state: Option<MemberState>,
    /// The last id of the page before.
    pub after: Option<MemberId>,
    /// At most so many.
    pub limit: usize,
}

/// A page of members, in order of their ids.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller, query: &MemberQuery) -> Result<Vec<Member>, Error> {
    by.may(Action::ReadMembers)?;
    let page = query.after.map_or_else(|| Page::first(query.limit), |id| Page::after(id, query.limit));
    Ok(engine.store().member_page(by.workspace_id(), &query.condition(), page).await?)
}

impl MemberQuery {
    fn condition(&self) -> MemberWhere {
        let mut terms = Vec::new();
        if let Some(state) = self.state {
            terms.push(Where::Test(MemberTest::State(state)));
        }
        if let Some(text) = self.text.as_deref().filter(|text| !text.is_empty()) {
            let key = fold(text);
            let columns =
                [MemberColumn::UserNameKey, MemberColumn::DisplayNameKey, MemberColumn::WorkEmailKey];
            let begins = |column| Where::Test(MemberTest::Text(column, TextOp::StartsWith, key.to_string()));
            terms.push(Where::Or(columns.into_iter().map(begins).collect()));
        }
        if terms.is_empty() { Where::Every } else { Where::And(terms) }
    }
}

/// One member; everybody may see themselves.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: MemberId) -> Result<Member, Error> {
    by.may_read_about(id, Action::ReadMembers)?;
    find(engine, by, id).await
}

/// One member with the ids and names of their teams; everybody may see themselves.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn with_teams(
    engine: &Engine,
    by: &Caller,
    id: MemberId,
) -> Result<(Member, Vec<(TeamId, String)>), Error> {
    by.may_read_about(id, Action::ReadMembers)?;
    let ids = [id];
    let (member, teams) = tokio::try_join!(find(engine, by, id), async {
        Ok(engine.store().teams_of_members(by.workspace_id(), &ids).await?)
    })?;
    Ok((member, teams.into_iter().map(|(_, team, name)| (team, name)).collect()))
}

/// The caller, with the workspace.
///
/// # Errors
/// When the caller is no member.
pub async fn me(engine: &Engine, by: &Caller) -> Result<(Member, Workspace), Error> {
    by.may(Action::ReadSelf)?;
    let id = by.member_id().ok_or(Error::NotFound { what: "member" })?;
    tokio::try_join!(find(engine, by, id), engine.workspace(by.workspace_id()))
}

/// The member of this `userName`.
///
/// # Errors
/// When there is none or the caller may not.
pub async fn by_login(engine: &Engine, by: &Caller, login: &str) -> Result<Member, Error> {
    by.may(Action::ReadMembers)?;
    let found = engine.store().member_by_user_name(by.workspace_id(), &fold(login.trim())).await?;
    found.ok_or(Error::NotFound { what: "member" })
}

/// Adds a member by hand.
///
/// # Errors
/// When the caller may not, the role is above theirs, or the `userName` is taken.
pub async fn add(engine: &Engine, by: &Caller, new: &NewMember) -> Result<Member, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::AddMember)?;
            let workspace = engine.workspace(by.workspace_id()).await?;
            let member = new.row(by.workspace_id(), engine, &cause);
            let changes =
                rules::add_local(member.clone(), by.role(), &workspace, &cause, engine.ids(&cause))?;
            engine.commit(changes, |conflict| user_name_taken(conflict, new)).await?;
            Ok(member)
        })
        .await
}

/// Changes a member's role.
///
/// # Errors
/// When the caller may not, or it is the last active Owner's (A6).
pub async fn set_role(engine: &Engine, by: &Caller, id: MemberId, role: Role) -> Result<Changed, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::SetRole)?;
            let before = find(engine, by, id).await?;
            let workspace = engine.workspace(by.workspace_id()).await?;
            let demoted =
                before.role == Role::Owner && before.state == MemberState::Active && role != Role::Owner;
            let in_charge = if demoted {
                Some(leaving::in_charge(engine.store().in_line(workspace.id).await?, id))
            } else {
                None
            };
            let changes = rules::set_role(
                &before,
                role,
                by.role(),
                &workspace,
                in_charge.as_ref(),
                &cause,
                engine.ids(&cause),
            )?;
            let effects = Effect::of(&changes);
            engine.commit(changes, only_moved).await?;
            Ok(Changed { member: find(engine, by, id).await?, effects })
        })
        .await
}

/// Takes a member out: the same offboarding as a disable by the directory.
///
/// # Errors
/// When the caller may not, or it is the last active Owner (A6).
pub async fn deactivate(engine: &Engine, by: &Caller, id: MemberId) -> Result<Changed, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::Deactivate)?;
            let (before, footing) = with_footing(engine, by, id).await?;
            may_touch(by, &before)?;
            let after =
                Member { resource: resource_with_active(&before, MemberState::Inactive)?, ..before.clone() };
            let left = leaving::leave(engine, &before, &after, footing, Trigger::Admin, &cause)?;
            engine.commit(left.changes, only_moved).await?;
            Ok(Changed { member: find(engine, by, id).await?, effects: left.effects })
        })
        .await
}

/// Brings a member back, with nothing.
///
/// # Errors
/// When the caller may not, or the member is in.
pub async fn reactivate(engine: &Engine, by: &Caller, id: MemberId) -> Result<Changed, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::Reactivate)?;
            let (before, footing) = with_footing(engine, by, id).await?;
            may_touch(by, &before)?;
            if before.state == MemberState::Active {
                return Err(latchkey_access::refusal::Refusal::MemberActive.into());
            }
            let after =
                Member { resource: resource_with_active(&before, MemberState::Active)?, ..before.clone() };
            let back = returning::come_back(engine, &before, &after, &footing.workspace, &cause);
            engine.commit(back.changes, only_moved).await?;
            Ok(Changed { member: find(engine, by, id).await?, effects: back.effects })
        })
        .await
}

/// One member of the caller's workspace, with what their leaving or return rests on.
pub(crate) async fn with_footing(
    engine: &Engine,
    by: &Caller,
    id: MemberId,
) -> Result<(Member, Footing), Error> {
    let since = leaving::counted_since(engine);
    let found = engine.store().subject_with_footing(by.workspace_id(), id, since).await?;
    let (subject, footing) = found.ok_or(Error::NotFound { what: "member" })?;
    Ok((subject.member, footing))
}

/// One member of the caller's workspace.
pub(crate) async fn find(engine: &Engine, by: &Caller, id: MemberId) -> Result<Member, Error> {
    engine.store().member_get(by.workspace_id(), id).await?.ok_or(Error::NotFound { what: "member" })
}

/// Nobody takes out or brings back somebody above them.
fn may_touch(by: &Caller, member: &Member) -> Result<(), Error> {
    match by.role() {
        Some(role) => Ok(latchkey_access::authority::may_change_role(role, member.role, member.role)?),
        None => Ok(()),
    }
}

fn user_name_taken(conflict: &Conflict, new: &NewMember) -> Option<Error> {
    matches!(conflict, Conflict::Unique(UniqueKey::MemberUserName)).then(|| {
        Error::Clash(format!("the userName {:?} is taken by another member; choose another", new.user_name))
    })
}
