//! Every way in which a member might reach an account, and everybody who might reach one.
//!
//! What counts is for `latchkey_access::effective` to judge; here nothing is left out but what
//! leads nowhere.

use std::collections::HashMap;

use latchkey_access::effective::{Reach, ReachBy, ThroughTeam};
use latchkey_access::{Grant, GrantObject};
use latchkey_kernel::id::{AccountId, CollectionId, MemberId, WorkspaceId};

use crate::grant::{self, grant_columns};
use crate::member::{MemberBrief, limit_of, load_brief};
use crate::row::Columns;
use crate::statement::statements;
use crate::store::Asked;
use crate::value::params;
use crate::{Store, StoreError};

statements! {
    REACH_OWNED = "select a.id from account a where a.workspace_id = $1 and a.owner_id = $2 order by a.id";
    REACH_GRANTS = concat!("select cast(null as uuid), cast(null as text), cast(null as bigint), ",
        grant_columns!(), " from access_grant g where g.workspace_id = $1 and g.member_id = $2 \
        union all select t.id, t.display_name, s.confirmed_epoch, ", grant_columns!(), " \
        from membership s cross join access_grant g cross join team t \
        where s.workspace_id = $1 and s.member_id = $2 and g.workspace_id = $1 and g.team_id = s.team_id \
        and t.workspace_id = $1 and t.id = s.team_id");
    REACH_BELOW = "with recursive below (id, parent_id, depth) as ( \
        select c.id, c.parent_id, 0 from collection c where c.workspace_id = $1 and c.id in ( \
        select g.collection_id from access_grant g where g.workspace_id = $1 and g.member_id = $2 \
        and g.collection_id is not null union \
        select g.collection_id from membership s cross join access_grant g where s.workspace_id = $1 \
        and s.member_id = $2 and g.workspace_id = $1 and g.team_id = s.team_id and g.collection_id is not null) \
        union select c.id, c.parent_id, b.depth + 1 from below b join collection c on c.workspace_id = $1 \
        and c.parent_id = b.id where b.depth < 64) \
        select distinct b.id, b.parent_id, a.id from below b left join account a on a.workspace_id = $1 \
        and a.collection_id = b.id order by b.id, a.id";
    WHO_OWNS = "select m.id, m.state, m.access_epoch, m.reviewed_epoch, m.role, m.display_name \
        from account a join member m on m.workspace_id = a.workspace_id and m.id = a.owner_id \
        where a.workspace_id = $1 and a.id = $2";
    WHO_ABOVE = "with recursive up (id, parent_id, depth) as ( \
        select c.id, c.parent_id, 0 from account a join collection c on c.workspace_id = $1 \
        and c.id = a.collection_id where a.workspace_id = $1 and a.id = $2 \
        union all select c.id, c.parent_id, up.depth + 1 from up join collection c on c.workspace_id = $1 \
        and c.id = up.parent_id where up.depth < 64) select up.id from up order by up.depth";
    WHO_GRANTS = concat!("with recursive up (id, parent_id, depth) as ( \
        select c.id, c.parent_id, 0 from account a join collection c on c.workspace_id = $1 \
        and c.id = a.collection_id where a.workspace_id = $1 and a.id = $2 \
        union all select c.id, c.parent_id, up.depth + 1 from up join collection c on c.workspace_id = $1 \
        and c.id = up.parent_id where up.depth < 64), \
        on_it (grant_id, member_id, team_id, epoch) as ( \
        select g.id, g.member_id, g.team_id, g.member_epoch from access_grant g \
        where g.workspace_id = $1 and g.account_id = $2 \
        union all select g.id, g.member_id, g.team_id, g.member_epoch from up cross join access_grant g \
        where g.workspace_id = $1 and g.collection_id = up.id), \
        who (member_id, grant_id, team_id, confirmed_epoch) as ( \
        select o.member_id, o.grant_id, o.team_id, o.epoch from on_it o \
        where o.member_id is not null and o.member_id > $3 \
        union all select s.member_id, o.grant_id, o.team_id, s.confirmed_epoch from on_it o \
        cross join membership s where s.workspace_id = $1 and s.team_id = o.team_id and s.member_id > $3), \
        page (member_id) as (select distinct w.member_id from who w order by w.member_id limit $4) \
        select m.id, m.state, m.access_epoch, m.reviewed_epoch, m.role, m.display_name, \
        t.id, t.display_name, w.confirmed_epoch, ", grant_columns!(), " \
        from page p join who w on w.member_id = p.member_id \
        join member m on m.workspace_id = $1 and m.id = p.member_id \
        join access_grant g on g.workspace_id = $1 and g.id = w.grant_id \
        left join team t on t.workspace_id = $1 and t.id = w.team_id order by m.id, g.id");
}

/// Somebody who might reach an account, by one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoReach {
    /// Who.
    pub member: MemberBrief,
    /// How.
    pub reach: Reach,
}

pub(crate) enum Found {
    Owned(AccountId),
    Granted(Grant, Option<ThroughTeam>),
    /// A collection below a granted one, its parent, and an account that lies in it.
    Below(CollectionId, Option<CollectionId>, Option<AccountId>),
    Who(MemberBrief),
    WhoGranted(MemberBrief, Grant, Option<ThroughTeam>),
    Above(CollectionId),
}

pub(crate) fn load_owned(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Owned(row.next()?))
}

pub(crate) fn load_through(row: &mut Columns<'_>) -> Result<Option<ThroughTeam>, StoreError> {
    let (id, name, confirmed) = (row.maybe()?, row.maybe()?, row.maybe()?);
    Ok(id.zip(name).map(|(team_id, team_name)| ThroughTeam { team_id, team_name, confirmed }))
}

pub(crate) fn load_granted(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    let team = load_through(row)?;
    Ok(Found::Granted(grant::load(row)?, team))
}

pub(crate) fn load_below(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Below(row.next()?, row.maybe()?, row.maybe()?))
}

fn load_who(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Who(load_brief(row)?))
}

fn load_who_granted(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    let who = load_brief(row)?;
    let team = load_through(row)?;
    Ok(Found::WhoGranted(who, grant::load(row)?, team))
}

fn load_above(row: &mut Columns<'_>) -> Result<Found, StoreError> {
    Ok(Found::Above(row.next()?))
}

impl Store {
    /// Every way in which a member might reach an account: as owner, by a grant to them or to one
    /// of their teams, on the account or on a collection above it. Read at one instant.
    pub async fn reaches_of_member(
        &self,
        ws: WorkspaceId,
        member: MemberId,
    ) -> Result<Vec<Reach>, StoreError> {
        let asked = vec![
            Asked::new(&REACH_OWNED, params![ws, member], load_owned),
            Asked::new(&REACH_GRANTS, params![ws, member], load_granted),
            Asked::new(&REACH_BELOW, params![ws, member], load_below),
        ];
        let found = self.at_once(asked).await?;
        Ok(join(found))
    }

    /// Who might reach an account by a grant, by member, each with all their ways: the first `limit`
    /// members after the one with the id `after`. The owner, too, comes at the head of the first page.
    /// A page after the first that is empty is the end. Members who were deleted have no ways.
    pub async fn reaches_of_account(
        &self,
        ws: WorkspaceId,
        account: AccountId,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<Vec<WhoReach>, StoreError> {
        let from = after.unwrap_or(MemberId::from_uuid(uuid::Uuid::nil()));
        let mut asked = vec![
            Asked::new(&WHO_ABOVE, params![ws, account], load_above),
            Asked::new(&WHO_GRANTS, params![ws, account, from, limit_of(limit)], load_who_granted),
        ];
        if after.is_none() {
            asked.push(Asked::new(&WHO_OWNS, params![ws, account], load_who));
        }
        let found = self.at_once(asked).await?;
        let above: Vec<CollectionId> = found
            .iter()
            .filter_map(|found| if let Found::Above(id) = found { Some(*id) } else { None })
            .collect();
        let (mut owner, mut ways) = (Vec::new(), Vec::new());
        for found in found {
            match found {
                Found::Who(member) => {
                    owner.push(WhoReach { member, reach: Reach { account_id: account, by: ReachBy::Owner } });
                }
                Found::WhoGranted(member, grant, team) => {
                    // From the granted collection down to the account's own.
                    let collections = match grant.object {
                        GrantObject::Account(_) => Vec::new(),
                        GrantObject::Collection(granted) => {
                            let at = above.iter().position(|id| *id == granted);
                            at.map_or_else(Vec::new, |at| above[..=at].iter().rev().copied().collect())
                        }
                    };
                    let by = ReachBy::Grant { grant: Box::new(grant), team, collections };
                    ways.push(WhoReach { member, reach: Reach { account_id: account, by } });
                }
                _ => {}
            }
        }
        owner.append(&mut ways);
        Ok(owner)
    }
}

pub(crate) fn join(found: Vec<Found>) -> Vec<Reach> {
    let mut reaches = Vec::new();
    let mut granted = Vec::new();
    let mut parents: HashMap<CollectionId, Option<CollectionId>> = HashMap::new();
    let mut accounts: Vec<(CollectionId, AccountId)> = Vec::new();
    for one in found {
        match one {
            Found::Owned(account_id) => reaches.push(Reach { account_id, by: ReachBy::Owner }),
            Found::Granted(grant, team) => granted.push((grant, team)),
            Found::Below(id, parent, account) => {
                parents.insert(id, parent);
                accounts.extend(account.map(|account| (id, account)));
            }
            Found::Who(_) | Found::WhoGranted(..) | Found::Above(_) => {}
        }
    }
    // For each collection, from itself up as far as the granted ones lead, with the accounts in it.
    let mut below: HashMap<CollectionId, Vec<(AccountId, Vec<CollectionId>)>> = HashMap::new();
    for (own, account) in accounts {
        let mut path = vec![own];
        loop {
            let top = path[path.len() - 1];
            below.entry(top).or_default().push((account, path.iter().rev().copied().collect()));
            match parents.get(&top).copied().flatten() {
                Some(parent) if parents.contains_key(&parent) && !path.contains(&parent) => path.push(parent),
                _ => break,
            }
        }
    }
    for (grant, team) in granted {
        let ends: Vec<(AccountId, Vec<CollectionId>)> = match grant.object {
            GrantObject::Account(account) => vec![(account, Vec::new())],
            GrantObject::Collection(collection) => below.get(&collection).cloned().unwrap_or_default(),
        };
        for (account_id, collections) in ends {
            let by = ReachBy::Grant { grant: Box::new(grant.clone()), team: team.clone(), collections };
            reaches.push(Reach { account_id, by });
        }
    }
    reaches
}
