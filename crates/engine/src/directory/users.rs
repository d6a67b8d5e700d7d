//! Users become members: create, read, replace, patch, delete.

use latchkey_access::member::{Epoch, MemberState, Version};
use latchkey_access::offboarding::Trigger;
use latchkey_access::{Change, ChangeSet, Member, Origin, Role, members as rules};
use latchkey_kernel::id::MemberId;
use latchkey_scim::etag::Preconditions;
use latchkey_scim::json::Json;
use latchkey_scim::limits::Limits;
use latchkey_scim::patch::{self, PatchRequest, Patched};
use latchkey_scim::resource::from_client;
use latchkey_scim::schema::USER_TYPE;
use latchkey_scim::{Resource, Value, replace};
use latchkey_store::{Conflict, Footing, Subject, UniqueKey};

use super::member_row::{self, Columns};
use super::{Directory, Done, Effect, UserAnswer};
use crate::error::Attempt;
use crate::{Error, leaving, returning};

/// What a write makes of a member, before the rules have looked at it.
struct Draft {
    before: Member,
    /// There if the write was expected to touch `active`.
    footing: Option<Footing>,
    columns: Columns,
    other_emails_changed: bool,
    hints: Vec<String>,
}

impl Directory<'_> {
    /// One user, with their teams only if `with_teams`.
    ///
    /// # Errors
    /// 404 when there is none of this id in the workspace.
    pub async fn user_get(&self, id: &str, with_teams: bool) -> Result<UserAnswer, Error> {
        let id = member_id(id)?;
        let store = self.engine.store();
        let ids = [id];
        let (member, teams) = tokio::try_join!(store.member_get(self.workspace_id, id), async {
            if with_teams { store.teams_of_members(self.workspace_id, &ids).await } else { Ok(Vec::new()) }
        })?;
        let member = member.ok_or_else(no_such_user)?;
        Ok(UserAnswer { member, teams: teams.into_iter().map(|(_, team, name)| (team, name)).collect() })
    }

    /// Makes a member.
    ///
    /// # Errors
    /// 409 `uniqueness` when the `userName` is taken, 400 for a body that is no User.
    pub async fn user_create(&self, body: &Json, limits: &Limits) -> Result<Done<UserAnswer>, Error> {
        let accepted = from_client(&USER_TYPE, body, limits)?;
        let mut hints: Vec<String> = accepted.notes.iter().map(ToString::to_string).collect();
        let columns = Columns::of_new(accepted.resource.clone());
        let active = columns.active.unwrap_or(true);
        hints.extend(member_row::hints(&columns, &accepted.resource));
        self.engine
            .settle(|| async {
                let cause = self.cause();
                let tombstone = match &columns.external_id {
                    Some(key) => self.engine.store().tombstone_by_external_id(self.workspace_id, key).await?,
                    None => None,
                };
                let member = columns.onto(&Member {
                    workspace_id: self.workspace_id,
                    id: MemberId::fresh(cause.now, self.engine.entropy()),
                    user_name: String::new(),
                    user_name_key: String::new(),
                    external_id: None,
                    display_name: String::new(),
                    work_email: None,
                    work_email_key: None,
                    role: Role::User,
                    state: if active { MemberState::Active } else { MemberState::Inactive },
                    origin: Origin::Directory,
                    access_epoch: Epoch::FIRST,
                    reviewed_epoch: Epoch::FIRST,
                    resource: String::new(),
                    version: Version::FIRST,
                    created_at: cause.now,
                    modified_at: cause.now,
                    left_at: (!active).then_some(cause.now),
                });
                let mut changes =
                    rules::admit(member.clone(), tombstone.as_ref(), &cause, self.engine.ids(&cause));
                if !columns.other_email_keys.is_empty() {
                    changes.push(emails_set(member.id, &columns));
                }
                let stored = inserted(&changes).unwrap_or(member);
                self.engine.commit(changes, |conflict| user_name_taken(conflict, &columns)).await?;
                Ok(Done {
                    value: UserAnswer { member: stored, teams: Vec::new() },
                    effects: vec![Effect::one("member.created")],
                    hints: hints.clone(),
                })
            })
            .await
    }

    /// Writes a user anew from a whole body (PUT).
    ///
    /// # Errors
    /// 404, 412 when `If-Match` misses, 409 when the `userName` is taken, 400 for a body that is no User.
    pub async fn user_replace(
        &self,
        id: &str,
        body: &Json,
        conditions: &Preconditions,
        limits: &Limits,
    ) -> Result<Done<UserAnswer>, Error> {
        let id = member_id(id)?;
        let accepted = match from_client(&USER_TYPE, body, limits) {
            Ok(accepted) => accepted,
            Err(error) => return Err(self.user_refusal(id, conditions, error).await),
        };
        self.user_write(id, conditions, true, |current| {
            let resource = replace::replace(&USER_TYPE, &current, accepted.resource.clone())?;
            Ok(Patched { resource, notes: accepted.notes.clone() })
        })
        .await
    }

    /// Changes parts of a user, all or none (PATCH).
    ///
    /// # Errors
    /// 404, 412 when `If-Match` misses, 409 when the `userName` is taken, 400 for what the
    /// request or its result breaks.
    pub async fn user_patch(
        &self,
        id: &str,
        body: &Json,
        conditions: &Preconditions,
        limits: &Limits,
    ) -> Result<Done<UserAnswer>, Error> {
        let id = member_id(id)?;
        let request = match PatchRequest::parse(body, &USER_TYPE, limits) {
            Ok(request) => request,
            Err(error) => return Err(self.user_refusal(id, conditions, error).await),
        };
        self.user_write(id, conditions, request.touches("active"), |mut current| {
            current.core.set("id", Value::String(id.to_string()));
            let mut patched = patch::apply(&USER_TYPE, &current, &request)?;
            patched.resource.core.remove("id");
            Ok(patched)
        })
        .await
    }

    /// Takes a user out for good: the same offboarding as a disable, and the row is gone to SCIM.
    ///
    /// # Errors
    /// 404 when there is none, 412 when `If-Match` misses.
    pub async fn user_delete(&self, id: &str, conditions: &Preconditions) -> Result<Done<()>, Error> {
        let id = member_id(id)?;
        self.engine
            .settle(|| async {
                let cause = self.cause();
                let (Subject { member, .. }, footing) = self
                    .engine
                    .store()
                    .subject_with_footing(self.workspace_id, id, leaving::counted_since(self.engine))
                    .await?
                    .ok_or_else(no_such_user)?;
                conditions.check(Some(&etag(member.version)))?;
                let after = Member {
                    resource: member_row::resource_with_active(&member, MemberState::Inactive)?,
                    ..member.clone()
                };
                let left =
                    leaving::leave(self.engine, &member, &after, footing, Trigger::DirectoryDeleted, &cause)?;
                self.engine.commit(left.changes, crate::engine::only_moved).await?;
                let mut effects = left.effects;
                effects.push(Effect::one("member.deleted"));
                Ok(Done { value: (), effects, hints: Vec::new() })
            })
            .await
    }

    /// What a write that can't be read is answered with: that its target is not there, or has
    /// another version, is said before what is wrong with the body.
    async fn user_refusal(
        &self,
        id: MemberId,
        conditions: &Preconditions,
        fault: latchkey_scim::Error,
    ) -> Error {
        match self.engine.store().member_get(self.workspace_id, id).await {
            Ok(Some(member)) => conditions.check(Some(&etag(member.version))).err().unwrap_or(fault).into(),
            Ok(None) => no_such_user(),
            Err(error) => error.into(),
        }
    }

    /// Loads a member, lets `change` make new attributes of the present ones, and commits what follows.
    /// `standing` says that it may make somebody active or inactive: then what that rests on is
    /// loaded along with the row.
    async fn user_write(
        &self,
        id: MemberId,
        conditions: &Preconditions,
        standing: bool,
        change: impl Fn(Resource) -> Result<Patched, Error>,
    ) -> Result<Done<UserAnswer>, Error> {
        self.engine
            .settle(|| async {
                let (subject, footing) = self.subject(id, standing).await?.ok_or_else(no_such_user)?;
                let Subject { member: before, teams } = subject;
                conditions.check(Some(&etag(before.version)))?;
                let current = member_row::resource_of(&before)?;
                let other_emails = member_row::other_email_keys(&current);
                let Patched { resource: next, notes } = change(current)?;
                let columns = Columns::of(&next);
                let mut hints: Vec<String> = notes.iter().map(ToString::to_string).collect();
                hints.extend(member_row::hints(&columns, &next));
                let other_emails_changed = other_emails != columns.other_email_keys;
                let draft = Draft { before, footing, columns, other_emails_changed, hints };
                let (member, effects, hints) = self.user_commit(draft).await?;
                Ok(Done { value: UserAnswer { member, teams }, effects, hints })
            })
            .await
    }

    async fn subject(
        &self,
        id: MemberId,
        standing: bool,
    ) -> Result<Option<(Subject, Option<Footing>)>, Error> {
        let store = self.engine.store();
        Ok(if standing {
            let since = leaving::counted_since(self.engine);
            let found = store.subject_with_footing(self.workspace_id, id, since).await?;
            found.map(|(subject, footing)| (subject, Some(footing)))
        } else {
            store.subject(self.workspace_id, id).await?.map(|subject| (subject, None))
        })
    }

    async fn user_commit(&self, draft: Draft) -> Result<(Member, Vec<Effect>, Vec<String>), Attempt> {
        let Draft { before, footing, columns, other_emails_changed, hints } = draft;
        if before.resource == columns.resource && before.origin == Origin::Directory {
            // The wished state holds: no new version, no event (RFC 7644 §3.5.2).
            return Ok((before, Vec::new(), hints));
        }
        let cause = self.cause();
        let mut after = columns.onto(&before);
        after.origin = Origin::Directory;
        let was_active = before.state == MemberState::Active;
        let is_active = columns.active.unwrap_or(was_active);
        let footing = match footing {
            _ if was_active == is_active => None,
            None => self.subject(before.id, true).await?.and_then(|(_, footing)| footing),
            asked => asked,
        };
        let (mut changes, mut effects) = match footing {
            Some(footing) if was_active => {
                let trigger = Trigger::DirectoryDisabled;
                let left = leaving::leave(self.engine, &before, &after, footing, trigger, &cause)?;
                let mut effects = vec![Effect::one("member.disabled")];
                effects.extend(left.effects);
                (left.changes, effects)
            }
            Some(footing) => {
                let back = returning::come_back(self.engine, &before, &after, &footing.workspace, &cause);
                (back.changes, back.effects)
            }
            None => {
                let changes = rules::update_attributes(&before, after, &cause, self.engine.ids(&cause));
                (changes, Vec::new())
            }
        };
        effects.insert(0, Effect::one("member.updated"));
        if other_emails_changed {
            changes.push(emails_set(before.id, &columns));
        }
        let stored = updated(&changes, before.id).unwrap_or(before);
        self.engine.commit(changes, |conflict| user_name_taken(conflict, &columns)).await?;
        Ok((stored, effects, hints))
    }
}

pub(super) fn member_id(id: &str) -> Result<MemberId, Error> {
    id.parse().map_err(|_| no_such_user())
}

fn no_such_user() -> Error {
    latchkey_scim::Error::not_found("there is no user of this id").into()
}

/// The opaque part of a row's ETag.
pub(super) fn etag(version: Version) -> String {
    version.0.to_string()
}

fn emails_set(member_id: MemberId, columns: &Columns) -> Change {
    Change::MemberEmailsSet { member_id, keys: columns.other_email_keys.clone() }
}

fn inserted(changes: &ChangeSet) -> Option<Member> {
    changes.changes.iter().find_map(|change| match change {
        Change::MemberInsert(member) => Some(member.clone()),
        _ => None,
    })
}

/// The row as it will be; a leaving may write an heir's row too.
fn updated(changes: &ChangeSet, id: MemberId) -> Option<Member> {
    changes.changes.iter().find_map(|change| match change {
        Change::MemberUpdate { member, .. } if member.id == id => Some(member.clone()),
        _ => None,
    })
}

fn user_name_taken(conflict: &Conflict, columns: &Columns) -> Option<Error> {
    matches!(conflict, Conflict::Unique(UniqueKey::MemberUserName)).then(|| {
        latchkey_scim::Error::uniqueness(format!(
            "userName {:?} is taken by another user of this workspace",
            columns.user_name
        ))
        .into()
    })
}
