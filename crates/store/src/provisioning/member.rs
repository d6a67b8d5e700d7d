//! Who is in which group at the source, and what the target was told of it.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{JobId, WorkspaceId};
use latchkey_provisioning::ledger::{MemberRow, ObjectKey};

use super::{after, op};
use crate::change::Op;
use crate::member::limit_of;
use crate::row::{Columns, first};
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "m.group_key, m.member_key, m.told, m.wanted, m.sent, m.due_at"
    };
}

statements! {
    IN_GROUP_DUE_GROUPS = "select distinct m.group_key from provisioning_member m where m.workspace_id = $1 \
        and m.job_id = $2 and m.group_key > $3 and m.due_at is not null and m.due_at <= $4 \
        order by m.group_key limit $5";
    IN_GROUP_DUE_MEMBERS = concat!("select ", columns!(), " from provisioning_member m where m.workspace_id = $1 \
        and m.job_id = $2 and m.group_key = $3 and m.due_at is not null and m.due_at <= $4 \
        order by m.member_key limit $5");
    IN_GROUP_MEMBERS_OF = concat!("select ", columns!(), " from provisioning_member m where m.workspace_id = $1 \
        and m.job_id = $2 and m.group_key = $3 and m.member_key > $4 order by m.member_key limit $5");
    IN_GROUP_GROUPS_OF = concat!("select ", columns!(), " from provisioning_member m where m.workspace_id = $1 \
        and m.job_id = $2 and m.group_key in (select i.group_key from provisioning_member i \
        where i.workspace_id = $1 and i.job_id = $2 and i.member_key = $3) and m.member_key = $3 \
        order by m.group_key");
    IN_GROUP_SET = "insert into provisioning_member (workspace_id, job_id, group_key, member_key, told, wanted, \
        sent, due_at) values ($1, $2, $3, $4, $5, $6, $7, case when cast($6 as boolean) then cast($8 as bigint) else null end) \
        on conflict (workspace_id, job_id, group_key, member_key) do update set told = excluded.told, \
        wanted = excluded.wanted, \
        due_at = case when excluded.wanted <> provisioning_member.sent then cast($8 as bigint) else null end";
    IN_GROUP_SET_TOLD = "insert into provisioning_member (workspace_id, job_id, group_key, member_key, told, wanted, \
        sent, due_at) values ($1, $2, $3, $4, $5, $6, $6, null) \
        on conflict (workspace_id, job_id, group_key, member_key) do update set told = excluded.told";
    IN_GROUP_SET_WANTED = "insert into provisioning_member (workspace_id, job_id, group_key, member_key, told, \
        wanted, sent, due_at) values ($1, $2, $3, $4, $6, $5, $6, case when cast($5 as boolean) then cast($7 as bigint) else null end) \
        on conflict (workspace_id, job_id, group_key, member_key) do update set wanted = excluded.wanted, \
        due_at = case when excluded.wanted <> provisioning_member.sent then cast($7 as bigint) else null end";
    IN_GROUP_CLEAR = "delete from provisioning_member where workspace_id = $1 and job_id = $2 \
        and group_key = $3 and member_key = $4 and not told and not wanted and not sent";
    IN_GROUP_PUT = "insert into provisioning_member (workspace_id, job_id, group_key, member_key, told, wanted, sent, \
        due_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (workspace_id, job_id, group_key, member_key) \
        do update set told = excluded.told, wanted = excluded.wanted, sent = excluded.sent, \
        due_at = excluded.due_at";
    IN_GROUP_FORGET = "delete from provisioning_member where workspace_id = $1 and job_id = $2 and group_key = $3 \
        and member_key = $4";
    IN_GROUP_FORGET_GROUP = "delete from provisioning_member where workspace_id = $1 and job_id = $2 and group_key = $3";
    IN_GROUP_UNSENT_OF_MEMBER = "update provisioning_member set sent = $5, \
        due_at = case when wanted then cast($4 as bigint) else null end where workspace_id = $1 \
        and job_id = $2 and group_key in (select m.group_key from provisioning_member m \
        where m.workspace_id = $1 and m.job_id = $2 and m.member_key = $3) and member_key = $3";
    IN_GROUP_UNSENT_OF_GROUP = "update provisioning_member set sent = $5, \
        due_at = case when wanted then cast($4 as bigint) else null end where workspace_id = $1 \
        and job_id = $2 and group_key = $3";
    IN_GROUP_CLEAR_OF_MEMBER = "delete from provisioning_member where workspace_id = $1 and job_id = $2 \
        and group_key in (select m.group_key from provisioning_member m where m.workspace_id = $1 \
        and m.job_id = $2 and m.member_key = $3) and member_key = $3 and not told and not wanted";
    IN_GROUP_CLEAR_OF_GROUP = "delete from provisioning_member where workspace_id = $1 and job_id = $2 \
        and group_key = $3 and not told and not wanted";
    // As with managers: the groups come from the index alone.
    IN_GROUP_LINKED_OF_MEMBER = "update provisioning_member set due_at = $4 where workspace_id = $1 \
        and job_id = $2 and group_key in (select m.group_key from provisioning_member m \
        where m.workspace_id = $1 and m.job_id = $2 and m.member_key = $3) and member_key = $3 \
        and wanted <> sent";
    IN_GROUP_LINKED_OF_GROUP = "update provisioning_member set due_at = $4 where workspace_id = $1 and job_id = $2 \
        and group_key = $3 and wanted <> sent";
    IN_GROUP_TOTALS = "select coalesce(sum(case when m.sent then 1 else 0 end), 0), \
        coalesce(sum(case when m.due_at is not null then 1 else 0 end), 0) \
        from provisioning_member m where m.workspace_id = $1 and m.job_id = $2";
}

fn load(row: &mut Columns<'_>) -> Result<MemberRow, StoreError> {
    Ok(MemberRow {
        group: row.next()?,
        member: row.next()?,
        told: row.next()?,
        wanted: row.next()?,
        sent: row.next()?,
        due: row.maybe()?,
    })
}

/// Those that the target was told of, and those that are to be told.
pub(super) fn load_totals(row: &mut Columns<'_>) -> Result<(u64, u64), StoreError> {
    Ok((row.count()?, row.count()?))
}

impl Store {
    /// Groups of which memberships are to be sent by now.
    pub async fn provisioning_due_groups(
        &self,
        (ws, job): (WorkspaceId, JobId),
        now: Timestamp,
        behind: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectKey>, StoreError> {
        self.scan(&IN_GROUP_DUE_GROUPS, params![ws, job, after(behind), now, limit_of(limit)], first).await
    }

    /// A group's memberships that are to be sent by now.
    pub async fn provisioning_due_members(
        &self,
        (ws, job): (WorkspaceId, JobId),
        group: ObjectKey,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MemberRow>, StoreError> {
        self.scan(&IN_GROUP_DUE_MEMBERS, params![ws, job, group, now, limit_of(limit)], load).await
    }

    /// A group's memberships, by member.
    pub async fn provisioning_members_of(
        &self,
        (ws, job): (WorkspaceId, JobId),
        group: ObjectKey,
        behind: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<MemberRow>, StoreError> {
        self.scan(&IN_GROUP_MEMBERS_OF, params![ws, job, group, after(behind), limit_of(limit)], load).await
    }

    /// A member's memberships.
    pub async fn provisioning_groups_of(
        &self,
        (ws, job): (WorkspaceId, JobId),
        member: ObjectKey,
    ) -> Result<Vec<MemberRow>, StoreError> {
        self.scan(&IN_GROUP_GROUPS_OF, params![ws, job, member], load).await
    }
}

/// What is told and what is wanted of a membership, as far as given.
pub(super) fn set(
    ws: WorkspaceId,
    job: JobId,
    (group, member): (ObjectKey, ObjectKey),
    (told, wanted): (Option<bool>, Option<bool>),
    at: Timestamp,
) -> Vec<Op> {
    let change = match (told, wanted) {
        (Some(told), Some(wanted)) => {
            op(&IN_GROUP_SET, params![ws, job, group, member, told, wanted, false, at])
        }
        (Some(told), None) => op(&IN_GROUP_SET_TOLD, params![ws, job, group, member, told, false]),
        (None, Some(wanted)) => op(&IN_GROUP_SET_WANTED, params![ws, job, group, member, wanted, false, at]),
        (None, None) => return Vec::new(),
    };
    if told == Some(true) || wanted == Some(true) {
        return vec![change];
    }
    vec![change, op(&IN_GROUP_CLEAR, params![ws, job, group, member])]
}

pub(super) fn put(ws: WorkspaceId, job: JobId, m: MemberRow) -> Op {
    if m.told || m.wanted || m.sent {
        op(&IN_GROUP_PUT, params![ws, job, m.group, m.member, m.told, m.wanted, m.sent, m.due])
    } else {
        op(&IN_GROUP_FORGET, params![ws, job, m.group, m.member])
    }
}

pub(super) fn forget_group(ws: WorkspaceId, job: JobId, group: ObjectKey) -> Op {
    op(&IN_GROUP_FORGET_GROUP, params![ws, job, group])
}

pub(super) fn unsent(ws: WorkspaceId, job: JobId, key: ObjectKey, at: Option<Timestamp>) -> [Op; 4] {
    [
        op(&IN_GROUP_CLEAR_OF_MEMBER, params![ws, job, key]),
        op(&IN_GROUP_CLEAR_OF_GROUP, params![ws, job, key]),
        op(&IN_GROUP_UNSENT_OF_MEMBER, params![ws, job, key, at, false]),
        op(&IN_GROUP_UNSENT_OF_GROUP, params![ws, job, key, at, false]),
    ]
}

pub(super) fn linked(ws: WorkspaceId, job: JobId, key: ObjectKey, at: Timestamp) -> [Op; 2] {
    [
        op(&IN_GROUP_LINKED_OF_MEMBER, params![ws, job, key, at]),
        op(&IN_GROUP_LINKED_OF_GROUP, params![ws, job, key, at]),
    ]
}
