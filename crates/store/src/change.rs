//! From changes to the statements that make them.

use latchkey_access::{Change, RotationChange};
use latchkey_kernel::id::{MemberId, WorkspaceId};

use crate::error::Conflict;
use crate::statement::Stmt;
use crate::value::Val;
use crate::{
    account, case, collection, connector, embedded, exposure, grant, key, member, membership, outbox,
    picture, provisioning, rotation, secret, task, team, token, workspace,
};

/// One statement of a commit, and what it means when it fails.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) stmt: &'static Stmt,
    /// One that does the same for less, with the same parameters, if it touches a row: tried first
    /// where statements are made one after the other.
    pub(crate) cheaper: Option<&'static Stmt>,
    /// One that finds a row if there is something to do, with the first of the parameters: asked
    /// before, where statements are made one after the other.
    pub(crate) only_if: Option<&'static Stmt>,
    pub(crate) params: Vec<Val>,
    /// What it comes to when the statement touches no row; `None` when that is fine.
    pub(crate) expect: Option<Conflict>,
    /// What it comes to when a row refers to one that isn't there, or is referred to by one.
    pub(crate) unlinked: Conflict,
}

impl Op {
    /// A statement on rows of the kind `what`.
    pub(crate) const fn new(stmt: &'static Stmt, params: Vec<Val>, what: &'static str) -> Self {
        Self {
            stmt,
            cheaper: None,
            only_if: None,
            params,
            expect: None,
            unlinked: Conflict::Missing { what },
        }
    }

    /// Tries this statement first.
    pub(crate) const fn or_cheaper(mut self, stmt: &'static Stmt) -> Self {
        self.cheaper = Some(stmt);
        self
    }

    /// Spared unless this finds something.
    pub(crate) const fn only_if(mut self, stmt: &'static Stmt) -> Self {
        self.only_if = Some(stmt);
        self
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

/// The statements of changes, in order.
///
/// A bare bump of a team's version goes last: it depends on nothing but the team, and taking team
/// rows after member rows, as an offboarding does, keeps two commits from waiting for each other.
pub(crate) fn ops_of(workspace_id: WorkspaceId, changes: Vec<Change>) -> Vec<Op> {
    let mut ops = Vec::with_capacity(changes.len() + 3);
    let mut touches = Vec::new();
    let holds_nothing = proven_to_hold_nothing(&changes);
    for change in changes {
        match change {
            Change::TeamTouch { .. } => push(&mut touches, workspace_id, change),
            Change::MemberCutOff { member_id, at, .. } if holds_nothing == Some(member_id) => {
                ops.extend(member::cut_off_empty(workspace_id, member_id, at));
            }
            _ => push(&mut ops, workspace_id, change),
        }
    }
    ops.append(&mut touches);
    ops
}

/// The member of whom the set expects that they have no grant and own no account, unless it gives
/// somebody something itself: nothing of theirs is left to be taken.
fn proven_to_hold_nothing(changes: &[Change]) -> Option<MemberId> {
    let gives = |change: &Change| {
        matches!(
            change,
            Change::GrantInsert(_)
                | Change::AccountInsert(_)
                | Change::AccountUpdate { .. }
                | Change::AccountHandOver { .. }
        )
    };
    let first = changes
        .iter()
        .find(|change| matches!(change, Change::LeaverExpect { .. } | Change::MemberCutOff { .. }))?;
    match first {
        Change::LeaverExpect { member_id, direct_grants: 0, owned_accounts: 0, .. } => {
            (!changes.iter().any(gives)).then_some(*member_id)
        }
        _ => None,
    }
}

fn push(ops: &mut Vec<Op>, ws: WorkspaceId, change: Change) {
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
        Change::CaseConclude { case_id, to, summary } => ops.push(case::conclude(ws, case_id, to, &summary)),
        Change::Rotation(change) => {
            ops.extend(seals(&change).map(|number| key::seals(ws, number)));
            ops.push(of_rotation(ws, *change));
        }
        Change::Embedded(change) => embedded::push(ops, ws, change),
        Change::Job(change) => provisioning::order::push(ops, ws, change),
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

/// The key that a connector's credential or a picture is sealed under.
fn seals(change: &RotationChange) -> Option<i64> {
    match change {
        RotationChange::ConnectorInsert(row) | RotationChange::ConnectorUpdate { connector: row, .. } => {
            row.admin_key
        }
        RotationChange::PictureInsert(row) => Some(row.key_number),
        RotationChange::PictureReseal { to, .. } => Some(*to),
        _ => None,
    }
}

fn of_rotation(ws: WorkspaceId, change: RotationChange) -> Op {
    match change {
        RotationChange::ConnectorInsert(row) => connector::insert(ws, &row),
        RotationChange::ConnectorUpdate { connector, expect } => connector::update(ws, &connector, expect),
        RotationChange::ConnectorDelete { connector_id, expect } => {
            connector::delete(ws, connector_id, expect)
        }
        RotationChange::ConnectorPause { connector_id, reason, at } => {
            connector::pause(ws, connector_id, &reason, at)
        }
        RotationChange::SettingSet { rotation, expect } => connector::setting_set(ws, &rotation, expect),
        RotationChange::SettingDue { account_id, rotates_at, verifies_at } => {
            connector::setting_due(ws, account_id, rotates_at, verifies_at)
        }
        RotationChange::JobInsert(row) => rotation::insert(ws, &row),
        RotationChange::JobUpdate { rotation, expect, leased_until } => {
            rotation::update(ws, &rotation, expect, leased_until)
        }
        RotationChange::CauseDone { cause } => outbox::done(ws, &cause),
        RotationChange::JobsWake { connector_id, at } => rotation::wake(ws, connector_id, at),
        RotationChange::StepInsert(row) => rotation::step_insert(ws, &row),
        RotationChange::PictureInsert(row) => picture::insert(ws, &row),
        RotationChange::PicturesTrim { rotation_id, keep } => picture::trim(ws, rotation_id, keep),
        RotationChange::PictureReseal { rotation_id, number, from, to, sealed } => {
            picture::reseal(ws, (rotation_id, number), (from, to), &sealed)
        }
        RotationChange::PicturesDelete { rotation_id } => picture::delete(ws, rotation_id),
        RotationChange::TaskInsert(row) => task::insert(ws, &row),
        RotationChange::TaskUpdate { task, expect } => task::update(ws, &task, expect),
        RotationChange::TaskCloseOf { rotation_id, state, at } => task::close_of(ws, rotation_id, state, at),
        RotationChange::DependentInsert(row) => task::dependent_insert(ws, &row),
        RotationChange::DependentDelete { dependent_id } => task::dependent_delete(ws, dependent_id),
    }
}
