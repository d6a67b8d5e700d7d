//! What may be asked of a workspace, drawn at random.

use std::time::Duration;

use latchkey_access::account::{Account, Collection, OffboardingRotation, Sensitivity};
use latchkey_access::context::{Cause, Ids};
use latchkey_access::disclosure::Act;
use latchkey_access::exposure::ExposureKind;
use latchkey_access::grant::{GrantObject, Permission};
use latchkey_access::grants::{self, Receiver, Wish};
use latchkey_access::membership::{self, MemberChange};
use latchkey_access::offboarding::Trigger;
use latchkey_access::refusal::Refusal;
use latchkey_access::returning::{self, Choice, Pick, Review};
use latchkey_access::secret::SecretKind;
use latchkey_access::token::TokenKind;
use latchkey_access::{
    Change, ChangeSet, Member, MemberState, Policy, Reactivation, Role, Safeguard, Team, Token, accounts,
    collections, exposures, members, safeguard, teams, tokens, workspaces,
};
use latchkey_kernel::id::{AccountId, CaseId, CollectionId, GrantId, MemberId, SecretId, TeamId};

use super::Tables;
use super::fresh::Fresh;
use super::vaulted::Secretly;

/// Random numbers that become a command once it is known what is there.
#[derive(Debug, Clone, Copy)]
pub struct Draw(pub u8, pub usize, pub usize, pub usize);

/// Something asked of a workspace, with the ids of what it is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Admit(Box<Member>),
    Leave(MemberId, Trigger),
    Return(MemberId),
    Rename(MemberId, String),
    SetRole(MemberId, Role),
    MakeTeam(Team),
    DropTeam(TeamId),
    Join(TeamId, MemberId),
    Quit(TeamId, MemberId),
    Confirm(TeamId, MemberId),
    MakeCollection(Collection),
    MoveCollection(CollectionId, Option<CollectionId>),
    DropCollection(CollectionId),
    MakeAccount(Box<Account>),
    ChangeAccount(Box<Account>),
    DropAccount(AccountId),
    RotateSecret(AccountId),
    GiveMember(MemberId, Wish),
    GiveTeam(TeamId, Wish),
    EndGrant(GrantId),
    Expose(AccountId, MemberId),
    Issue(MemberId, Box<Token>),
    Review(MemberId, Choice),
    Undo(MemberId, Choice),
    SetPolicy(Policy),
    Recover(MemberId),
    Release(CaseId),
    CallOff(CaseId),
    Secret(Option<MemberId>, Secretly),
}

fn at<'a, T>(rows: impl Iterator<Item = &'a T>, index: usize) -> Option<&'a T> {
    let rows: Vec<&T> = rows.collect();
    (!rows.is_empty()).then(|| rows[index % rows.len()])
}

fn every<T: Copy>(all: &[T], index: usize) -> T {
    all[index % all.len()]
}

impl Draw {
    /// The command that these numbers stand for in this state; `None` when there is nothing to do it to.
    pub fn command(self, tables: &Tables, ids: Fresh<'_>) -> Option<Command> {
        let Self(kind, a, b, c) = self;
        let present = || tables.members.values().filter(|row| row.state != MemberState::Deleted);
        let member = |index| at(present(), index);
        let team = |index| at(tables.teams.values(), index);
        let collection = |index| at(tables.collections.values(), index);
        let account = |index| at(tables.accounts.values(), index);
        let object = |index: usize| match (index % 3, account(index / 3), collection(index / 3)) {
            (0 | 1, Some(row), _) | (_, Some(row), None) => Some(GrantObject::Account(row.id)),
            (_, _, Some(row)) => Some(GrantObject::Collection(row.id)),
            _ => None,
        };
        let wish = |object| Wish {
            object,
            permission: every(Permission::ALL, c),
            starts_at: (c % 5 == 1).then(|| ids.now.plus(Duration::from_secs(1_800))),
            ends_at: (c % 3 == 1).then(|| ids.now.plus(Duration::from_secs(7_200))),
            reason: None,
        };
        Some(match kind % 52 {
            0 | 1 => {
                // Sometimes the external id of somebody who is gone: the same person again.
                let gone = at(tables.members.values().filter(|row| row.state == MemberState::Deleted), b);
                let key = gone.filter(|_| a % 2 == 0).and_then(|row| row.external_id.clone());
                Command::Admit(Box::new(ids.member(key, Role::User, c % 5 != 0)))
            }
            2 => Command::Admit(Box::new(ids.member(None, every(Role::ALL, c), true))),
            3..=8 => {
                let all = [
                    Trigger::DirectoryDisabled,
                    Trigger::DirectoryDisabled,
                    Trigger::DirectoryDeleted,
                    Trigger::Admin,
                ];
                Command::Leave(member(a)?.id, every(&all, b))
            }
            9..=11 => Command::Return(at(present().filter(|row| row.state == MemberState::Inactive), a)?.id),
            12 => Command::Rename(member(a)?.id, format!("name{b}")),
            13 => Command::SetRole(member(a)?.id, every(Role::ALL, b)),
            14 => Command::MakeTeam(ids.team()),
            15 => Command::DropTeam(team(a)?.id),
            16..=19 => Command::Join(team(a)?.id, member(b)?.id),
            20 => Command::Quit(team(a)?.id, member(b)?.id),
            21 => Command::Confirm(team(a)?.id, member(b)?.id),
            22 => Command::MakeCollection(
                ids.collection(collection(a).filter(|_| b % 3 != 0).map(|row| row.id)),
            ),
            23 => Command::MoveCollection(
                collection(a)?.id,
                collection(b).filter(|_| c % 3 != 0).map(|row| row.id),
            ),
            24 => Command::DropCollection(collection(a)?.id),
            25 | 26 => {
                let mut row = ids.account();
                row.sensitivity = every(Sensitivity::ALL, a);
                row.offboarding_rotation =
                    if b % 5 < 3 { OffboardingRotation::Auto } else { every(OffboardingRotation::ALL, b) };
                row.collection_id = collection(c).filter(|_| c % 3 != 0).map(|row| row.id);
                row.owner_id = member(b).filter(|_| a % 4 != 0).map(|row| row.id);
                row.successor_id = member(c).filter(|_| b % 2 == 0).map(|row| row.id);
                Command::MakeAccount(Box::new(row))
            }
            27 => {
                let mut row = account(a)?.clone();
                row.owner_id = member(b).map(|row| row.id);
                row.successor_id = member(c).map(|row| row.id);
                row.collection_id = collection(b).map(|row| row.id);
                Command::ChangeAccount(Box::new(row))
            }
            28 => Command::DropAccount(account(a)?.id),
            29 => Command::RotateSecret(account(a)?.id),
            30 | 31 => Command::GiveMember(member(a)?.id, wish(object(b)?)),
            32 => Command::GiveTeam(team(a)?.id, wish(object(b)?)),
            33 => Command::EndGrant(at(tables.grants.values(), a)?.id),
            34 => Command::Expose(account(a)?.id, member(b)?.id),
            35 => Command::Issue(member(a)?.id, Box::new(ids.token(TokenKind::Api))),
            36 | 37 => {
                let waiting = present().filter(|row| row.standing().awaits_review());
                let id = at(waiting, a)?.id;
                let grants = tables.removed(id).iter().map(|row| row.id).filter(|_| b % 2 == 0).collect();
                let teams = tables.memberships_of(id).iter().map(|row| row.team_id).take(c % 3).collect();
                let choice = match b % 4 {
                    0 => Choice { grants: Pick::All, teams: Pick::All, reason: None },
                    1 => {
                        Choice { grants: Pick::Only(Vec::new()), teams: Pick::Only(Vec::new()), reason: None }
                    }
                    _ => Choice { grants: Pick::Only(grants), teams: Pick::Only(teams), reason: None },
                };
                if c % 7 == 0 { Command::Undo(id, choice) } else { Command::Review(id, choice) }
            }
            38 => {
                let successor = at(present(), b).filter(|_| a % 3 != 0).map(|row| row.id);
                let safeguard =
                    if c % 2 == 0 { Safeguard { minimum: 1, percent: 0 } } else { Safeguard::default() };
                Command::SetPolicy(Policy {
                    reactivation: every(Reactivation::ALL, a),
                    safeguard,
                    successor,
                    owners_export: c % 4 == 0,
                })
            }
            40..=51 => {
                let by = member(b).filter(|_| c % 6 != 0).map(|row| row.id);
                let secret = at(tables.secrets.values(), a).map(|row| row.id);
                Command::Secret(by, secretly(kind % 52 - 40, (account(a)?.id, secret), c, ids)?)
            }
            _ => match (c % 4, at(tables.cases.values(), a)) {
                (0, Some(case)) => Command::Release(case.id),
                (1, Some(case)) => Command::CallOff(case.id),
                _ => Command::Recover(member(a)?.id),
            },
        })
    }
}

impl Command {
    /// Loads from `tables` and decides, as the engine does; `None` when what it is about is gone.
    pub fn decide(&self, tables: &Tables, cause: &Cause, ids: Ids<'_>) -> Option<Result<ChangeSet, Refusal>> {
        let workspace = &tables.workspace;
        let present = |id: &MemberId| tables.members.get(id).filter(|row| row.state != MemberState::Deleted);
        Some(match self {
            Self::Admit(member) => {
                let same = |row: &&Member| {
                    row.state == MemberState::Deleted
                        && row.external_id.is_some()
                        && row.external_id == member.external_id
                };
                let gone = tables.members.values().filter(same).max_by_key(|row| row.access_epoch);
                let owner = member.role == Role::Owner;
                if gone.is_none() && owner {
                    members::add_local((**member).clone(), None, workspace, cause, ids)
                } else {
                    Ok(members::admit((**member).clone(), gone, cause, ids))
                }
            }
            Self::Leave(id, trigger) => {
                present(id)?;
                tables.leave(*id, *trigger, cause, ids)
            }
            Self::Return(id) => {
                let before = present(id)?;
                let mut after = before.clone();
                after.resource = before.resource.replace("\"active\":false", "\"active\":true");
                Ok(returning::come_back(before, &after, workspace, cause, ids))
            }
            Self::Rename(id, name) => {
                let before = present(id)?;
                let resource = before.resource.replace(&before.display_name, name);
                let after = Member { display_name: name.clone(), resource, ..before.clone() };
                Ok(members::update_attributes(before, after, cause, ids))
            }
            Self::SetRole(id, role) => {
                let before = present(id)?;
                let in_charge = (before.role == Role::Owner).then(|| tables.in_charge(*id));
                members::set_role(before, *role, None, workspace, in_charge.as_ref(), cause, ids)
            }
            Self::MakeTeam(team) => Ok(teams::create(team.clone(), cause, ids)),
            Self::DropTeam(id) => teams::delete(tables.teams.get(id)?, &[], cause, ids),
            Self::Join(team, id) => {
                let standing = present(id)?.standing();
                let confirmed = membership::confirmed_for(&standing, &workspace.policy);
                let known = tables.memberships.contains_key(&(*team, *id));
                let added = if known { Vec::new() } else { vec![(*id, confirmed)] };
                self.extend(tables, *team, MemberChange { added, removed: Vec::new() }, cause, ids)?
            }
            Self::Quit(team, id) => self.extend(
                tables,
                *team,
                MemberChange { added: Vec::new(), removed: vec![*id] },
                cause,
                ids,
            )?,
            Self::Confirm(team, id) => {
                let row = tables.memberships_of(*id).into_iter().find(|row| row.team_id == *team)?;
                membership::confirm(tables.teams.get(team)?, &row, present(id)?, cause, ids)
            }
            Self::MakeCollection(row) => {
                if row.parent_id.is_some_and(|id| !tables.collections.contains_key(&id)) {
                    return None;
                }
                collections::create(row.clone(), &tables.chain(row.parent_id), cause, ids)
            }
            Self::MoveCollection(id, parent_id) => {
                let before = tables.collections.get(id)?;
                if parent_id.is_some_and(|id| !tables.collections.contains_key(&id)) {
                    return None;
                }
                let after = Collection { parent_id: *parent_id, ..before.clone() };
                let above = tables.chain(*parent_id);
                collections::update(before, after, &above, tables.height(*id), cause, ids)
            }
            Self::DropCollection(id) => Ok(collections::delete(tables.collections.get(id)?, cause, ids)),
            Self::MakeAccount(row) => {
                let named = named(tables, row);
                accounts::create(
                    (**row).clone(),
                    accounts::Named { creator: named.owner, ..named },
                    cause,
                    ids,
                )
            }
            Self::ChangeAccount(row) => {
                let before = tables.accounts.get(&row.id)?;
                accounts::update(before, (**row).clone(), named(tables, row), cause, ids)
            }
            Self::DropAccount(id) => Ok(accounts::delete(tables.accounts.get(id)?, cause, ids)),
            Self::RotateSecret(id) => {
                let before = tables.accounts.get(id)?;
                // What the vault holds is changed through the vault.
                if tables.secrets.values().any(|row| row.account_id == *id) {
                    return None;
                }
                let account = Account {
                    secret_generation: before.secret_generation + 1,
                    version: before.version.next(),
                    ..before.clone()
                };
                let mut changes = exposures::record(
                    before,
                    tables.members.values().next()?,
                    ExposureKind::Declared,
                    cause,
                    ids,
                );
                changes.changes = vec![Change::AccountUpdate { account, expect: before.version }];
                Ok(changes)
            }
            Self::GiveMember(id, wish) => {
                there(tables, wish)?;
                grants::give(Receiver::Member(present(id)?), wish.clone(), cause, ids)
                    .map(|(_, changes)| changes)
            }
            Self::GiveTeam(id, wish) => {
                there(tables, wish)?;
                grants::give(Receiver::Team(tables.teams.get(id)?), wish.clone(), cause, ids)
                    .map(|(_, changes)| changes)
            }
            Self::EndGrant(id) => Ok(grants::end(tables.grants.get(id)?, cause, ids)),
            Self::Expose(account, id) => {
                let account = tables.accounts.get(account)?;
                Ok(exposures::record(account, present(id)?, ExposureKind::Declared, cause, ids))
            }
            Self::Issue(id, token) => tokens::issue_for_member((**token).clone(), present(id)?, cause, ids),
            Self::Review(id, choice) => {
                let (removed, memberships) = (tables.removed(*id), tables.memberships_of(*id));
                let direct: Vec<_> = tables.direct_grants_of(*id).cloned().collect();
                let review = Review {
                    member: present(id)?,
                    removed: &removed,
                    memberships: &memberships,
                    present: &direct,
                };
                returning::close_review(review, choice, cause, ids)
            }
            Self::Undo(id, choice) => {
                let (removed, memberships) = (tables.removed(*id), tables.memberships_of(*id));
                let direct: Vec<_> = tables.direct_grants_of(*id).cloned().collect();
                let review = Review {
                    member: present(id)?,
                    removed: &removed,
                    memberships: &memberships,
                    present: &direct,
                };
                returning::undo(review, tables.last_case(*id)?, choice, cause, ids)
            }
            Self::SetPolicy(policy) => {
                let heir = policy.successor.and_then(|id| present(&id));
                workspaces::set_policy(workspace, policy.clone(), heir, cause, ids)
            }
            Self::Recover(id) => {
                let before = present(id)?;
                workspaces::recover(workspace, Some(before), before.clone(), cause, ids)
            }
            Self::Secret(by, secretly) => {
                if by.is_some_and(|id| present(&id).is_none()) {
                    return None;
                }
                return secretly.decide(tables, *by, cause, ids);
            }
            Self::Release(id) => safeguard::release(tables.cases.get(id)?, cause, ids),
            Self::CallOff(id) => safeguard::call_off(tables.cases.get(id)?, "not needed", cause, ids),
        })
    }

    #[expect(clippy::unused_self, reason = "reads like the other arms")]
    fn extend(
        &self,
        tables: &Tables,
        team: TeamId,
        change: MemberChange,
        cause: &Cause,
        ids: Ids<'_>,
    ) -> Option<Result<ChangeSet, Refusal>> {
        let team = tables.teams.get(&team)?;
        let mut changes = ChangeSet::new(team.workspace_id);
        Some(membership::extend(&mut changes, team, change, cause, ids).map(|()| changes))
    }
}

/// Mostly the password, which is what exposures are about.
fn secretly(
    kind: u8,
    (account, secret): (AccountId, Option<SecretId>),
    c: usize,
    ids: Fresh<'_>,
) -> Option<Secretly> {
    let value = u8::try_from(c % 250).unwrap_or(0);
    Some(match kind {
        0 | 1 => {
            let all = if c.is_multiple_of(3) { SecretKind::ALL } else { &[SecretKind::Password] };
            Secretly::Add(account, SecretId::fresh(ids.now, ids.entropy), every(all, c), value)
        }
        2 => Secretly::Set(secret?, value),
        3 => Secretly::Stage(secret?, value),
        4 => Secretly::Promote(secret?),
        5 if c.is_multiple_of(4) => Secretly::Remove(secret?),
        5 => Secretly::Abandon(secret?),
        6 => Secretly::Restore(secret?, i64::try_from(c % 4).unwrap_or(0) + 1),
        7 if c.is_multiple_of(2) => Secretly::Code(secret?),
        7 => Secretly::Burn(secret?),
        _ => {
            let version = c.is_multiple_of(5).then_some(i64::try_from(c % 3).unwrap_or(0) + 1);
            Secretly::Show(secret?, every(Act::ALL, c), version)
        }
    })
}

fn there(tables: &Tables, wish: &Wish) -> Option<()> {
    match wish.object {
        GrantObject::Account(id) => tables.accounts.contains_key(&id),
        GrantObject::Collection(id) => tables.collections.contains_key(&id),
    }
    .then_some(())
}

fn named<'a>(tables: &'a Tables, row: &Account) -> accounts::Named<'a> {
    let member = |id: Option<MemberId>| id.and_then(|id| tables.members.get(&id));
    accounts::Named { owner: member(row.owner_id), successor: member(row.successor_id), creator: None }
}
