//! Grants: given, shortened, prolonged and ended.

use latchkey_access::authority::Action;
use latchkey_access::grants::{self as rules, Receiver, Wish};
use latchkey_access::{Grant, GrantObject};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{GrantId, MemberId, TeamId};
use latchkey_store::GrantFilter;

use crate::engine::only_moved;
use crate::{Caller, Engine, Error, accounts, collections, members, teams};

/// To whom a grant is to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// A member.
    Member(MemberId),
    /// A team.
    Team(TeamId),
}

/// A page of grants, in order of their ids.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(
    engine: &Engine,
    by: &Caller,
    filter: GrantFilter,
    after: Option<GrantId>,
    limit: usize,
) -> Result<Vec<Grant>, Error> {
    by.may(Action::ReadAccounts)?;
    Ok(engine.store().grant_page(by.workspace_id(), filter, after, limit).await?)
}

/// One grant.
///
/// # Errors
/// When there is none of this id in the workspace, or the caller may not.
pub async fn get(engine: &Engine, by: &Caller, id: GrantId) -> Result<Grant, Error> {
    by.may(Action::ReadAccounts)?;
    find(engine, by, id).await
}

/// Gives a grant.
///
/// # Errors
/// When the receiver is out or may not hold it, the object isn't there, or the caller may not.
pub async fn give(engine: &Engine, by: &Caller, to: To, wish: &Wish) -> Result<Grant, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteGrants)?;
            match wish.object {
                GrantObject::Account(id) => drop(accounts::find(engine, by, id).await?),
                GrantObject::Collection(id) => drop(collections::find(engine, by, id).await?),
            }
            let (grant, changes) = match to {
                To::Member(id) => {
                    let member = members::find(engine, by, id).await?;
                    rules::give(Receiver::Member(&member), wish.clone(), &cause, engine.ids(&cause))?
                }
                To::Team(id) => {
                    let team = teams::find(engine, by, id).await?;
                    rules::give(Receiver::Team(&team), wish.clone(), &cause, engine.ids(&cause))?
                }
            };
            engine.commit(changes, only_moved).await?;
            Ok(grant)
        })
        .await
}

/// Sets when a grant ends; `None` is never.
///
/// # Errors
/// When there is no such grant, the end makes no sense, or the caller may not.
pub async fn set_end(
    engine: &Engine,
    by: &Caller,
    id: GrantId,
    ends_at: Option<Timestamp>,
) -> Result<Grant, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteGrants)?;
            let grant = find(engine, by, id).await?;
            let changes = rules::set_end(&grant, ends_at, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            Ok(find(engine, by, id).await?)
        })
        .await
}

/// Ends a grant at once.
///
/// # Errors
/// When there is no such grant, or the caller may not.
pub async fn end(engine: &Engine, by: &Caller, id: GrantId) -> Result<(), Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteGrants)?;
            let grant = find(engine, by, id).await?;
            let changes = rules::end(&grant, &cause, engine.ids(&cause));
            engine.commit(changes, only_moved).await
        })
        .await
}

async fn find(engine: &Engine, by: &Caller, id: GrantId) -> Result<Grant, Error> {
    engine.store().grant_get(by.workspace_id(), id).await?.ok_or(Error::NotFound { what: "grant" })
}
