//! Who could follow somebody who leaves: in charge of the workspace (A6), and with the accounts that
//! they own (A4).

use latchkey_access::effective::{Reach, ReachBy};
use latchkey_access::{Member, Role};
use latchkey_kernel::id::{MemberId, WorkspaceId};

use crate::grant::{self, grant_columns};
use crate::member::{self, MEMBER_IN_CHARGE, MemberBrief, limit_of, load_brief};
use crate::reach::load_through;
use crate::row::Columns;
use crate::statement::statements;
use crate::store::Asked;
use crate::value::params;
use crate::{Store, StoreError, WhoReach};

/// Two Owners tell whether there is another one.
const OWNERS: usize = 2;
/// One Super Admin is the next in line.
const SUPER_ADMINS: usize = 1;
/// How many ways to an account are looked at for a co-owner.
const CO_OWNERS: usize = 1_000;

statements! {
    POLICY_SUCCESSOR = concat!("select ", member::columns!(), " from workspace w join member m \
        on m.workspace_id = w.id and m.id = uuid(replace(w.policy::json ->> 'successor', '-', '')) \
        where w.id = $1 and m.state <> 'deleted'");
    ACCOUNT_SUCCESSORS = "select m.id, m.state, m.access_epoch, m.reviewed_epoch, m.role, m.display_name \
        from account a join member m on m.workspace_id = a.workspace_id and m.id = a.successor_id \
        where a.workspace_id = $1 and a.owner_id = $2";
    CO_OWNERS_OF = concat!("with recursive up (account_id, id, parent_id, depth) as ( \
        select a.id, c.id, c.parent_id, 0 from account a join collection c on c.workspace_id = $1 \
        and c.id = a.collection_id where a.workspace_id = $1 and a.owner_id = $2 \
        union all select up.account_id, c.id, c.parent_id, up.depth + 1 from up join collection c \
        on c.workspace_id = $1 and c.id = up.parent_id where up.depth < 64), \
        on_it (account_id, grant_id, member_id, team_id, epoch) as ( \
        select a.id, g.id, g.member_id, g.team_id, g.member_epoch from account a cross join access_grant g \
        where a.workspace_id = $1 and a.owner_id = $2 and g.workspace_id = $1 and g.account_id = a.id \
        and g.permission = 'own' \
        union all select up.account_id, g.id, g.member_id, g.team_id, g.member_epoch from up \
        cross join access_grant g where g.workspace_id = $1 and g.collection_id = up.id \
        and g.permission = 'own'), \
        who (account_id, member_id, grant_id, team_id, confirmed_epoch) as ( \
        select o.account_id, o.member_id, o.grant_id, o.team_id, o.epoch from on_it o \
        where o.member_id is not null \
        union all select o.account_id, s.member_id, o.grant_id, o.team_id, s.confirmed_epoch from on_it o \
        cross join membership s where s.workspace_id = $1 and s.team_id = o.team_id), \
        page as (select w.account_id, w.member_id, w.grant_id, w.team_id, w.confirmed_epoch, \
        row_number() over (partition by w.account_id order by w.member_id, w.grant_id) as place from who w \
        where w.member_id <> $2) \
        select p.account_id, m.id, m.state, m.access_epoch, m.reviewed_epoch, m.role, m.display_name, \
        t.id, t.display_name, p.confirmed_epoch, ", grant_columns!(), " from page p \
        cross join member m cross join access_grant g \
        left join team t on t.workspace_id = $1 and t.id = p.team_id \
        where m.workspace_id = $1 and m.id = p.member_id and g.workspace_id = $1 and g.id = p.grant_id \
        and p.place <= $3 and m.state = 'active' order by p.account_id, m.id, g.id");
}

/// Who is in charge of a workspace, and who would be next.
#[derive(Debug, Clone, Default)]
pub struct InLine {
    /// The active Owners who have served longest, two at most.
    pub owners: Vec<Member>,
    /// The active Super Admin who has served longest, if there is one.
    pub super_admins: Vec<Member>,
    /// Whom the policy names, if they are there.
    pub successor: Option<Member>,
}

/// One of those.
pub(crate) enum Next {
    InCharge(Box<Member>),
    Successor(Box<Member>),
}

impl InLine {
    pub(crate) fn add(&mut self, next: Next) {
        match next {
            Next::InCharge(member) if member.role == Role::Owner => self.owners.push(*member),
            Next::InCharge(member) => self.super_admins.push(*member),
            Next::Successor(member) => self.successor = Some(*member),
        }
    }
}

fn load_in_charge(row: &mut Columns<'_>) -> Result<Next, StoreError> {
    Ok(Next::InCharge(Box::new(member::load(row)?)))
}

fn load_successor(row: &mut Columns<'_>) -> Result<Next, StoreError> {
    Ok(Next::Successor(Box::new(member::load(row)?)))
}

/// Somebody who may do everything with an account; the collections in between are left out.
pub(crate) fn load_co_owner(row: &mut Columns<'_>) -> Result<WhoReach, StoreError> {
    let account_id = row.next()?;
    let member: MemberBrief = load_brief(row)?;
    let team = load_through(row)?;
    let grant = Box::new(grant::load(row)?);
    let by = ReachBy::Grant { grant, team, collections: Vec::new() };
    Ok(WhoReach { member, reach: Reach { account_id, by } })
}

/// The reads for [`InLine::add`], each row made into what the caller reads besides.
pub(crate) fn in_line<T>(
    ws: WorkspaceId,
    in_charge: fn(&mut Columns<'_>) -> Result<T, StoreError>,
    successor: fn(&mut Columns<'_>) -> Result<T, StoreError>,
) -> ([Asked<T>; 2], Asked<T>) {
    let serving = |role, limit| Asked::new(&MEMBER_IN_CHARGE, params![ws, role, limit_of(limit)], in_charge);
    (
        [serving(Role::Owner, OWNERS), serving(Role::SuperAdmin, SUPER_ADMINS)],
        Asked::new(&POLICY_SUCCESSOR, params![ws], successor),
    )
}

/// The read of those who own accounts together with a member.
pub(crate) fn co_owners<T>(
    ws: WorkspaceId,
    id: MemberId,
    load: fn(&mut Columns<'_>) -> Result<T, StoreError>,
) -> Asked<T> {
    Asked::new(&CO_OWNERS_OF, params![ws, id, limit_of(CO_OWNERS)], load)
}

impl Store {
    /// Who is in charge, and who would be next.
    pub async fn in_line(&self, ws: WorkspaceId) -> Result<InLine, StoreError> {
        let ([owners, super_admins], successor) = in_line(ws, load_in_charge, load_successor);
        let mut found = InLine::default();
        for next in self.at_once(vec![owners, super_admins, successor]).await? {
            found.add(next);
        }
        Ok(found)
    }
}
