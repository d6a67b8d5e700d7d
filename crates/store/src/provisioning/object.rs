//! What a job remembers of each object.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{JobId, WorkspaceId};
use latchkey_provisioning::ledger::{Digest, ObjectKey, ObjectRow, Totals, Trouble};
use latchkey_provisioning::{EntryId, Kind, Link};

use super::{after, keys, op};
use crate::change::Op;
use crate::member::limit_of;
use crate::row::{Columns, Row};
use crate::statement::statements;
use crate::value::{Val, params};
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "o.key, o.kind, o.source_id, o.label, o.digest, o.members, o.target_id, o.managed, o.fingerprint, \
         o.is_out, o.manager, o.manager_sent, o.manager_due, o.trouble, o.held"
    };
}

statements! {
    OBJECTS_OF_KEYS = concat!("select ", columns!(), " from provisioning_object o where o.workspace_id = $1 \
        and o.job_id = $2 and o.key = any($3)");
    OBJECT_PAGE = concat!("select ", columns!(), " from provisioning_object o where o.workspace_id = $1 \
        and o.job_id = $2 and o.key > $3 order by o.key limit $4");
    OBJECT_DUE = concat!("select ", columns!(), " from provisioning_object o where o.workspace_id = $1 \
        and o.job_id = $2 and o.key > $3 and (o.retry_at is not null or o.held) \
        and (o.held or o.retry_at <= $4) order by o.key limit $5");
    OBJECT_DUE_MANAGERS = concat!("select ", columns!(), " from provisioning_object o where o.workspace_id = $1 \
        and o.job_id = $2 and o.key > $3 and o.manager_due is not null and o.manager_due <= $4 \
        order by o.key limit $5");
    OBJECT_LINKED_TO = concat!("select ", columns!(), " from provisioning_object o where o.workspace_id = $1 \
        and o.job_id = $2 and o.key in (select i.key from provisioning_object i where i.workspace_id = $1 \
        and i.job_id = $2 and i.target_id = $3) and o.kind = $4");
    OBJECT_UPSERT = "insert into provisioning_object (workspace_id, job_id, key, kind, source_id, label, digest, \
        members, target_id, managed, fingerprint, is_out, manager, manager_sent, manager_due, trouble, \
        retry_at, held) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
        $18) on conflict (workspace_id, job_id, key) do update set label = excluded.label, \
        digest = excluded.digest, members = excluded.members, target_id = excluded.target_id, \
        managed = excluded.managed, fingerprint = excluded.fingerprint, is_out = excluded.is_out, \
        manager = excluded.manager, manager_sent = excluded.manager_sent, \
        manager_due = excluded.manager_due, trouble = excluded.trouble, retry_at = excluded.retry_at, \
        held = excluded.held";
    OBJECT_FORGET = "delete from provisioning_object where workspace_id = $1 and job_id = $2 and key = $3";
    MANAGER_UNSENT = "update provisioning_object set manager_sent = null, \
        manager_due = case when manager = $3 then cast($4 as bigint) when manager is null then null \
        else manager_due end where workspace_id = $1 and job_id = $2 and key in (select o.key \
        from provisioning_object o where o.workspace_id = $1 and o.job_id = $2 and o.manager_sent = $3) \
        and manager_sent = $3";
    // The keys come from the index alone; asked for directly, SQLite walks through the job's rows.
    MANAGER_LINKED = "update provisioning_object set manager_due = $4 where workspace_id = $1 \
        and job_id = $2 and key in (select o.key from provisioning_object o where o.workspace_id = $1 \
        and o.job_id = $2 and o.manager = $3) and (manager_sent is null or manager_sent <> $3)";
    OBJECT_TOTALS = "select \
        coalesce(sum(case when o.target_id is not null and o.kind = 'user' and not o.is_out then 1 else 0 end), 0), \
        coalesce(sum(case when o.target_id is not null and o.kind = 'user' and o.is_out then 1 else 0 end), 0), \
        coalesce(sum(case when o.target_id is not null and o.kind = 'group' then 1 else 0 end), 0), \
        coalesce(sum(case when o.retry_at is not null then 1 else 0 end), 0), \
        coalesce(sum(case when o.manager_due is not null then 1 else 0 end), 0), \
        coalesce(sum(case when o.held then 1 else 0 end), 0) \
        from provisioning_object o where o.workspace_id = $1 and o.job_id = $2";
}

fn load(row: &mut Columns<'_>) -> Result<ObjectRow, StoreError> {
    let key = row.next()?;
    let kind = row.next()?;
    let id = EntryId(row.next()?);
    let label = row.next()?;
    let digest = digest(row)?;
    let members = digest_of(row.maybe()?);
    let target_id: Option<String> = row.maybe()?;
    let managed = row.next()?;
    let fingerprint = row.maybe()?;
    Ok(ObjectRow {
        key,
        kind,
        id,
        label,
        digest,
        members,
        link: target_id.map(|target_id| Link { target_id, managed, fingerprint }),
        out: row.next()?,
        manager: row.maybe()?,
        manager_sent: row.maybe()?,
        manager_due: row.maybe()?,
        trouble: trouble(row)?,
        held: row.next()?,
    })
}

fn digest(row: &mut Columns<'_>) -> Result<Option<Digest>, StoreError> {
    Ok(digest_of(row.maybe()?))
}

fn digest_of(bytes: Option<Vec<u8>>) -> Option<Digest> {
    // Other bytes than ours only mean that the object is looked at again.
    bytes.and_then(|bytes| bytes.try_into().ok()).map(Digest)
}

fn trouble(row: &mut Columns<'_>) -> Result<Option<Trouble>, StoreError> {
    let Some(text) = row.maybe::<String>()? else { return Ok(None) };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| StoreError::Damaged { column: 13, found: format!("no trouble: {error}") })
}

pub(super) fn load_totals(row: &mut Columns<'_>) -> Result<Totals, StoreError> {
    Ok(Totals {
        users: row.count()?,
        users_out: row.count()?,
        groups: row.count()?,
        members: 0,
        escrowed: row.count()?,
        references_failed: row.count()?,
        held: row.count()?,
    })
}

impl From<Kind> for Val {
    fn from(kind: Kind) -> Self {
        Self::Word(match kind {
            Kind::User => "user",
            Kind::Group => "group",
        })
    }
}

impl crate::row::Column for Kind {
    fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
        row.word(at, |word| match word {
            "user" => Some(Self::User),
            "group" => Some(Self::Group),
            _ => None,
        })
    }
}

impl Store {
    /// The rows of these objects, as far as there are any.
    pub async fn provisioning_objects(
        &self,
        (ws, job): (WorkspaceId, JobId),
        list: &[ObjectKey],
    ) -> Result<Vec<ObjectRow>, StoreError> {
        self.scan(&OBJECTS_OF_KEYS, params![ws, job, keys(list)], load).await
    }

    /// Rows in the order of their keys.
    pub async fn provisioning_page(
        &self,
        (ws, job): (WorkspaceId, JobId),
        behind: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError> {
        self.scan(&OBJECT_PAGE, params![ws, job, after(behind), limit_of(limit)], load).await
    }

    /// Objects that are to be tried again by now, or wait for a person's word.
    pub async fn provisioning_due(
        &self,
        (ws, job): (WorkspaceId, JobId),
        now: Timestamp,
        behind: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError> {
        self.scan(&OBJECT_DUE, params![ws, job, after(behind), now, limit_of(limit)], load).await
    }

    /// People whose manager is to be sent by now.
    pub async fn provisioning_due_managers(
        &self,
        (ws, job): (WorkspaceId, JobId),
        now: Timestamp,
        behind: Option<ObjectKey>,
        limit: usize,
    ) -> Result<Vec<ObjectRow>, StoreError> {
        self.scan(&OBJECT_DUE_MANAGERS, params![ws, job, after(behind), now, limit_of(limit)], load).await
    }

    /// Who is linked to this object of the target.
    pub async fn provisioning_linked_to(
        &self,
        (ws, job): (WorkspaceId, JobId),
        kind: Kind,
        target_id: &str,
    ) -> Result<Option<ObjectRow>, StoreError> {
        self.look_up_one(&OBJECT_LINKED_TO, params![ws, job, target_id, kind], load).await
    }
}

pub(super) fn upsert(ws: WorkspaceId, job: JobId, o: &ObjectRow) -> Op {
    let link = o.link.as_ref();
    let trouble = o.trouble.as_ref().and_then(|trouble| serde_json::to_string(trouble).ok());
    let params = params![
        ws,
        job,
        o.key,
        o.kind,
        &o.id.0,
        &o.label,
        o.digest,
        o.members,
        link.map(|link| link.target_id.as_str()),
        link.is_some_and(|link| link.managed),
        link.and_then(|link| link.fingerprint).map(|bytes| Val::Bytes(bytes.to_vec())),
        o.out,
        o.manager,
        o.manager_sent,
        o.manager_due,
        trouble,
        o.retry_at(),
        o.held,
    ];
    op(&OBJECT_UPSERT, params)
}

pub(super) fn forget(ws: WorkspaceId, job: JobId, key: ObjectKey) -> Op {
    op(&OBJECT_FORGET, params![ws, job, key])
}

pub(super) fn manager_unsent(ws: WorkspaceId, job: JobId, key: ObjectKey, at: Option<Timestamp>) -> Op {
    op(&MANAGER_UNSENT, params![ws, job, key, at])
}

pub(super) fn manager_linked(ws: WorkspaceId, job: JobId, key: ObjectKey, at: Timestamp) -> Op {
    op(&MANAGER_LINKED, params![ws, job, key, at])
}
