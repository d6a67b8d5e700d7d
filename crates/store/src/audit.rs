//! The audit log: records are written with what they tell of, and chained by hash right after.
//!
//! On PostgreSQL a record is inserted without a place in the chain, so that writers never wait for
//! each other; [`Store::audit_seal`] gives each its place: `hash = SHA-256(previous hash, fields)`.
//! On SQLite, where one thread writes, it gets its place in the commit. Who alters a record, removes
//! one or changes their order breaks a link, and [`Store::audit_verify`] says which.

use latchkey_access::AuditRecord;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AuditId, RequestId, WorkspaceId};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::change::Op;
use crate::filter::Draft;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::store::Asked;
use crate::store::Driver;
use crate::value::{Val, json_text, params};
use crate::{Store, StoreError};

/// What the first record of a chain names as the one before it.
pub(crate) const FIRST_HASH: [u8; 32] = [0; 32];
/// Records read at a time while verifying.
const VERIFY_PAGE: usize = 1_000;
/// Breaks told at most; behind a changed hash every further one would be told.
const BREAKS_TOLD: usize = 100;
/// Workspaces sealed in one call at most.
const SEAL_WORKSPACES: i64 = 256;

macro_rules! columns {
    () => {
        "r.workspace_id, r.id, r.at, r.actor, r.action, r.target_kind, r.target_id, r.request_id, r.detail, \
         r.seq, r.previous_hash, r.hash"
    };
}

statements! {
    AUDIT_INSERT = "insert into audit_record (workspace_id, id, at, actor, action, target_kind, target_id, \
        request_id, detail) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    AUDIT_INSERT_SEALED = "insert into audit_record (workspace_id, id, at, actor, action, target_kind, \
        target_id, request_id, detail, seq, previous_hash, hash) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    AUDIT_SEALED_AFTER = concat!("select ", columns!(), " from audit_record r where r.workspace_id = $1 \
        and r.seq > $2 order by r.seq limit $3");
    AUDIT_UNSEALED_COUNT = "select count(*) from audit_record r where r.workspace_id = $1 and r.seq is null";
    AUDIT_HEAD = "select h.seq, h.hash from audit_head h where h.workspace_id = $1";
    AUDIT_WORKSPACES_UNSEALED = "select distinct r.workspace_id from audit_record r where r.seq is null limit $1";
    AUDIT_HEAD_HOLD = "select h.seq, h.hash from audit_head h where h.workspace_id = $1 for update skip locked";
    AUDIT_UNSEALED = concat!("select ", columns!(), " from audit_record r where r.workspace_id = $1 \
        and r.seq is null order by r.id limit $2");
    AUDIT_SEAL = "update audit_record set seq = $3, previous_hash = $4, hash = $5 \
        where workspace_id = $1 and id = $2 and seq is null";
    AUDIT_HEAD_SET = "update audit_head set seq = $2, hash = $3 where workspace_id = $1";
}

/// A record as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who, as [`latchkey_access::Actor`] prints it.
    pub actor: String,
    /// What.
    pub action: String,
    /// The kind of the thing.
    pub target_kind: String,
    /// The thing's id.
    pub target_id: String,
    /// The request from which it follows.
    pub request_id: RequestId,
    /// The cause and what changed.
    pub detail: Value,
    /// Its place in the chain, once it is sealed.
    pub seq: Option<u64>,
    /// Its hash, once it is sealed.
    pub hash: Option<[u8; 32]>,
}

/// Which records, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this action.
    pub action: Option<String>,
    /// Only of this thing.
    pub target_id: Option<String>,
    /// The last id of the page before: only older ones.
    pub after: Option<AuditId>,
    /// At most so many.
    pub limit: usize,
}

/// What one sealing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SealReport {
    /// Records that got their place in their chain.
    pub sealed: usize,
}

/// What verifying a chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// Records in the chain.
    pub sealed: u64,
    /// Records that wait for their place.
    pub unsealed: u64,
    /// Where the chain is broken, in order, the first hundred; empty: it is whole.
    pub breaks: Vec<AuditBreak>,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditBreak {
    /// The record is not what was sealed.
    Altered {
        /// Its place.
        seq: u64,
        /// Its id.
        id: AuditId,
    },
    /// Records are gone, the last of them included.
    Removed {
        /// The first place without a record.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// The note of where the chain ends lies before its last record, or is gone.
    EndLost {
        /// Where it says that the chain ends.
        noted: u64,
        /// The last record's place.
        last: u64,
    },
    /// The record is whole but does not follow on the one before it.
    OutOfPlace {
        /// The place where it stands.
        seq: u64,
        /// Its id.
        id: AuditId,
    },
}

impl std::fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Altered { seq, id } => write!(f, "record {seq} ({id}) is not what was sealed"),
            Self::Removed { from, to } if from == to => write!(f, "record {from} is gone"),
            Self::Removed { from, to } => write!(f, "records {from} to {to} are gone"),
            Self::EndLost { noted, last } => {
                write!(f, "the chain is noted to end at record {noted}, and record {last} is there")
            }
            Self::OutOfPlace { seq, id } => {
                write!(f, "record {seq} ({id}) does not follow on the one before it")
            }
        }
    }
}

/// A record with the bytes that its hash is over.
pub(crate) struct Sealed {
    id: AuditId,
    fields: Vec<u8>,
    seq: Option<i64>,
    previous: Option<[u8; 32]>,
    hash: Option<[u8; 32]>,
}

fn load(row: &mut Columns<'_>) -> Result<AuditEntry, StoreError> {
    let entry = AuditEntry {
        workspace_id: row.next()?,
        id: row.next()?,
        at: row.next()?,
        actor: row.next()?,
        action: row.next()?,
        target_kind: row.next()?,
        target_id: row.next()?,
        request_id: row.next()?,
        detail: row.json()?,
        seq: row.maybe::<i64>()?.and_then(|seq| u64::try_from(seq).ok()),
        hash: {
            row.maybe::<Vec<u8>>()?;
            row.maybe()?
        },
    };
    Ok(entry)
}

pub(crate) fn load_sealed(row: &mut Columns<'_>) -> Result<Sealed, StoreError> {
    let ws: WorkspaceId = row.next()?;
    let id: AuditId = row.next()?;
    let at: i64 = row.next()?;
    let texts: [String; 4] = [row.next()?, row.next()?, row.next()?, row.next()?];
    let request: RequestId = row.next()?;
    let detail: String = row.next()?;
    let fields = fields((ws, id, at), texts.each_ref().map(String::as_str), request, &detail);
    Ok(Sealed { id, fields, seq: row.maybe()?, previous: row.maybe()?, hash: row.maybe()? })
}

/// What a hash is over: each field with its length before it, so that no two records have the
/// same bytes. `texts` are actor, action, and the target's kind and id.
fn fields(
    (ws, id, at): (WorkspaceId, AuditId, i64),
    texts: [&str; 4],
    request: RequestId,
    detail: &str,
) -> Vec<u8> {
    let mut fields = Vec::with_capacity(256 + detail.len());
    let mut field = |bytes: &[u8]| {
        fields.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        fields.extend_from_slice(bytes);
    };
    field(ws.as_ref());
    field(id.as_ref());
    field(&at.to_be_bytes());
    texts.iter().for_each(|text| field(text.as_bytes()));
    field(request.as_ref());
    field(detail.as_bytes());
    fields
}

fn hash_of(previous: &[u8; 32], fields: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(fields);
    hasher.finalize().into()
}

/// The end of a chain.
pub(crate) type Head = (i64, [u8; 32]);

pub(crate) fn load_head(row: &mut Columns<'_>) -> Result<Head, StoreError> {
    Ok((row.next()?, row.next()?))
}

/// The statements with which a sealer asks, for the drivers: workspaces, head, records.
pub(crate) fn workspaces_unsealed() -> Op {
    Op::new(&AUDIT_WORKSPACES_UNSEALED, params![SEAL_WORKSPACES], "audit record")
}

pub(crate) fn head_hold(ws: WorkspaceId) -> Op {
    Op::new(&AUDIT_HEAD_HOLD, params![ws], "audit record")
}

pub(crate) fn unsealed(ws: WorkspaceId, limit: usize) -> Op {
    Op::new(&AUDIT_UNSEALED, params![ws, limit_of(limit)], "audit record")
}

/// The statements that put records at the end of a chain.
pub(crate) fn seal_ops(ws: WorkspaceId, head: Head, records: &[Sealed]) -> Vec<Op> {
    let (mut seq, mut previous) = head;
    let mut ops = Vec::with_capacity(records.len() + 1);
    for record in records {
        seq += 1;
        let hash = hash_of(&previous, &record.fields);
        let params = params![ws, record.id, seq, previous.as_slice(), hash.as_slice()];
        ops.push(Op::new(&AUDIT_SEAL, params, "audit record").or_moved("audit record"));
        previous = hash;
    }
    if !ops.is_empty() {
        ops.push(head_set(ws, (seq, previous)));
    }
    ops
}

pub(crate) fn head_set(ws: WorkspaceId, (seq, hash): Head) -> Op {
    Op::new(&AUDIT_HEAD_SET, params![ws, seq, hash.as_slice()], "audit record")
}

/// A record that is to be written.
pub(crate) struct Unwritten {
    record: AuditRecord,
    actor: String,
    detail: String,
}

impl From<AuditRecord> for Unwritten {
    fn from(record: AuditRecord) -> Self {
        Self { actor: record.actor.to_string(), detail: json_text(&record.detail), record }
    }
}

impl Unwritten {
    pub(crate) const fn workspace_id(&self) -> WorkspaceId {
        self.record.workspace_id
    }

    /// Writes it without a place in the chain.
    pub(crate) fn insert(self) -> Op {
        Op::new(&AUDIT_INSERT, self.params(), "audit record")
    }

    /// Writes it at the end of the chain, which from then on is it.
    pub(crate) fn insert_sealed(self, head: &mut Head) -> Op {
        let (seq, previous) = *head;
        let r = &self.record;
        let texts = [&*self.actor, r.action, r.target_kind, &r.target_id];
        let place = (r.workspace_id, r.id, r.at.as_micros());
        let hash = hash_of(&previous, &fields(place, texts, r.request_id, &self.detail));
        *head = (seq + 1, hash);
        let mut params = self.params();
        params.extend(params![seq + 1, previous.as_slice(), hash.as_slice()]);
        Op::new(&AUDIT_INSERT_SEALED, params, "audit record")
    }

    fn params(self) -> Vec<Val> {
        let Self { record: r, actor, detail } = self;
        params![r.workspace_id, r.id, r.at, actor, r.action, r.target_kind, r.target_id, r.request_id, detail,]
    }
}

impl Store {
    /// Gives up to `batch` records their place in their workspaces' chains, in the order in which
    /// they were made. One sealer at a time holds a workspace; others pass it by. On SQLite there
    /// is nothing left to do, unless a chain lost its end and got it back.
    pub async fn audit_seal(&self, _now: Timestamp, batch: usize) -> Result<SealReport, StoreError> {
        match self.driver() {
            Driver::Sqlite(sqlite) => sqlite.seal(batch).await,
            Driver::Postgres(postgres) => postgres.seal(batch).await,
        }
    }

    /// Records, newest first.
    pub async fn audit_page(
        &self,
        ws: WorkspaceId,
        filter: AuditFilter,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let select = concat!("select ", columns!(), " from audit_record r where r.workspace_id = $1");
        let mut draft = Draft::new(select.to_owned(), params![ws]);
        if let Some(action) = filter.action {
            draft.push(" and r.action = ").bind(action);
        }
        if let Some(target) = filter.target_id {
            draft.push(" and r.target_id = ").bind(target);
        }
        if let Some(id) = filter.after {
            draft.push(" and r.id < ").bind(id);
        }
        draft.push(" order by r.id desc limit ").bind(limit_of(filter.limit));
        self.scan_asked(Asked::made("audit_page", draft, 0, load)).await
    }

    /// Recomputes the chain of a workspace, page by page, and says where it is broken.
    pub async fn audit_verify(&self, ws: WorkspaceId) -> Result<AuditReport, StoreError> {
        // The head before and after, because others seal meanwhile: the last record lies between.
        let before = self.audit_head(ws).await?;
        let mut walk = Walk::default();
        loop {
            let params = params![ws, walk.seq, limit_of(VERIFY_PAGE)];
            let page = self.scan(&AUDIT_SEALED_AFTER, params, load_sealed).await?;
            for record in &page {
                walk.step(record);
            }
            if page.len() < VERIFY_PAGE {
                break;
            }
        }
        walk.end(before, self.audit_head(ws).await?);
        let unsealed = self.scan_count(&AUDIT_UNSEALED_COUNT, params![ws]).await?;
        Ok(AuditReport { sealed: walk.count, unsealed, breaks: walk.breaks })
    }
}

impl Store {
    async fn audit_head(&self, ws: WorkspaceId) -> Result<Head, StoreError> {
        Ok(self.look_up_one(&AUDIT_HEAD, params![ws], load_head).await?.unwrap_or((0, FIRST_HASH)))
    }
}

/// How far along a chain a verification is.
#[derive(Default)]
struct Walk {
    seq: i64,
    hash: [u8; 32],
    count: u64,
    breaks: Vec<AuditBreak>,
}

impl Walk {
    fn step(&mut self, record: &Sealed) {
        let seq = record.seq.unwrap_or(0);
        let gap = seq != self.seq + 1;
        if gap {
            self.tell(AuditBreak::Removed { from: place(self.seq + 1), to: place(seq - 1) });
        }
        let previous = record.previous.unwrap_or_default();
        let whole = record.hash == Some(hash_of(&previous, &record.fields));
        if !whole {
            self.tell(AuditBreak::Altered { seq: place(seq), id: record.id });
        } else if !gap && previous != self.hash {
            self.tell(AuditBreak::OutOfPlace { seq: place(seq), id: record.id });
        }
        self.seq = seq;
        self.hash = record.hash.unwrap_or_default();
        self.count += 1;
    }

    fn end(&mut self, (seq, hash): Head, (after, _): Head) {
        if after < self.seq {
            self.tell(AuditBreak::EndLost { noted: place(after), last: place(self.seq) });
        } else if self.seq < seq {
            self.tell(AuditBreak::Removed { from: place(self.seq + 1), to: place(seq) });
        } else if self.seq == seq && self.hash != hash && self.breaks.is_empty() {
            // The last record was put anew with a hash of its own.
            self.tell(AuditBreak::Removed { from: place(seq), to: place(seq) });
        }
    }

    fn tell(&mut self, found: AuditBreak) {
        if self.breaks.len() < BREAKS_TOLD {
            self.breaks.push(found);
        }
    }
}

fn place(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}
