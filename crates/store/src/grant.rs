//! Grants.

use latchkey_access::{Epoch, Grant, GrantObject, GrantSubject};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CollectionId, GrantId, MemberId, TeamId, WorkspaceId};

use crate::change::Op;
use crate::filter::Draft;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::store::Asked;
use crate::value::params;
use crate::{Store, StoreError};

/// The columns of a grant `g`, for [`load`].
macro_rules! grant_columns {
    () => {
        "g.workspace_id, g.id, g.member_id, g.member_epoch, g.team_id, g.account_id, g.collection_id, \
         g.permission, g.starts_at, g.ends_at, g.reason, g.granted_by, g.granted_at"
    };
}
pub(crate) use grant_columns;

statements! {
    GRANT_GET = concat!("select ", grant_columns!(), " from access_grant g where g.workspace_id = $1 and g.id = $2");
    GRANT_INSERT = "insert into access_grant (workspace_id, id, member_id, member_epoch, team_id, account_id, \
        collection_id, permission, starts_at, ends_at, reason, granted_by, granted_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    GRANT_DELETE = "delete from access_grant where workspace_id = $1 and id = $2";
    GRANT_SET_END = "update access_grant set ends_at = $3 where workspace_id = $1 and id = $2";
}

/// Which grants; an empty filter is all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GrantFilter {
    /// Given to this member.
    pub member: Option<MemberId>,
    /// Given to this team.
    pub team: Option<TeamId>,
    /// On this account itself.
    pub account: Option<AccountId>,
    /// On this collection itself.
    pub collection: Option<CollectionId>,
}

pub(crate) fn load(row: &mut Columns<'_>) -> Result<Grant, StoreError> {
    let (workspace_id, id) = (row.next()?, row.next()?);
    let (member, epoch): (Option<MemberId>, Option<Epoch>) = (row.maybe()?, row.maybe()?);
    let subject = match (member.zip(epoch), row.maybe()?) {
        (Some((member, epoch)), None) => GrantSubject::Member(member, epoch),
        (None, Some(team)) => GrantSubject::Team(team),
        _ => return Err(StoreError::Damaged { column: 2, found: "no subject".to_owned() }),
    };
    let object = match (row.maybe()?, row.maybe()?) {
        (Some(account), None) => GrantObject::Account(account),
        (None, Some(collection)) => GrantObject::Collection(collection),
        _ => return Err(StoreError::Damaged { column: 5, found: "no object".to_owned() }),
    };
    Ok(Grant {
        workspace_id,
        id,
        subject,
        object,
        permission: row.next()?,
        starts_at: row.maybe()?,
        ends_at: row.maybe()?,
        reason: row.maybe()?,
        granted_by: row.next()?,
        granted_at: row.next()?,
    })
}

impl Store {
    /// The grant of this id.
    pub async fn grant_get(&self, ws: WorkspaceId, id: GrantId) -> Result<Option<Grant>, StoreError> {
        self.look_up_one(&GRANT_GET, params![ws, id], load).await
    }

    /// Grants after an id, in id order.
    pub async fn grant_page(
        &self,
        ws: WorkspaceId,
        filter: GrantFilter,
        after: Option<GrantId>,
        limit: usize,
    ) -> Result<Vec<Grant>, StoreError> {
        let select = concat!("select ", grant_columns!(), " from access_grant g where g.workspace_id = $1");
        let mut draft = Draft::new(select.to_owned(), params![ws]);
        if let Some(id) = filter.member {
            draft.push(" and g.member_id = ").bind(id);
        }
        if let Some(id) = filter.team {
            draft.push(" and g.team_id = ").bind(id);
        }
        if let Some(id) = filter.account {
            draft.push(" and g.account_id = ").bind(id);
        }
        if let Some(id) = filter.collection {
            draft.push(" and g.collection_id = ").bind(id);
        }
        if let Some(id) = after {
            draft.push(" and g.id > ").bind(id);
        }
        draft.push(" order by g.id limit ").bind(limit_of(limit));
        // Thirty-two shapes at most.
        self.scan_asked(Asked::made("grant_page", draft, 0, load)).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, g: &Grant) -> Op {
    let (member, epoch, team) = match g.subject {
        GrantSubject::Member(member, epoch) => (Some(member), Some(epoch), None),
        GrantSubject::Team(team) => (None, None, Some(team)),
    };
    let (account, collection) = match g.object {
        GrantObject::Account(account) => (Some(account), None),
        GrantObject::Collection(collection) => (None, Some(collection)),
    };
    let params = params![
        ws,
        g.id,
        member,
        epoch,
        team,
        account,
        collection,
        g.permission,
        g.starts_at,
        g.ends_at,
        g.reason.as_ref(),
        &g.granted_by,
        g.granted_at,
    ];
    Op::new(&GRANT_INSERT, params, "grant")
}

pub(crate) fn delete(ws: WorkspaceId, id: GrantId) -> Op {
    Op::new(&GRANT_DELETE, params![ws, id], "grant").or_missing("grant")
}

pub(crate) fn set_end(ws: WorkspaceId, id: GrantId, ends_at: Option<Timestamp>) -> Op {
    Op::new(&GRANT_SET_END, params![ws, id, ends_at], "grant").or_missing("grant")
}
