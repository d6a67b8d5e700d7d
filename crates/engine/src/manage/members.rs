//! Members: look, add by hand, set roles, take out, bring back.

use latchkey_access::member::{Epoch, MemberState, Origin, Version};
use latchkey_access::offboarding::Trigger;
use latchkey_access::succession::InCharge;
use latchkey_access::{Member, Role, members as rules};
use latchkey_kernel::id::{MemberId, TeamId};
use latchkey_scim::filter::fold;
use latchkey_scim::{Complex, Resource, Value};
use latchkey_store::{Conflict, UniqueKey};

use super::Session;
use crate::directory::resource_with_active;
use crate::{Error, leaving, returning};

/// Somebody to be added by hand.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Their mail address, which is also how they sign in.
    pub email: String,
    /// What people call them.
    pub display_name: Option<String>,
    /// What they may do.
    pub role: Role,
}

impl Session<'_> {
    /// A page of members that are not deleted, by a part of name or mail address and by state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn member_list(
        &self,
        text: Option<&str>,
        state: Option<MemberState>,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<Member>, Error> {
        let text = text.map(|text| fold(text.trim()).into_owned()).filter(|text| !text.is_empty());
        let store = self.engine.store();
        Ok(store.member_search(self.workspace_id, text.as_deref(), state, after, limit).await?)
    }

    /// One member.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn member_get(&self, id: MemberId) -> Result<Member, Error> {
        self.member(id).await
    }

    /// The teams that a member is in, by id and name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn member_teams(&self, id: MemberId) -> Result<Vec<(TeamId, String)>, Error> {
        let rows = self.engine.store().teams_of_members(self.workspace_id, &[id]).await?;
        Ok(rows.into_iter().map(|(_, team, name)| (team, name)).collect())
    }

    /// Adds a member by hand.
    ///
    /// # Errors
    /// When the address is none or taken, or the role is above the caller's own.
    pub async fn member_add(&self, new: NewMember) -> Result<Member, Error> {
        let blank = local_member(self, &new)?;
        self.engine
            .settle(async || {
                let workspace = self.workspace().await?;
                let cause = self.cause();
                let changes =
                    rules::add_local(blank.clone(), self.role, &workspace, &cause, self.ids(&cause))?;
                self.engine.commit(changes, |conflict| address_taken(conflict, &blank.user_name)).await?;
                Ok(self.member(blank.id).await?)
            })
            .await
    }

    /// Sets a member's role.
    ///
    /// # Errors
    /// When the caller may not, or it is the last active Owner (A6).
    pub async fn member_set_role(&self, id: MemberId, role: Role) -> Result<Member, Error> {
        self.engine
            .settle(async || {
                let (before, workspace) = tokio::try_join!(self.member(id), self.workspace())?;
                let in_charge = self.in_charge_without(&before, &workspace).await?;
                let cause = self.cause();
                let ids = self.ids(&cause);
                let changes =
                    rules::set_role(&before, role, self.role, &workspace, in_charge.as_ref(), &cause, ids)?;
                self.engine.commit(changes, crate::engine::only_moved).await?;
                Ok(self.member(id).await?)
            })
            .await
    }

    /// Takes a member out, with everything that follows.
    ///
    /// # Errors
    /// When the caller may not, or it is the last active Owner (A6).
    pub async fn member_deactivate(&self, id: MemberId) -> Result<Member, Error> {
        self.engine
            .settle(async || {
                let before = self.member(id).await?;
                self.may_touch(&before)?;
                if before.state != MemberState::Active {
                    return Ok(before);
                }
                let after = Member {
                    resource: resource_with_active(&before, MemberState::Inactive)?,
                    ..before.clone()
                };
                let cause = self.cause();
                let left = leaving::leave(self.engine, &before, &after, Trigger::Admin, &cause).await?;
                self.engine.commit(left.changes, crate::engine::only_moved).await?;
                Ok(self.member(id).await?)
            })
            .await
    }

    /// Brings a member back, with no access (A3).
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn member_reactivate(&self, id: MemberId) -> Result<Member, Error> {
        self.engine
            .settle(async || {
                let before = self.member(id).await?;
                self.may_touch(&before)?;
                if before.state == MemberState::Active {
                    return Ok(before);
                }
                let after =
                    Member { resource: resource_with_active(&before, MemberState::Active)?, ..before.clone() };
                let cause = self.cause();
                let back = returning::come_back(self.engine, &before, &after, &cause).await?;
                self.engine.commit(back.changes, crate::engine::only_moved).await?;
                Ok(self.member(id).await?)
            })
            .await
    }

    /// Nobody reaches above their own role.
    fn may_touch(&self, member: &Member) -> Result<(), Error> {
        match self.role {
            Some(role) if role < member.role => {
                Err(latchkey_access::refusal::Refusal::RoleAboveOwn { needs: member.role }.into())
            }
            _ => Ok(()),
        }
    }

    /// Who is in charge apart from this member, where their no longer being Owner would matter.
    async fn in_charge_without(
        &self,
        member: &Member,
        workspace: &latchkey_access::Workspace,
    ) -> Result<Option<InCharge>, Error> {
        if member.role != Role::Owner || member.state != MemberState::Active {
            return Ok(None);
        }
        Ok(Some(self.engine.in_charge(workspace, member.id).await?))
    }
}

/// The row of somebody added by hand, with the SCIM text that a directory would find.
pub(crate) fn local_member(session: &Session<'_>, new: &NewMember) -> Result<Member, Error> {
    let email = new.email.trim();
    let whole = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if !whole || email.len() > 254 || email.contains(char::is_whitespace) {
        return Err(Error::Invalid(format!("{email:?} is not a mail address")));
    }
    let now = session.engine.now();
    let display_name = super::said(new.display_name.clone());
    let mut resource = Resource::default();
    resource.core.set("userName", Value::String(email.to_owned()));
    if let Some(name) = &display_name {
        resource.core.set("displayName", Value::String(name.clone()));
    }
    resource.core.set("active", Value::Bool(true));
    let mut work = Complex::new();
    work.set("value", Value::String(email.to_owned()));
    work.set("type", Value::String("work".to_owned()));
    work.set("primary", Value::Bool(true));
    resource.core.set("emails", Value::List(vec![Value::Complex(work)]));
    Ok(Member {
        workspace_id: session.workspace_id,
        id: MemberId::fresh(now, session.engine.entropy()),
        user_name: email.to_owned(),
        user_name_key: fold(email).into_owned(),
        external_id: None,
        display_name: display_name.unwrap_or_else(|| email.to_owned()),
        work_email: Some(email.to_owned()),
        work_email_key: Some(fold(email).into_owned()),
        role: new.role,
        state: MemberState::Active,
        origin: Origin::Local,
        access_epoch: Epoch::FIRST,
        reviewed_epoch: Epoch::FIRST,
        resource: resource.to_stored(),
        version: Version::FIRST,
        created_at: now,
        modified_at: now,
        left_at: None,
    })
}

fn address_taken(conflict: &Conflict, address: &str) -> Option<Error> {
    matches!(conflict, Conflict::Unique(UniqueKey::MemberUserName))
        .then(|| Error::Clash(format!("there is a member with the user name {address} already")))
}
