//! Members: reading, and the statements behind their changes.

use latchkey_access::member::{Epoch, Standing};
use latchkey_access::{Member, MemberState, Role, Version};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CaseId, MemberId, TeamId, WorkspaceId};

use crate::change::Op;
use crate::filter::{Draft, MemberWhere, Where};
use crate::page::{Counted, From, Page};
use crate::row::{self, Columns, Load};
use crate::statement::statements;
use crate::store::Asked;
use crate::value::{Val, params};
use crate::{Store, StoreError, membership};

/// The columns of a member `m`, for [`load`].
macro_rules! columns {
    () => {
        "m.workspace_id, m.id, m.user_name, m.user_name_key, m.external_id, m.display_name, m.work_email, \
         m.work_email_key, m.role, m.state, m.origin, m.access_epoch, m.reviewed_epoch, m.resource, \
         m.version, m.created_at, m.modified_at, m.left_at"
    };
}
pub(crate) use columns;

macro_rules! page_by_rows {
    ($order:literal) => {
        concat!(
            "select ",
            columns!(),
            " from member m where m.workspace_id = $1 and m.id in (select l.id from \
             member l where l.workspace_id = $1 and l.state <> 'deleted' order by l.id",
            $order,
            " limit $2 offset $3) order by m.id"
        )
    };
}

statements! {
    MEMBER_GET = concat!("select ", columns!(), " from member m where m.workspace_id = $1 and m.id = $2 \
        and m.state <> 'deleted'");
    MEMBER_GET_ANY = concat!("select ", columns!(), " from member m where m.workspace_id = $1 and m.id = $2");
    MEMBER_LIST_BY_IDS = concat!("select ", columns!(), " from member m where m.workspace_id = $1 \
        and m.id = any($2) order by m.id");
    MEMBER_BY_USER_NAME = concat!("select ", columns!(), " from member m where m.workspace_id = $1 \
        and m.user_name_key = $2 and m.state <> 'deleted'");
    MEMBER_TOMBSTONE = concat!("select ", columns!(), " from member m where m.workspace_id = $1 \
        and m.external_id = $2 and m.state = 'deleted' order by m.left_at desc limit 1");
    MEMBER_STANDING = "select m.id, m.state, m.access_epoch, m.reviewed_epoch from member m \
        where m.workspace_id = $1 and m.id = $2";
    MEMBER_STANDINGS = "select m.id, m.state, m.access_epoch, m.reviewed_epoch, m.role, m.display_name \
        from member m where m.workspace_id = $1 and m.id = any($2) order by m.id";
    MEMBER_IN_CHARGE = concat!("select ", columns!(), " from member m where m.workspace_id = $1 \
        and m.state = 'active' and m.role in ('owner', 'super_admin') and m.role = $2 \
        order by m.created_at, m.id limit $3");
    MEMBER_COUNT = "select count(*) from member m where m.workspace_id = $1 and m.state <> 'deleted'";
    MEMBER_COUNT_ACTIVE = "select count(*) from member m where m.workspace_id = $1 and m.state <> 'deleted' \
        and m.state = 'active'";
    MEMBER_PAGE_FIRST = concat!("select ", columns!(), " from member m where m.workspace_id = $1 \
        and m.state <> 'deleted' order by m.id limit $2");
    MEMBER_PAGE_AFTER = concat!("select ", columns!(), " from member m where m.workspace_id = $1 \
        and m.state <> 'deleted' and m.id > $2 order by m.id limit $3");
    MEMBER_PAGE_AT = page_by_rows!("");
    MEMBER_PAGE_AT_END = page_by_rows!(" desc");

    MEMBER_INSERT = "insert into member (workspace_id, id, user_name, user_name_key, external_id, display_name, \
        display_name_key, work_email, work_email_key, role, state, origin, access_epoch, reviewed_epoch, \
        resource, version, created_at, modified_at, left_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
    MEMBER_UPDATE = "update member set user_name = $3, user_name_key = $4, external_id = $5, display_name = $6, \
        display_name_key = $7, work_email = $8, work_email_key = $9, role = $10, state = $11, origin = $12, \
        access_epoch = $13, reviewed_epoch = $14, resource = $15, version = $16, created_at = $17, \
        modified_at = $18, left_at = $19 where workspace_id = $1 and id = $2 and version = $20";
    MEMBER_UPDATE_NAMESAKE = "update member set role = $10, state = $11, origin = $12, access_epoch = $13, \
        reviewed_epoch = $14, resource = $15, version = $16, modified_at = $18, left_at = $19 \
        where workspace_id = $1 and id = $2 and version = $20 and user_name = $3 and user_name_key = $4 \
        and external_id is not distinct from $5 and display_name = $6 and display_name_key = $7 \
        and work_email is not distinct from $8 and work_email_key is not distinct from $9 and created_at = $17";
    MEMBER_EMAILS_CLEAR = "delete from member_email where workspace_id = $1 and member_id = $2";
    MEMBER_EMAIL_INSERT = "insert into member_email (workspace_id, member_id, email_key) values ($1, $2, $3) \
        on conflict do nothing";
    MEMBER_EXPECT = "select 1 from member where workspace_id = $1 and id = $2 and state = 'active' \
        and access_epoch = $3 for share";
    MEMBER_LOCK = "select 1 from member where workspace_id = $1 and id = $2 for update";
    LEAVER_EXPECT = "select 1 where \
        (select count(*) from access_grant g where g.workspace_id = $1 and g.member_id = $2) = $3 and \
        (select count(*) from account a where a.workspace_id = $1 and a.owner_id = $2) = $4 and \
        (select count(*) from exposure e join account a on a.workspace_id = e.workspace_id \
         and a.id = e.account_id and a.secret_generation = e.generation \
         where e.workspace_id = $1 and e.member_id = $2) = $5";
    CUT_OFF_KEEP_GRANTS = "insert into removed_grant (workspace_id, case_id, id, member_id, member_epoch, \
        account_id, collection_id, permission, starts_at, ends_at, reason, granted_by, granted_at) \
        select g.workspace_id, $3, g.id, g.member_id, g.member_epoch, g.account_id, g.collection_id, \
        g.permission, g.starts_at, g.ends_at, g.reason, g.granted_by, g.granted_at \
        from access_grant g where g.workspace_id = $1 and g.member_id = $2";
    CUT_OFF_GRANTS = "delete from access_grant where workspace_id = $1 and member_id = $2";
    CUT_OFF_TOKENS = "update token set valid_until = $3, revoked_at = $3 where workspace_id = $1 \
        and member_id = $2 and (valid_until is null or valid_until > $3)";
    CUT_OFF_OWNED = "update account set owner_id = null, owner_flag = 'orphaned', version = version + 1, \
        modified_at = $3 where workspace_id = $1 and owner_id = $2";
    IS_SUCCESSOR = "select 1 from account a where a.workspace_id = $1 and a.successor_id = $2 limit 1";
    CUT_OFF_SUCCESSOR = "update account set successor_id = null, version = version + 1, \
        modified_at = $3 where workspace_id = $1 and successor_id = $2";
}

pub(crate) fn load(row: &mut Columns<'_>) -> Result<Member, StoreError> {
    Ok(Member {
        workspace_id: row.next()?,
        id: row.next()?,
        user_name: row.next()?,
        user_name_key: row.next()?,
        external_id: row.maybe()?,
        display_name: row.next()?,
        work_email: row.maybe()?,
        work_email_key: row.maybe()?,
        role: row.next()?,
        state: row.next()?,
        origin: row.next()?,
        access_epoch: row.next()?,
        reviewed_epoch: row.next()?,
        resource: row.next()?,
        version: row.next()?,
        created_at: row.next()?,
        modified_at: row.next()?,
        left_at: row.maybe()?,
    })
}

pub(crate) fn load_standing(row: &mut Columns<'_>) -> Result<Standing, StoreError> {
    Ok(Standing { member_id: row.next()?, state: row.next()?, epoch: row.next()?, reviewed: row.next()? })
}

/// A member in short, as lists name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberBrief {
    /// What access decisions need.
    pub standing: Standing,
    /// What they may do.
    pub role: Role,
    /// What people call them.
    pub display_name: String,
}

pub(crate) fn load_brief(row: &mut Columns<'_>) -> Result<MemberBrief, StoreError> {
    Ok(MemberBrief { standing: load_standing(row)?, role: row.next()?, display_name: row.next()? })
}

impl Store {
    /// The member of this id, unless deleted.
    pub async fn member_get(&self, ws: WorkspaceId, id: MemberId) -> Result<Option<Member>, StoreError> {
        self.look_up_one(&MEMBER_GET, params![ws, id], load).await
    }

    /// The member of this id, also when deleted: for reports on who has left.
    pub async fn member_get_any(&self, ws: WorkspaceId, id: MemberId) -> Result<Option<Member>, StoreError> {
        self.look_up_one(&MEMBER_GET_ANY, params![ws, id], load).await
    }

    /// The members of these ids, deleted ones too, in id order; ids that are not there are left out.
    pub async fn member_list_by_ids(
        &self,
        ws: WorkspaceId,
        ids: &[MemberId],
    ) -> Result<Vec<Member>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.look_up(&MEMBER_LIST_BY_IDS, params![ws, ids], load).await
    }

    /// The member of this folded user name, unless deleted.
    pub async fn member_by_user_name(
        &self,
        ws: WorkspaceId,
        key: &str,
    ) -> Result<Option<Member>, StoreError> {
        self.look_up_one(&MEMBER_BY_USER_NAME, params![ws, key], load).await
    }

    /// The deleted member who had this external id; of several, the one who left last.
    pub async fn tombstone_by_external_id(
        &self,
        ws: WorkspaceId,
        external_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        self.look_up_one(&MEMBER_TOMBSTONE, params![ws, external_id], load).await
    }

    /// The standing of a member, deleted ones too.
    pub async fn member_standing(
        &self,
        ws: WorkspaceId,
        id: MemberId,
    ) -> Result<Option<Standing>, StoreError> {
        self.look_up_one(&MEMBER_STANDING, params![ws, id], load_standing).await
    }

    /// The members of these ids in short, deleted ones too, in id order.
    pub async fn member_briefs(
        &self,
        ws: WorkspaceId,
        ids: &[MemberId],
    ) -> Result<Vec<MemberBrief>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.look_up(&MEMBER_STANDINGS, params![ws, ids], load_brief).await
    }

    /// The active Owners, longest serving first, at most `limit`.
    pub async fn owners_active(&self, ws: WorkspaceId, limit: usize) -> Result<Vec<Member>, StoreError> {
        self.in_charge(ws, Role::Owner, limit).await
    }

    /// The active Super Admins, longest serving first, at most `limit`.
    pub async fn super_admins_by_service(
        &self,
        ws: WorkspaceId,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError> {
        self.in_charge(ws, Role::SuperAdmin, limit).await
    }

    async fn in_charge(&self, ws: WorkspaceId, role: Role, limit: usize) -> Result<Vec<Member>, StoreError> {
        self.look_up(&MEMBER_IN_CHARGE, params![ws, role, limit_of(limit)], load).await
    }

    /// How many members are active. Reads an index from end to end: ask only where it matters.
    pub async fn member_count_active(&self, ws: WorkspaceId) -> Result<u64, StoreError> {
        self.scan_count(&MEMBER_COUNT_ACTIVE, params![ws]).await
    }

    /// How many members there are, deleted ones not counted, for which the condition holds.
    pub async fn member_count(&self, ws: WorkspaceId, filter: &MemberWhere) -> Result<u64, StoreError> {
        let counted = self.scan_asked(count_asked(ws, filter, row::count)).await?;
        Ok(counted.first().copied().unwrap_or(0))
    }

    /// The members for which the condition holds, in id order, deleted ones left out.
    pub async fn member_page(
        &self,
        ws: WorkspaceId,
        filter: &MemberWhere,
        page: Page<MemberId>,
    ) -> Result<Vec<Member>, StoreError> {
        self.scan_asked(page_asked(ws, filter, page, load)).await
    }

    /// At most `limit` of them after the first `skip`, and how many there are.
    pub async fn member_page_counted(
        &self,
        ws: WorkspaceId,
        filter: &MemberWhere,
        skip: u64,
        limit: usize,
    ) -> Result<(Vec<Member>, u64), StoreError> {
        let page = |total| page_asked(ws, filter, Page::at(skip, limit, total), load_counted);
        self.counted(skip, limit, page, count_asked(ws, filter, Counted::load_total)).await
    }

    /// Shows all of them to `see`, in id order, at most `limit`, until it fails.
    pub async fn member_walk<E: std::convert::From<StoreError>>(
        &self,
        ws: WorkspaceId,
        filter: &MemberWhere,
        limit: usize,
        see: impl FnMut(Member) -> Result<(), E>,
    ) -> Result<(), E> {
        let page = |page| page_asked(ws, filter, page, load);
        self.walk(limit, page, |member| member.id, see).await
    }

    /// The members of these ids, unless deleted, in id order, and if asked for their teams, by member
    /// and team.
    pub async fn members_with_teams(
        &self,
        ws: WorkspaceId,
        ids: &[MemberId],
        with_teams: bool,
    ) -> Result<(Vec<Member>, Vec<(MemberId, TeamId, String)>), StoreError> {
        if ids.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut asked = vec![Asked::new(&MEMBER_LIST_BY_IDS, params![ws, ids], load_with_teams)];
        if with_teams {
            asked.push(Asked::new(&membership::TEAMS_OF_MEMBERS, params![ws, ids], load_team_with));
        }
        let (mut members, mut teams) = (Vec::new(), Vec::new());
        for one in self.at_once(asked).await? {
            match one {
                WithTeams::Member(member) => members.push(*member),
                WithTeams::Team(of) => teams.push(of),
            }
        }
        members.retain(|member| member.state != MemberState::Deleted);
        Ok((members, teams))
    }
}

fn load_counted(row: &mut Columns<'_>) -> Result<Counted<Member>, StoreError> {
    load(row).map(Counted::Row)
}

enum WithTeams {
    Member(Box<Member>),
    Team((MemberId, TeamId, String)),
}

fn load_with_teams(row: &mut Columns<'_>) -> Result<WithTeams, StoreError> {
    Ok(WithTeams::Member(Box::new(load(row)?)))
}

fn load_team_with(row: &mut Columns<'_>) -> Result<WithTeams, StoreError> {
    membership::load_team_of(row).map(WithTeams::Team)
}

fn count_asked<T>(ws: WorkspaceId, filter: &MemberWhere, load: Load<T>) -> Asked<T> {
    if *filter == Where::Every {
        return Asked::new(&MEMBER_COUNT, params![ws], load);
    }
    let mut draft = Draft::new(MEMBER_COUNT.postgres().to_owned(), params![ws]);
    draft.and(filter);
    Asked::made("member_count", draft, filter.tests(), load)
}

fn page_asked<T>(ws: WorkspaceId, filter: &MemberWhere, page: Page<MemberId>, load: Load<T>) -> Asked<T> {
    if *filter != Where::Every {
        return Asked::made("member_page", page_draft(ws, filter, page), filter.tests(), load);
    }
    match page.from {
        From::Id(None) => Asked::new(&MEMBER_PAGE_FIRST, params![ws, page.limit], load),
        From::Id(Some(id)) => Asked::new(&MEMBER_PAGE_AFTER, params![ws, id, page.limit], load),
        From::Rows { skip, total } => {
            let (statement, limit, skip) = match from_end(skip, page.limit, total) {
                Some((limit, skip)) => (&MEMBER_PAGE_AT_END, limit, skip),
                None => (&MEMBER_PAGE_AT, page.limit, skip),
            };
            Asked::new(statement, params![ws, limit, skip], load)
        }
    }
}

/// How many rows to take after how many, counted from the end, when that is nearer.
pub(crate) fn from_end(skip: i64, limit: i64, total: Option<i64>) -> Option<(i64, i64)> {
    let total = total.filter(|total| skip > total / 2 && skip < *total)?;
    let limit = limit.min(total - skip);
    Some((limit, total - skip - limit))
}

fn page_draft(ws: WorkspaceId, filter: &MemberWhere, page: Page<MemberId>) -> Draft {
    let select = concat!("select ", columns!(), " from member m where m.workspace_id = $1");
    let mut draft = Draft::new(select.to_owned(), params![ws]);
    match page.from {
        From::Id(after) => {
            draft.push(" and m.state <> 'deleted'");
            if let Some(id) = after {
                draft.push(" and m.id > ").bind(id);
            }
            draft.and(filter).push(" order by m.id limit ").bind(page.limit);
        }
        From::Rows { skip, .. } => {
            draft.push(
                " and m.id in (select m.id from member m where m.workspace_id = $1 and m.state <> 'deleted'",
            );
            draft.and(filter).push(" order by m.id limit ").bind(page.limit).push(" offset ").bind(skip);
            draft.push(") order by m.id");
        }
    }
    draft
}

pub(crate) fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn values(ws: WorkspaceId, m: &Member) -> Vec<Val> {
    let display_name_key = m.display_name.to_lowercase();
    params![
        ws,
        m.id,
        &m.user_name,
        &m.user_name_key,
        m.external_id.as_ref(),
        &m.display_name,
        display_name_key,
        m.work_email.as_ref(),
        m.work_email_key.as_ref(),
        m.role,
        m.state,
        m.origin,
        m.access_epoch,
        m.reviewed_epoch,
        &m.resource,
        m.version,
        m.created_at,
        m.modified_at,
        m.left_at,
    ]
}

pub(crate) fn insert(ws: WorkspaceId, member: &Member) -> Op {
    Op::new(&MEMBER_INSERT, values(ws, member), "member")
}

pub(crate) fn update(ws: WorkspaceId, member: &Member, expect: Version) -> Op {
    let mut params = values(ws, member);
    params.push(expect.into());
    // Most changes are of nothing that people are found by, and leave those indexes alone.
    Op::new(&MEMBER_UPDATE, params, "member").or_cheaper(&MEMBER_UPDATE_NAMESAKE).or_moved("member")
}

pub(crate) fn emails_set(ws: WorkspaceId, id: MemberId, keys: &[String]) -> Vec<Op> {
    let mut ops = vec![Op::new(&MEMBER_EMAILS_CLEAR, params![ws, id], "member")];
    ops.extend(keys.iter().map(|key| Op::new(&MEMBER_EMAIL_INSERT, params![ws, id, key], "member")));
    ops
}

pub(crate) fn expect(ws: WorkspaceId, id: MemberId, epoch: Epoch) -> Op {
    Op::new(&MEMBER_EXPECT, params![ws, id, epoch], "member").or_moved("member")
}

/// Holds the member's row, so that what is done by condition meets no grant or membership that is
/// being given at the same time: those take the row in share.
pub(crate) fn lock(ws: WorkspaceId, id: MemberId) -> Op {
    Op::new(&MEMBER_LOCK, params![ws, id], "member").or_missing("member")
}

pub(crate) fn leaver_expect(ws: WorkspaceId, id: MemberId, counts: [u64; 3]) -> Op {
    let [grants, owned, exposures] = counts.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    Op::new(&LEAVER_EXPECT, params![ws, id, grants, owned, exposures], "member").or_moved("member")
}

pub(crate) fn cut_off(ws: WorkspaceId, id: MemberId, case_id: CaseId, at: Timestamp) -> [Op; 6] {
    let [tokens, successor] = cut_off_empty(ws, id, at);
    [
        lock(ws, id),
        Op::new(&CUT_OFF_KEEP_GRANTS, params![ws, id, case_id], "case"),
        Op::new(&CUT_OFF_GRANTS, params![ws, id], "grant"),
        Op::new(&CUT_OFF_OWNED, params![ws, id, at], "account"),
        tokens,
        successor,
    ]
}

/// What is left of it for somebody of whom the same commit has proven, their row held, that they
/// have no grant and own nothing.
pub(crate) fn cut_off_empty(ws: WorkspaceId, id: MemberId, at: Timestamp) -> [Op; 2] {
    [
        Op::new(&CUT_OFF_TOKENS, params![ws, id, at], "token"),
        // SQLite makes a table for what an update finds by the column that it changes.
        Op::new(&CUT_OFF_SUCCESSOR, params![ws, id, at], "account").only_if(&IS_SUCCESSOR),
    ]
}
