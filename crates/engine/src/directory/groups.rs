//! Groups become teams: create, read, replace, patch, delete.
//!
//! Members are rows, never a list that is read, changed and written back: what one request costs
//! depends on the members that it names, not on those that are there (S3), and two requests
//! for one group cannot lose each other's members.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use latchkey_access::member::Version;
use latchkey_access::membership::{self as rules, MemberChange};
use latchkey_access::team::Membership;
use latchkey_access::{ChangeSet, Origin, Team, Workspace, teams};
use latchkey_kernel::id::{MemberId, TeamId};
use latchkey_scim::etag::Preconditions;
use latchkey_scim::json::Json;
use latchkey_scim::limits::Limits;
use latchkey_scim::patch::{self, MembersChange, PatchRequest, Patched, members_of_body};
use latchkey_scim::resource::from_client;
use latchkey_scim::schema::GROUP_TYPE;
use latchkey_scim::{Resource, Value, replace};
use latchkey_store::{Conflict, TeamMember, UniqueKey};

use super::users::etag;
use super::{Directory, Done, Effect, team_row};
use crate::Error;
use crate::error::Attempt;

/// A team as SCIM shows it.
#[derive(Debug, Clone)]
pub struct GroupAnswer {
    /// The row. After a write that shows nothing it is as it was decided: a change of members
    /// bumps the version without reading it.
    pub team: Team,
    /// Its members, where the request asked for them.
    pub members: Option<Vec<GroupMember>>,
}

impl GroupAnswer {
    fn of((team, members): (Team, Vec<TeamMember>), with_members: bool) -> Self {
        let shown = |(id, display, _)| GroupMember { id, display };
        Self { team, members: with_members.then(|| members.into_iter().map(shown).collect()) }
    }
}

/// What of a group is to be answered after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupShown {
    /// Nothing: of the answer only the id counts.
    Nothing,
    /// The row.
    Row,
    /// The row and all members.
    WithMembers,
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The user's id.
    pub id: MemberId,
    /// What people call them.
    pub display: String,
}

impl Directory<'_> {
    /// One group, with its members only if `with_members`.
    ///
    /// # Errors
    /// 404 when there is none of this id in the workspace.
    pub async fn group_get(&self, id: &str, with_members: bool) -> Result<GroupAnswer, Error> {
        let id = team_id(id)?;
        let found = self.engine.store().team_shown(self.workspace_id, id, with_members).await?;
        found.map(|found| GroupAnswer::of(found, with_members)).ok_or_else(no_such_group)
    }

    /// Makes a team.
    ///
    /// # Errors
    /// 409 `uniqueness` when the `displayName` is taken, 400 for a body that is no Group or
    /// names a member that is not there.
    pub async fn group_create(
        &self,
        body: &Json,
        show: GroupShown,
        limits: &Limits,
    ) -> Result<Done<GroupAnswer>, Error> {
        let accepted = from_client(&GROUP_TYPE, body, limits)?;
        let hints: Vec<String> = accepted.notes.iter().map(ToString::to_string).collect();
        let wished = members_of_body(body)?.unwrap_or_default();
        self.engine
            .settle(|| async {
                let cause = self.cause();
                let id = TeamId::fresh(cause.now, self.engine.entropy());
                let blank = Team {
                    workspace_id: self.workspace_id,
                    id,
                    display_name: String::new(),
                    display_name_key: String::new(),
                    external_id: None,
                    origin: Origin::Directory,
                    resource: String::new(),
                    version: Version::FIRST,
                    created_at: cause.now,
                    modified_at: cause.now,
                };
                let team = team_row::onto(&blank, &accepted.resource);
                let mut changes = teams::create(team.clone(), &cause, self.engine.ids(&cause));
                let mut effects = vec![Effect::one("team.created")];
                if !wished.is_empty() {
                    let (workspace, known) = self.standings(id, &wished).await?;
                    let wanted = Wanted::default().apply(&[MembersChange::Add(wished.clone())], &[]);
                    let change = wanted.resolve(&known, &workspace)?;
                    effects.extend(member_effects(&change));
                    rules::extend(&mut changes, &team, change, &cause, self.engine.ids(&cause))?;
                }
                let value = self.group_commit(changes, team, show).await?;
                Ok(Done { value, effects, hints: hints.clone() })
            })
            .await
    }

    /// Writes a group anew from a whole body (PUT). Without `members` in it, nobody is left in it:
    /// a PUT carries the whole resource (RFC 7644 §3.5.1).
    ///
    /// # Errors
    /// As for a create, and 404 and 412.
    pub async fn group_replace(
        &self,
        id: &str,
        body: &Json,
        conditions: &Preconditions,
        show: GroupShown,
        limits: &Limits,
    ) -> Result<Done<GroupAnswer>, Error> {
        let id = team_id(id)?;
        let read = from_client(&GROUP_TYPE, body, limits)
            .and_then(|accepted| Ok((accepted, members_of_body(body)?.unwrap_or_default())));
        let (accepted, wished) = match read {
            Ok(read) => read,
            Err(error) => return Err(self.group_refusal(id, conditions, error).await),
        };
        self.group_write(id, conditions, &[MembersChange::ReplaceAll(wished)], show, |current| {
            let resource = replace::replace(&GROUP_TYPE, current, accepted.resource.clone())?;
            Ok(Patched { resource, notes: accepted.notes.clone() })
        })
        .await
    }

    /// Changes parts of a group, all or none (PATCH).
    ///
    /// # Errors
    /// As for a create, and 404 and 412.
    pub async fn group_patch(
        &self,
        id: &str,
        body: &Json,
        conditions: &Preconditions,
        show: GroupShown,
        limits: &Limits,
    ) -> Result<Done<GroupAnswer>, Error> {
        let id = team_id(id)?;
        let parsed = PatchRequest::parse(body, &GROUP_TYPE, limits).and_then(PatchRequest::split_members);
        let (rest, members) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return Err(self.group_refusal(id, conditions, error).await),
        };
        self.group_write(id, conditions, &members, show, |current| {
            let mut with_id = current.clone();
            with_id.core.set("id", Value::String(id.to_string()));
            let mut patched = patch::apply(&GROUP_TYPE, &with_id, &rest)?;
            patched.resource.core.remove("id");
            Ok(patched)
        })
        .await
    }

    /// Removes a team with its memberships and grants.
    ///
    /// # Errors
    /// 404 when there is none, 412 when `If-Match` misses.
    pub async fn group_delete(&self, id: &str, conditions: &Preconditions) -> Result<Done<()>, Error> {
        let id = team_id(id)?;
        self.engine
            .settle(|| async {
                let cause = self.cause();
                let store = self.engine.store();
                let (team, reached) = tokio::try_join!(
                    store.team_get(self.workspace_id, id),
                    store.accounts_of_team(self.workspace_id, id),
                )?;
                let team = team.ok_or_else(no_such_group)?;
                conditions.check(Some(&etag(team.version)))?;
                let changes = teams::delete(&team, &reached, &cause, self.engine.ids(&cause))?;
                self.engine.commit(changes, crate::engine::only_moved).await?;
                Ok(Done { value: (), effects: vec![Effect::one("team.deleted")], hints: Vec::new() })
            })
            .await
    }

    /// What a write that can't be read is answered with; as for a user.
    async fn group_refusal(
        &self,
        id: TeamId,
        conditions: &Preconditions,
        fault: latchkey_scim::Error,
    ) -> Error {
        match self.engine.store().team_get(self.workspace_id, id).await {
            Ok(Some(team)) => conditions.check(Some(&etag(team.version))).err().unwrap_or(fault).into(),
            Ok(None) => no_such_group(),
            Err(error) => error.into(),
        }
    }

    async fn group_write(
        &self,
        id: TeamId,
        conditions: &Preconditions,
        members: &[MembersChange],
        show: GroupShown,
        change: impl Fn(&Resource) -> Result<Patched, Error>,
    ) -> Result<Done<GroupAnswer>, Error> {
        let named = named_ids(members);
        let whole =
            members.iter().any(|m| matches!(m, MembersChange::RemoveAll | MembersChange::ReplaceAll(_)));
        self.engine
            .settle(|| async {
                let store = self.engine.store();
                let (team, (workspace, known), present) = tokio::try_join!(
                    async { Ok(store.team_get(self.workspace_id, id).await?) },
                    self.standings(id, &named),
                    async {
                        if whole {
                            Ok(store.team_member_ids(self.workspace_id, id).await?)
                        } else {
                            Ok(Vec::new())
                        }
                    },
                )?;
                let team = team.ok_or_else(no_such_group)?;
                conditions.check(Some(&etag(team.version)))?;
                let current = team_row::resource_of(&team)?;
                let Patched { resource, notes } = change(&current)?;
                let next = team_row::onto(&team, &resource);
                let mut hints: Vec<String> = notes.iter().map(ToString::to_string).collect();
                let wanted = Wanted::default().apply(members, &present);
                let member_change = wanted.resolve(&known, &workspace)?;
                hints.extend(emptied(&member_change, present.len()));
                let cause = self.cause();
                let mut changes = teams::update(&team, next, &cause, self.engine.ids(&cause))?;
                let mut effects = Vec::new();
                if !changes.is_empty() {
                    effects.push(Effect::one("team.updated"));
                }
                effects.extend(member_effects(&member_change));
                rules::extend(&mut changes, &team, member_change, &cause, self.engine.ids(&cause))?;
                let team = stored_team(&changes, team);
                let value = self.group_commit(changes, team, show).await?;
                Ok(Done { value, effects, hints })
            })
            .await
    }

    /// `team` is the row as decided.
    async fn group_commit(
        &self,
        changes: ChangeSet,
        team: Team,
        show: GroupShown,
    ) -> Result<GroupAnswer, Attempt> {
        let taken = |conflict: &Conflict| display_name_taken(conflict, &team);
        if show == GroupShown::Nothing {
            self.engine.commit(changes, taken).await?;
            return Ok(GroupAnswer { team, members: None });
        }
        let with_members = show == GroupShown::WithMembers;
        let committed = self.engine.store().commit_showing_team(changes, team.id, with_members).await;
        let found = committed.map_err(|error| Attempt::from_commit(error, taken))?;
        Ok(GroupAnswer::of(found.ok_or_else(no_such_group)?, with_members))
    }

    /// The workspace, and what is known of those of `named` that are members of it.
    async fn standings(&self, team: TeamId, named: &[String]) -> Result<(Workspace, Known), Error> {
        let ids: Vec<MemberId> = named.iter().filter_map(|id| id.parse().ok()).collect();
        if ids.is_empty() {
            // Nobody is named, so no rule looks at the workspace; the read would be for nothing.
            return Ok((self.engine.workspace(self.workspace_id).await?, Known::default()));
        }
        let (workspace, rows) = tokio::try_join!(self.engine.workspace(self.workspace_id), async {
            Ok(self.engine.store().team_standings(self.workspace_id, team, &ids).await?)
        })?;
        Ok((workspace, rows.into_iter().map(|row| (row.0.member_id, row)).collect()))
    }
}

type Known = HashMap<MemberId, (latchkey_access::member::Standing, Option<Membership>)>;

/// Who is to be in the team in the end, as far as the request says.
#[derive(Debug, Default)]
struct Wanted {
    /// By the id as sent: to be in, or out.
    by_id: BTreeMap<String, bool>,
    /// Who was in, where the request speaks of everybody.
    present: HashSet<MemberId>,
}

impl Wanted {
    /// Plays the changes in order; `present` matters only to those that speak of everybody.
    fn apply(mut self, changes: &[MembersChange], present: &[MemberId]) -> Self {
        for change in changes {
            match change {
                MembersChange::Add(ids) => self.set(ids, true),
                MembersChange::Remove(ids) => self.set(ids, false),
                MembersChange::RemoveAll => self.clear(present),
                MembersChange::ReplaceAll(ids) => {
                    self.clear(present);
                    self.set(ids, true);
                }
            }
        }
        self
    }

    fn set(&mut self, ids: &[String], wanted: bool) {
        self.by_id.extend(ids.iter().map(|id| (id.clone(), wanted)));
    }

    fn clear(&mut self, present: &[MemberId]) {
        self.by_id.values_mut().for_each(|wanted| *wanted = false);
        self.by_id.extend(present.iter().map(|id| (id.to_string(), false)));
        self.present.extend(present);
    }

    /// What has to change. Taking out somebody who isn't there is no failure; putting in
    /// somebody who isn't a member is one, and names them.
    fn resolve(self, known: &Known, workspace: &Workspace) -> Result<MemberChange, Error> {
        let mut change = MemberChange::default();
        for (text, wanted) in self.by_id {
            let id = text.parse::<MemberId>().ok();
            match (wanted, id.and_then(|id| known.get(&id).map(|row| (id, row)))) {
                (true, None) => {
                    let detail = format!("members: there is no user with the id {text:?} in this workspace");
                    return Err(latchkey_scim::Error::invalid_value(detail).into());
                }
                (true, Some((_, (standing, None)))) => {
                    change
                        .added
                        .push((standing.member_id, rules::confirmed_for(standing, &workspace.policy)));
                }
                (false, Some((id, (_, Some(_))))) => change.removed.push(id),
                (false, None) => change.removed.extend(id.filter(|id| self.present.contains(id))),
                (true, Some((_, (_, Some(_))))) | (false, Some((_, (_, None)))) => {}
            }
        }
        Ok(change)
    }
}

fn named_ids(changes: &[MembersChange]) -> Vec<String> {
    let mut named = BTreeSet::new();
    for change in changes {
        match change {
            MembersChange::Add(ids) | MembersChange::Remove(ids) | MembersChange::ReplaceAll(ids) => {
                named.extend(ids.iter().cloned());
            }
            MembersChange::RemoveAll => {}
        }
    }
    named.into_iter().collect()
}

/// From how many members on a group is large.
const LARGE: usize = 50;

/// A hint when one request takes most of a large group out by a list that claims to be complete.
/// The standard says that it is; but clients are known to send a part as if it were all (quirk 49),
/// and who runs them should see it.
fn emptied(change: &MemberChange, present: usize) -> Option<String> {
    let gone = change.removed.len();
    (present >= LARGE && gone * 2 > present).then(|| {
        format!(
            "one request took {gone} of the group's {present} members out, as its list of members was read as \
             complete; if it was meant as a part, the client has to send add and remove instead"
        )
    })
}

fn member_effects(change: &MemberChange) -> Vec<Effect> {
    let mut effects = Vec::new();
    if !change.added.is_empty() {
        effects.push(Effect::many("team.members_added", change.added.len()));
        let dormant = change.added.iter().filter(|(_, confirmed)| confirmed.is_none()).count();
        if dormant > 0 {
            effects.push(Effect::many("team.members_dormant", dormant));
        }
    }
    if !change.removed.is_empty() {
        effects.push(Effect::many("team.members_removed", change.removed.len()));
    }
    effects
}

fn stored_team(changes: &ChangeSet, before: Team) -> Team {
    let updated = changes.changes.iter().find_map(|change| match change {
        latchkey_access::Change::TeamUpdate { team, .. } => Some(team.clone()),
        _ => None,
    });
    updated.unwrap_or(before)
}

fn team_id(id: &str) -> Result<TeamId, Error> {
    id.parse().map_err(|_| no_such_group())
}

fn no_such_group() -> Error {
    latchkey_scim::Error::not_found("there is no group of this id").into()
}

fn display_name_taken(conflict: &Conflict, team: &Team) -> Option<Error> {
    matches!(conflict, Conflict::Unique(UniqueKey::TeamDisplayName)).then(|| {
        latchkey_scim::Error::uniqueness(format!(
            "displayName {:?} is taken by another group of this workspace",
            team.display_name
        ))
        .into()
    })
}
