//! What each change does.

use latchkey_access::account::{Account, OwnerFlag};
use latchkey_access::grant::{GrantObject, GrantSubject};
use latchkey_access::offboarding::CaseState;
use latchkey_access::outbox::{EffectKind, EffectState};
use latchkey_access::{Change, ChangeSet, MemberState, Version};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{CaseId, MemberId};

use super::{Conflict, Database, Tables};

pub(super) type Done = Result<(), Conflict>;

impl Database {
    /// Makes all changes, or none.
    pub fn commit(&mut self, changes: &ChangeSet) -> Done {
        exists(changes.stays_within(), "workspace")?;
        let mut next = self.clone();
        for change in &changes.changes {
            next.apply(changes, change)?;
        }
        if !changes.audit.is_empty() {
            let tables = next.workspaces.get_mut(&changes.workspace_id);
            tables.ok_or(Conflict::Missing("workspace"))?.audit.extend(changes.audit.iter().cloned());
        }
        *self = next;
        Ok(())
    }

    fn apply(&mut self, changes: &ChangeSet, change: &Change) -> Done {
        // What is unique on the whole installation.
        match change {
            Change::WorkspaceInsert(workspace) => {
                unless(self.workspaces.values().any(|t| t.workspace.name_key == workspace.name_key), "name")?;
                self.workspaces.insert(workspace.id, Tables::new(workspace.clone()));
                return Ok(());
            }
            Change::TokenInsert(token) => {
                let mut all = self.workspaces.values().flat_map(|tables| tables.tokens.values());
                unless(all.any(|row| row.hash == token.hash), "hash")?;
            }
            _ => {}
        }
        let tables = self.workspaces.get_mut(&changes.workspace_id);
        tables.ok_or(Conflict::Missing("workspace"))?.apply(change)
    }
}

impl Tables {
    fn apply(&mut self, change: &Change) -> Done {
        match change {
            Change::WorkspaceInsert(_) => {}
            Change::WorkspaceUpdate { workspace, expect } => {
                moved(self.workspace.version == *expect, "workspace")?;
                self.workspace = workspace.clone();
            }
            Change::MemberInsert(member) => {
                self.user_name_is_free(member.id, &member.user_name_key)?;
                self.members.insert(member.id, member.clone());
            }
            Change::MemberUpdate { member, expect } => {
                let row = self.members.get(&member.id);
                moved(row.is_some_and(|row| row.version == *expect), "member")?;
                if member.state != MemberState::Deleted {
                    self.user_name_is_free(member.id, &member.user_name_key)?;
                }
                self.members.insert(member.id, member.clone());
            }
            Change::MemberEmailsSet { member_id, keys } => {
                exists(self.members.contains_key(member_id), "member")?;
                self.emails.insert(*member_id, keys.clone());
            }
            Change::MemberExpect { member_id, epoch } => {
                let row = self.members.get(member_id);
                let fits = |row: &latchkey_access::Member| {
                    row.state == MemberState::Active && row.access_epoch == *epoch
                };
                moved(row.is_some_and(fits), "member")?;
            }
            Change::WaveExpect { since, at_most } => {
                let leavers = self.cases.values().filter(|case| case.cut_at >= *since).count() as u64;
                moved(leavers <= *at_most, "wave")?;
            }
            Change::LeaverExpect { member_id, direct_grants, owned_accounts, exposures } => {
                moved(self.direct_grants_of(*member_id).count() as u64 == *direct_grants, "grants")?;
                let owned = self.accounts.values().filter(|row| row.owner_id == Some(*member_id));
                moved(owned.count() as u64 == *owned_accounts, "accounts")?;
                moved(self.present_exposures_of(*member_id).count() as u64 == *exposures, "exposures")?;
            }
            Change::MemberCutOff { member_id, case_id, at } => self.cut_off(*member_id, *case_id, *at)?,
            _ => self.apply_to_teams(change)?,
        }
        Ok(())
    }

    fn cut_off(&mut self, member_id: MemberId, case_id: CaseId, at: Timestamp) -> Done {
        exists(self.members.contains_key(&member_id), "member")?;
        exists(self.cases.contains_key(&case_id), "case")?;
        let removed: Vec<_> = self.direct_grants_of(member_id).cloned().collect();
        self.grants.retain(|id, _| !removed.iter().any(|grant| grant.id == *id));
        self.removed.entry(case_id).or_default().extend(removed);
        for token in self.tokens.values_mut() {
            if token.member.is_some_and(|(id, _)| id == member_id) && token.is_valid(at) {
                token.valid_until = Some(at);
                token.revoked_at = Some(at);
            }
        }
        for account in self.accounts.values_mut() {
            if account.owner_id == Some(member_id) {
                account.owner_id = None;
                account.owner_flag = Some(OwnerFlag::Orphaned);
                bump(account, at);
            }
            if account.successor_id == Some(member_id) {
                account.successor_id = None;
                bump(account, at);
            }
        }
        Ok(())
    }

    fn apply_to_teams(&mut self, change: &Change) -> Done {
        match change {
            Change::TeamInsert(team) => {
                self.display_name_is_free(team)?;
                self.teams.insert(team.id, team.clone());
            }
            Change::TeamUpdate { team, expect } => {
                moved(self.teams.get(&team.id).is_some_and(|row| row.version == *expect), "team")?;
                self.display_name_is_free(team)?;
                self.teams.insert(team.id, team.clone());
            }
            Change::TeamTouch { team_id, at } => {
                let team = self.teams.get_mut(team_id).ok_or(Conflict::Missing("team"))?;
                team.version = team.version.next();
                team.modified_at = *at;
            }
            Change::TeamDelete { team_id, expect } => {
                moved(self.teams.get(team_id).is_some_and(|row| row.version == *expect), "team")?;
                self.teams.remove(team_id);
                self.memberships.retain(|(team, _), _| team != team_id);
                self.grants.retain(|_, grant| grant.subject != GrantSubject::Team(*team_id));
            }
            Change::MembershipInsert(row) => {
                exists(self.teams.contains_key(&row.team_id), "team")?;
                let member = self.members.get(&row.member_id);
                exists(member.is_some_and(|member| member.state != MemberState::Deleted), "member")?;
                self.memberships.entry((row.team_id, row.member_id)).or_insert(row.confirmed);
            }
            Change::MembershipConfirm { team_id, member_id, epoch } => {
                let row = self.memberships.get_mut(&(*team_id, *member_id));
                *row.ok_or(Conflict::Missing("membership"))? = Some(*epoch);
            }
            Change::MembershipConfirmAll { member_id, epoch } => {
                let own = self.memberships.iter_mut().filter(|((_, member), _)| member == member_id);
                own.for_each(|(_, confirmed)| *confirmed = Some(*epoch));
            }
            Change::MembershipDelete { team_id, member_id } => {
                self.memberships.remove(&(*team_id, *member_id));
            }
            Change::MembershipDeleteAll { member_id, at } => {
                let own: Vec<_> = self.memberships.keys().filter(|(_, m)| m == member_id).copied().collect();
                for key in own {
                    self.memberships.remove(&key);
                    self.apply(&Change::TeamTouch { team_id: key.0, at: *at })?;
                }
            }
            _ => self.apply_to_accounts(change)?,
        }
        Ok(())
    }

    fn apply_to_accounts(&mut self, change: &Change) -> Done {
        match change {
            Change::CollectionInsert(collection) => {
                self.parent_exists(collection.parent_id)?;
                self.collections.insert(collection.id, collection.clone());
            }
            Change::CollectionUpdate { collection, expect } => {
                self.collection_is_at(collection.id, *expect)?;
                self.parent_exists(collection.parent_id)?;
                self.collections.insert(collection.id, collection.clone());
            }
            Change::CollectionTouch { collection_id, expect } => {
                self.collection_is_at(*collection_id, *expect)?;
                if let Some(row) = self.collections.get_mut(collection_id) {
                    row.version = row.version.next();
                }
            }
            Change::CollectionDelete { collection_id, expect } => {
                self.collection_is_at(*collection_id, *expect)?;
                let below = self.collections.values().any(|row| row.parent_id == Some(*collection_id));
                let within = self.accounts.values().any(|row| row.collection_id == Some(*collection_id));
                if below || within {
                    return Err(Conflict::InUse);
                }
                self.collections.remove(collection_id);
                self.grants.retain(|_, grant| grant.object != GrantObject::Collection(*collection_id));
            }
            Change::AccountInsert(account) => {
                self.named_exist(account)?;
                self.accounts.insert(account.id, account.clone());
            }
            Change::AccountUpdate { account, expect } => {
                let row = self.accounts.get(&account.id);
                moved(row.is_some_and(|row| row.version == *expect), "account")?;
                self.named_exist(account)?;
                self.accounts.insert(account.id, account.clone());
            }
            Change::AccountDelete { account_id, expect } => {
                let row = self.accounts.get(account_id);
                moved(row.is_some_and(|row| row.version == *expect), "account")?;
                self.accounts.remove(account_id);
                self.grants.retain(|_, grant| grant.object != GrantObject::Account(*account_id));
                self.exposures.retain(|(account, ..), _| account != account_id);
                self.drop_secrets(|secret| secret.account_id == *account_id);
                self.settings.remove(account_id);
                self.dependents.retain(|_, row| {
                    row.account_id != *account_id && row.other_account_id != Some(*account_id)
                });
            }
            Change::AccountHandOver { account_id, from, to, flag, at } => {
                let row = self.accounts.get_mut(account_id).filter(|row| row.owner_id == Some(*from));
                if let Some(account) = row {
                    account.owner_id = *to;
                    account.owner_flag = *flag;
                    bump(account, *at);
                }
            }
            Change::GrantInsert(grant) => {
                exists(
                    match grant.subject {
                        GrantSubject::Member(id, _) => self.members.contains_key(&id),
                        GrantSubject::Team(id) => self.teams.contains_key(&id),
                    },
                    "subject",
                )?;
                exists(
                    match grant.object {
                        GrantObject::Account(id) => self.accounts.contains_key(&id),
                        GrantObject::Collection(id) => self.collections.contains_key(&id),
                    },
                    "object",
                )?;
                self.grants.insert(grant.id, grant.clone());
            }
            Change::GrantDelete { grant_id } => {
                self.grants.remove(grant_id).ok_or(Conflict::Missing("grant"))?;
            }
            Change::GrantSetEnd { grant_id, ends_at } => {
                self.grants.get_mut(grant_id).ok_or(Conflict::Missing("grant"))?.ends_at = *ends_at;
            }
            Change::ExposureInsert(exposure) => {
                exists(self.accounts.contains_key(&exposure.account_id), "account")?;
                exists(self.members.contains_key(&exposure.member_id), "member")?;
                let key = (exposure.account_id, exposure.member_id, exposure.generation);
                self.exposures.entry(key).or_insert_with(|| exposure.clone());
            }
            _ => self.apply_to_secrets(change)?,
        }
        Ok(())
    }

    pub(super) fn apply_to_effects(&mut self, change: &Change) -> Done {
        match change {
            Change::CaseInsert(case) => {
                let same = |row: &latchkey_access::offboarding::OffboardingCase| {
                    (row.member_id, row.epoch) == (case.member_id, case.epoch)
                };
                unless(self.cases.values().any(same), "case")?;
                self.cases.insert(case.id, case.clone());
            }
            Change::CaseItemInsert(item) => {
                exists(self.cases.contains_key(&item.case_id), "case")?;
                self.items.insert((item.case_id, item.account_id), item.clone());
            }
            Change::CaseSetState { case_id, from, to } => {
                let case = self.cases.get_mut(case_id).filter(|case| case.state == *from);
                case.ok_or(Conflict::Moved("case"))?.state = *to;
            }
            Change::CaseConclude { case_id, to, summary } => {
                let waits = |event: &latchkey_access::outbox::OutboxEvent| {
                    event.case_id == Some(*case_id)
                        && event.kind == EffectKind::Rotation
                        && matches!(event.state, EffectState::Ready | EffectState::Held)
                };
                let under_way = self.rotations.values().any(|row| row.case_id == Some(*case_id) && !row.over);
                moved(!under_way && !self.outbox.values().any(waits), "case")?;
                let case = self.cases.get_mut(case_id).filter(|case| case.state == CaseState::Open);
                let case = case.ok_or(Conflict::Moved("case"))?;
                case.state = *to;
                case.summary = summary.clone();
            }
            Change::Rotation(change) => self.apply_to_rotations(change)?,
            // Who may use what rests on neither; the store's suite is the reference for both.
            Change::Embedded(_) | Change::Job(_) => {}
            Change::OutboxInsert(event) => {
                if !self.outbox.values().any(|row| row.key == event.key) {
                    self.outbox.insert(event.id, event.clone());
                }
            }
            Change::OutboxSetStateOfCase { case_id, from, to, at } => {
                for event in self.outbox.values_mut() {
                    let own = event.case_id == Some(*case_id) && event.kind == EffectKind::Rotation;
                    if own && event.state == *from {
                        event.state = *to;
                        if *to == EffectState::Ready {
                            event.due_at = *at;
                        }
                    }
                }
            }
            Change::OutboxSetState { id, from, to } => {
                let event = self.outbox.get_mut(id).filter(|event| event.state == *from);
                event.ok_or(Conflict::Moved("effect"))?.state = *to;
            }
            Change::TokenInsert(token) => {
                if let Some((id, _)) = token.member {
                    exists(self.members.contains_key(&id), "member")?;
                }
                self.tokens.insert(token.id, token.clone());
            }
            Change::TokenRevoke { token_id, valid_until, at } => {
                let token = self.tokens.get_mut(token_id).ok_or(Conflict::Missing("token"))?;
                token.valid_until =
                    Some(token.valid_until.map_or(*valid_until, |until| until.min(*valid_until)));
                token.revoked_at = token.revoked_at.or(Some(*at));
            }
            other => unreachable!("{other:?} is applied above"),
        }
        Ok(())
    }

    fn user_name_is_free(&self, id: MemberId, key: &str) -> Done {
        let mut others =
            self.members.values().filter(|row| row.state != MemberState::Deleted && row.id != id);
        unless(others.any(|row| row.user_name_key == key), "user_name")
    }

    fn display_name_is_free(&self, team: &latchkey_access::Team) -> Done {
        let mut others = self.teams.values().filter(|row| row.id != team.id);
        unless(others.any(|row| row.display_name_key == team.display_name_key), "display_name")
    }

    fn parent_exists(&self, parent: Option<latchkey_kernel::id::CollectionId>) -> Done {
        exists(parent.is_none_or(|id| self.collections.contains_key(&id)), "collection")
    }

    fn collection_is_at(&self, id: latchkey_kernel::id::CollectionId, version: Version) -> Done {
        moved(self.collections.get(&id).is_some_and(|row| row.version == version), "collection")
    }

    fn named_exist(&self, account: &Account) -> Done {
        self.parent_exists(account.collection_id)?;
        let mut named = account.owner_id.into_iter().chain(account.successor_id);
        exists(named.all(|id| self.members.contains_key(&id)), "member")
    }
}

pub(super) fn bump(account: &mut Account, at: Timestamp) {
    account.version = account.version.next();
    account.modified_at = at;
}

pub(super) fn unless(taken: bool, key: &'static str) -> Done {
    if taken { Err(Conflict::Taken(key)) } else { Ok(()) }
}

pub(super) fn moved(as_expected: bool, what: &'static str) -> Done {
    if as_expected { Ok(()) } else { Err(Conflict::Moved(what)) }
}

pub(super) fn exists(there: bool, what: &'static str) -> Done {
    if there { Ok(()) } else { Err(Conflict::Missing(what)) }
}
