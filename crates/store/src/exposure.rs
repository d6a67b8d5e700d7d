//! Who knows which password, and the ledger of who saw what.

use latchkey_access::exposure::{Exposure, ExposureEvent};
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, ExposureId, MemberId, WorkspaceId};

use crate::change::Op;
use crate::member::limit_of;
use crate::row::{self, Columns};
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! event_columns {
    () => {
        "e.id, e.workspace_id, e.account_id, e.secret_id, e.version, e.member_id, e.kind, e.client, e.at, \
         e.request_id"
    };
}

macro_rules! seen {
    ($after:literal, $limit:literal) => {
        concat!(
            "select ",
            event_columns!(),
            ", a.name, a.secret_generation, s.kind, s.label, v.state from exposure_event e \
             left join account a on a.workspace_id = $1 and a.id = e.account_id \
             left join secret s on s.workspace_id = $1 and s.id = e.secret_id \
             left join secret_version v on v.workspace_id = $1 and v.secret_id = e.secret_id \
             and v.version = e.version where e.workspace_id = $1 and e.member_id = $2",
            $after,
            " order by e.id desc limit ",
            $limit
        )
    };
}

statements! {
    EXPOSURES_OF_MEMBER = "select e.account_id, e.member_id, e.generation, e.kind, e.at from exposure e \
        join account a on a.workspace_id = e.workspace_id and a.id = e.account_id \
        and a.secret_generation = e.generation where e.workspace_id = $1 and e.member_id = $2 \
        order by e.account_id";
    EXPOSURES_OF_ACCOUNT = "select e.account_id, e.member_id, e.generation, e.kind, e.at from exposure e \
        where e.workspace_id = $1 and e.account_id = $2 order by e.generation desc, e.member_id";
    EXPOSURE_INSERT = "insert into exposure (workspace_id, account_id, member_id, generation, kind, at) \
        values ($1, $2, $3, $4, $5, $6) on conflict (workspace_id, account_id, member_id, generation) do nothing";
    EXPOSURE_CARRY = "insert into exposure (workspace_id, account_id, member_id, generation, kind, at) \
        select e.workspace_id, e.account_id, e.member_id, $4, e.kind, $5 from exposure e where e.workspace_id = $1 \
        and e.account_id = $2 and e.generation = $3 \
        on conflict (workspace_id, account_id, member_id, generation) do nothing";
    EVENT_INSERT = "insert into exposure_event (id, workspace_id, account_id, secret_id, version, member_id, \
        kind, client, at, request_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    EVENTS_OF_ACCOUNT = concat!("select ", event_columns!(), " from exposure_event e where e.workspace_id = $1 \
        and e.account_id = $2 order by e.id desc limit $3");
    EVENTS_OF_ACCOUNT_BEFORE = concat!("select ", event_columns!(), " from exposure_event e where e.workspace_id = $1 \
        and e.account_id = $2 and e.id < $3 order by e.id desc limit $4");
    SEEN_BY_MEMBER = seen!("", "$3");
    SEEN_BY_MEMBER_BEFORE = seen!(" and e.id < $3", "$4");
    CODES_SINCE = "select count(*) from (select 1 from exposure_event e where e.workspace_id = $1 \
        and e.member_id = $2 and e.account_id = $3 and e.kind = 'totp_code' and e.at > $4 limit $5) as counted";
}

/// Something that a member saw, with what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRow {
    /// What was seen, how and when.
    pub event: ExposureEvent,
    /// The account's name and present generation; `None` once it is gone.
    pub account: Option<(String, i64)>,
    /// The secret's kind and label; `None` once it is gone, or where the vault held none.
    pub secret: Option<(SecretKind, String)>,
    /// Where the version stands; `None` once it is gone, or where the vault held none.
    pub state: Option<VersionState>,
}

impl SeenRow {
    /// Whether what was seen still opens something.
    pub fn is_current(&self) -> bool {
        match (self.event.secret_id, &self.account) {
            (None, Some((_, generation))) => *generation == self.event.version,
            _ => self.state == Some(VersionState::Current),
        }
    }
}

pub(crate) fn load(row: &mut Columns<'_>) -> Result<Exposure, StoreError> {
    Ok(Exposure {
        account_id: row.next()?,
        member_id: row.next()?,
        generation: row.next()?,
        kind: row.next()?,
        at: row.next()?,
    })
}

fn load_event(row: &mut Columns<'_>) -> Result<ExposureEvent, StoreError> {
    Ok(ExposureEvent {
        id: row.next()?,
        workspace_id: row.next()?,
        account_id: row.next()?,
        secret_id: row.maybe()?,
        version: row.next()?,
        member_id: row.maybe()?,
        kind: row.next()?,
        client: row.next()?,
        at: row.next()?,
        request_id: row.next()?,
    })
}

fn load_seen(row: &mut Columns<'_>) -> Result<SeenRow, StoreError> {
    let event = load_event(row)?;
    let (name, generation): (Option<String>, Option<i64>) = (row.maybe()?, row.maybe()?);
    let (kind, label): (Option<SecretKind>, Option<String>) = (row.maybe()?, row.maybe()?);
    Ok(SeenRow { event, account: name.zip(generation), secret: kind.zip(label), state: row.maybe()? })
}

impl Store {
    /// What a member knows of the present password of each account: of several generations only
    /// the one that the account has now.
    pub async fn exposures_of_member(
        &self,
        ws: WorkspaceId,
        member: MemberId,
    ) -> Result<Vec<Exposure>, StoreError> {
        self.look_up(&EXPOSURES_OF_MEMBER, params![ws, member], load).await
    }

    /// Who knows, or knew, an account's password; the newest generation first.
    pub async fn exposures_of_account(
        &self,
        ws: WorkspaceId,
        account: AccountId,
    ) -> Result<Vec<Exposure>, StoreError> {
        self.look_up(&EXPOSURES_OF_ACCOUNT, params![ws, account], load).await
    }

    /// The ledger of one account, newest first, from before an entry on.
    pub async fn exposure_events_of_account(
        &self,
        ws: WorkspaceId,
        account: AccountId,
        before: Option<ExposureId>,
        limit: usize,
    ) -> Result<Vec<ExposureEvent>, StoreError> {
        let limit = limit_of(limit);
        match before {
            None => self.scan(&EVENTS_OF_ACCOUNT, params![ws, account, limit], load_event).await,
            Some(id) => {
                self.scan(&EVENTS_OF_ACCOUNT_BEFORE, params![ws, account, id, limit], load_event).await
            }
        }
    }

    /// What a member ever saw, newest first, from before an entry on, with what has become of it.
    pub async fn seen_by_member(
        &self,
        ws: WorkspaceId,
        member: MemberId,
        before: Option<ExposureId>,
        limit: usize,
    ) -> Result<Vec<SeenRow>, StoreError> {
        let limit = limit_of(limit);
        match before {
            None => self.scan(&SEEN_BY_MEMBER, params![ws, member, limit], load_seen).await,
            Some(id) => self.scan(&SEEN_BY_MEMBER_BEFORE, params![ws, member, id, limit], load_seen).await,
        }
    }

    /// How many one-time codes a member was given for an account after `since`, counted up to `at_most`.
    pub async fn codes_since(
        &self,
        ws: WorkspaceId,
        (member, account): (MemberId, AccountId),
        since: Timestamp,
        at_most: usize,
    ) -> Result<u64, StoreError> {
        let asked = params![ws, member, account, since, limit_of(at_most)];
        Ok(self.look_up_one(&CODES_SINCE, asked, row::count).await?.unwrap_or(0))
    }
}

pub(crate) fn insert(ws: WorkspaceId, row: &Exposure) -> Op {
    let params = params![ws, row.account_id, row.member_id, row.generation, row.kind, row.at];
    Op::new(&EXPOSURE_INSERT, params, "exposure")
}

pub(crate) fn carry(ws: WorkspaceId, account: AccountId, (from, to): (i64, i64), at: Timestamp) -> Op {
    Op::new(&EXPOSURE_CARRY, params![ws, account, from, to, at], "exposure")
}

pub(crate) fn event_insert(row: &ExposureEvent) -> Op {
    let params = params![
        row.id,
        row.workspace_id,
        row.account_id,
        row.secret_id,
        row.version,
        row.member_id,
        row.kind,
        row.client,
        row.at,
        row.request_id,
    ];
    Op::new(&EVENT_INSERT, params, "exposure")
}
