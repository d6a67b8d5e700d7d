//! Grants: who gets which account or collection.

use latchkey_access::Permission;
use latchkey_access::grant::{Grant, GrantObject};
use latchkey_access::grants::{self as rules, Receiver, Wish};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{GrantId, MemberId, TeamId};
use latchkey_store::GrantFilter;

use super::{Session, said};
use crate::Error;
use crate::engine::only_moved;

/// Who is to receive.
#[derive(Debug, Clone, Copy)]
pub enum Subject {
    /// A member.
    Member(MemberId),
    /// A team.
    Team(TeamId),
}

/// A grant to be given.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// To whom.
    pub subject: Subject,
    /// On what.
    pub object: GrantObject,
    /// What it allows.
    pub permission: Permission,
    /// From when on; `None` is at once.
    pub starts_at: Option<Timestamp>,
    /// Until when; `None` is without end.
    pub ends_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

impl Session<'_> {
    /// A page of grants, narrowed as asked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_list(
        &self,
        filter: GrantFilter,
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Vec<Grant>, Error> {
        Ok(self.engine.store().grant_page(self.workspace_id, filter, after, limit).await?)
    }

    /// One grant.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn grant_get(&self, id: GrantId) -> Result<Grant, Error> {
        let found = self.engine.store().grant_get(self.workspace_id, id).await?;
        found.ok_or(Error::NotFound { what: "grant" })
    }

    /// Gives a grant.
    ///
    /// # Errors
    /// When a part is not there, the member is out (R11), or the times make no sense.
    pub async fn grant_give(&self, new: NewGrant) -> Result<Grant, Error> {
        let wish = Wish {
            object: new.object,
            permission: new.permission,
            starts_at: new.starts_at,
            ends_at: new.ends_at,
            reason: said(new.reason),
        };
        self.engine
            .settle(async || {
                self.object_is_there(new.object).await?;
                let cause = self.cause();
                let (grant, changes) = match new.subject {
                    Subject::Member(id) => {
                        let member = self.member(id).await?;
                        rules::give(Receiver::Member(&member), wish.clone(), &cause, self.ids(&cause))?
                    }
                    Subject::Team(id) => {
                        let team = self.team_get(id).await?;
                        rules::give(Receiver::Team(&team), wish.clone(), &cause, self.ids(&cause))?
                    }
                };
                self.engine.commit(changes, only_moved).await?;
                Ok(grant)
            })
            .await
    }

    /// Sets when a grant ends; `None` is never.
    ///
    /// # Errors
    /// When there is no such grant, or the end is not in the future and after the start.
    pub async fn grant_set_end(&self, id: GrantId, ends_at: Option<Timestamp>) -> Result<Grant, Error> {
        self.engine
            .settle(async || {
                let grant = self.grant_get(id).await?;
                let cause = self.cause();
                let changes = rules::set_end(&grant, ends_at, &cause, self.ids(&cause))?;
                self.engine.commit(changes, only_moved).await?;
                Ok(Grant { ends_at, ..grant })
            })
            .await
    }

    /// Ends a grant at once.
    ///
    /// # Errors
    /// When there is none of this id.
    pub async fn grant_end(&self, id: GrantId) -> Result<(), Error> {
        self.engine
            .settle(async || {
                let grant = self.grant_get(id).await?;
                let cause = self.cause();
                let changes = rules::end(&grant, &cause, self.ids(&cause));
                self.engine.commit(changes, only_moved).await
            })
            .await
    }

    async fn object_is_there(&self, object: GrantObject) -> Result<(), Error> {
        match object {
            GrantObject::Account(id) => self.account_get(id).await.map(drop),
            GrantObject::Collection(id) => self.collection_get(id).await.map(drop),
        }
    }
}

