//! From changes to the statements that make them.

use latchkey_access::{Change, ChangeSet};

use crate::error::Conflict;
use crate::statement::Stmt;
use crate::value::Val;
use crate::{
    account, audit, case, collection, exposure, grant, key, member, membership, outbox, secret, team, token,
    workspace,
};

/// One statement of a commit, and what it means when it fails.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) stmt: &'static Stmt,
    pub(crate) params: Vec<Val>,
    /// What it comes to when the statement touches no row; `None` when that is fine.
    pub(crate) expect: Option<Conflict>,
    /// What it comes to when a row refers to one that isn't there, or is referred to by one.
    pub(crate) unlinked: Conflict,
}

impl Op {
    /// A statement on rows of the kind `what`.
    pub(crate) const fn new(stmt: &'static Stmt, params: Vec<Val>, what: &'static str) -> Self {
        Self { stmt, params, expect: None, unlinked: Conflict::Missing { what } }
    }

    /// Fails as moved when no row is touched.
    pub(crate) const fn or_moved(mut self, what: &'static str) -> Self {
        self.expect = Some(Conflict::Moved { what });
        self
    }

    /// Fails as missing when no row is touched.
    pub(crate) const fn or_missing(mut self, what: &'static str) -> Self {
        self.expect = Some(Conflict::Missing { what });
        self
    }

    /// Rows that still refer to it mean that it is in use.
    pub(crate) const fn in_use(mut self, what: &'static str) -> Self {
        self.unlinked = Conflict::InUse { what };
        self
    }
}

/// The statements of a change set, in order.
///
/// A bare bump of a team's version goes last: it depends on nothing but the team, and taking team
/// rows after member rows, as an offboarding does, keeps two commits from waiting for each other.
pub(crate) fn ops_of(set: ChangeSet) -> Vec<Op> {
    let ChangeSet { workspace_id, changes, audit } = set;
    let mut ops = Vec::with_capacity(changes.len() + audit.len());
    let mut touches = Vec::new();
    for change in changes {
        let to = if matches!(change, Change::TeamTouch { .. }) { &mut touches } else { &mut ops };
        push(to, workspace_id, change);
    }
    ops.append(&mut touches);
    ops.extend(audit.iter().map(audit::insert));
    ops
}

fn push(ops: &mut Vec<Op>, ws: latchkey_kernel::id::WorkspaceId, change: Change) {
    match change {
        Change::WorkspaceInsert(row) => ops.extend(workspace::insert(&row)),
        Change::WorkspaceUpdate { workspace, expect } => ops.push(workspace::update(&workspace, expect)),
        Change::MemberInsert(row) => ops.push(member::insert(ws, &row)),
        Change::MemberUpdate { member, expect } => ops.push(member::update(ws, &member, expect)),
        Change::MemberEmailsSet { member_id, keys } => ops.extend(member::emails_set(ws, member_id, &keys)),
        Change::MemberExpect { member_id, epoch } => ops.push(member::expect(ws, member_id, epoch)),
        Change::LeaverExpect { member_id, direct_grants, owned_accounts, exposures } => {
            ops.push(member::leaver_expect(ws, member_id, [direct_grants, owned_accounts, exposures]));
        }
        Change::WaveExpect { since, at_most } => ops.extend(case::wave_expect(ws, since, at_most)),
        Change::MemberCutOff { member_id, case_id, at } => {
            ops.extend(member::cut_off(ws, member_id, case_id, at))
        }
        Change::TeamInsert(row) => ops.push(team::insert(ws, &row)),
        Change::TeamUpdate { team, expect } => ops.push(team::update(ws, &team, expect)),
        Change::TeamTouch { team_id, at } => ops.push(team::touch(ws, team_id, at)),
        Change::TeamDelete { team_id, expect } => ops.push(team::delete(ws, team_id, expect)),
        Change::MembershipInsert(row) => ops.push(membership::insert(ws, row)),
        Change::MembershipConfirm { team_id, member_id, epoch } => {
            ops.push(membership::confirm(ws, team_id, member_id, epoch));
        }
        Change::MembershipConfirmAll { member_id, epoch } => {
            ops.push(membership::confirm_all(ws, member_id, epoch));
        }
        Change::MembershipDelete { team_id, member_id } => {
            ops.push(membership::delete(ws, team_id, member_id))
        }
        Change::MembershipDeleteAll { member_id, at } => {
            ops.extend(membership::delete_all(ws, member_id, at))
        }
        Change::CollectionInsert(row) => ops.push(collection::insert(ws, &row)),
        Change::CollectionUpdate { collection, expect } => {
            ops.push(collection::update(ws, &collection, expect))
        }
        Change::CollectionTouch { collection_id, expect } => {
            ops.push(collection::touch(ws, collection_id, expect));
        }
        Change::CollectionDelete { collection_id, expect } => {
            ops.push(collection::delete(ws, collection_id, expect));
        }
        Change::AccountInsert(row) => ops.push(account::insert(ws, &row)),
        Change::AccountUpdate { account, expect } => ops.push(account::update(ws, &account, expect)),
        Change::AccountDelete { account_id, expect } => ops.push(account::delete(ws, account_id, expect)),
        Change::AccountHandOver { account_id, from, to, flag, at } => {
            ops.push(account::hand_over(ws, account_id, (from, to, flag), at));
        }
        Change::GrantInsert(row) => ops.push(grant::insert(ws, &row)),
        Change::GrantDelete { grant_id } => ops.push(grant::delete(ws, grant_id)),
        Change::GrantSetEnd { grant_id, ends_at } => ops.push(grant::set_end(ws, grant_id, ends_at)),
        Change::ExposureInsert(row) => ops.push(exposure::insert(ws, &row)),
        Change::ExposureCarry { account_id, from, to, at } => {
            ops.push(exposure::carry(ws, account_id, (from, to), at));
        }
        Change::ExposureEventInsert(row) => ops.push(exposure::event_insert(&row)),
        Change::SecretInsert(row) => ops.push(secret::insert(ws, &row)),
        Change::SecretDelete { secret_id } => ops.push(secret::delete(ws, secret_id)),
        Change::SecretVersionInsert { version, sealed } => {
            ops.extend(secret::version_insert(ws, &version, &sealed));
        }
        Change::SecretExpect { secret_id, version } => ops.push(secret::expect(ws, secret_id, version)),
        Change::SecretPromote { account_id, secret_id, version, verified_at, at } => {
            ops.extend(secret::promote(ws, (account_id, secret_id, version), verified_at, at));
        }
        Change::SecretAbandon { secret_id, version, at } => {
            ops.push(secret::abandon(ws, secret_id, version, at));
        }
        Change::SecretReseal { secret_id, version, from, to, sealed } => {
            ops.extend(secret::reseal(ws, (secret_id, version), (from, to), &sealed));
        }
        Change::CodeBurn(row) => ops.push(secret::burn(ws, &row)),
        Change::KeyInsert(row) => ops.push(key::insert(ws, &row)),
        Change::KeyRewrap { key, expect } => ops.push(key::rewrap(ws, &key, &expect)),
        Change::KeyRetire { number, at } => ops.extend(key::retire(ws, number, at)),
        Change::CaseInsert(row) => ops.push(case::insert(ws, &row)),
        Change::CaseItemInsert(row) => ops.push(case::item_insert(ws, &row)),
        Change::CaseSetState { case_id, from, to } => ops.push(case::set_state(ws, case_id, from, to)),
        Change::OutboxInsert(row) => ops.push(outbox::insert(ws, &row)),
        Change::OutboxSetStateOfCase { case_id, from, to, at } => {
            ops.push(outbox::set_state_of_case(ws, case_id, (from, to), at));
        }
        Change::OutboxSetState { id, from, to } => ops.push(outbox::set_state(ws, id, from, to)),
        Change::TokenInsert(row) => ops.push(token::insert(ws, &row)),
        Change::TokenRevoke { token_id, valid_until, at } => {
            ops.push(token::revoke(ws, token_id, valid_until, at));
        }
    }
}
