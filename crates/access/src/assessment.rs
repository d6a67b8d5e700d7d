//! What a leaver could do and knew, and which passwords therefore have to change (A5).

use std::collections::BTreeMap;

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::AccountId;
use serde_json::{Value, json};

use crate::account::{Account, OffboardingRotation};
use crate::effective::{Reach, ReachBy, judge};
use crate::exposure::Exposure;
use crate::grant::{GrantSubject, Permission};
use crate::member::Standing;
use crate::offboarding::ItemDecision;

/// What a member could reach and knows, as loaded; only an active member's is worth loading.
#[derive(Debug, Clone, Default)]
pub struct Reached {
    /// Every reach of the member, by ownership, direct grant, team, collection; whether each
    /// counts is judged here.
    pub reaches: Vec<Reach>,
    /// The member's exposures to the present generation of each account's password.
    pub exposures: Vec<Exposure>,
    /// Each account that `reaches` or `exposures` name, in any order.
    pub accounts: Vec<Account>,
}

impl Reached {
    /// Whether an account has to be handed over.
    pub fn owns(&self) -> bool {
        self.reaches.iter().any(|reach| reach.by == ReachBy::Owner)
    }
}

/// What follows for one account when a member leaves.
#[derive(Debug, Clone)]
pub struct Assessed<'a> {
    /// The account.
    pub account: &'a Account,
    /// What the member could do with it; `None` is nothing, by no way that counts.
    pub permission: Option<Permission>,
    /// The ways that count.
    pub ways: Vec<(&'a Reach, Permission)>,
    /// What they know of its present password.
    pub known: Vec<&'a Exposure>,
    /// What follows.
    pub decision: ItemDecision,
    /// The rule that decided, as `privileged_and_could_use`.
    pub rule: &'static str,
}

/// The ways to an account that count, and what is known of it.
type Found<'a> = (Vec<(&'a Reach, Permission)>, Vec<&'a Exposure>);

/// What follows for each account that a member can use or whose present password they know, if
/// they leave at `now`. Also answers *what if this member left now?*
pub fn assess<'a>(member: &Standing, reached: &'a Reached, now: Timestamp) -> Vec<Assessed<'a>> {
    let mut found: BTreeMap<AccountId, Found<'_>> = BTreeMap::new();
    for reach in &reached.reaches {
        if let Ok(permission) = judge(member, reach, now) {
            found.entry(reach.account_id).or_default().0.push((reach, permission));
        }
    }
    for exposure in &reached.exposures {
        found.entry(exposure.account_id).or_default().1.push(exposure);
    }
    let accounts: BTreeMap<AccountId, &Account> =
        reached.accounts.iter().map(|account| (account.id, account)).collect();
    let assessed = found.into_iter().filter_map(|(id, (ways, mut known))| {
        let account = *accounts.get(&id)?;
        known.retain(|exposure| exposure.generation == account.secret_generation);
        let permission = ways.iter().map(|(_, permission)| *permission).max();
        let (decision, rule) = decide(account, permission.is_some(), !known.is_empty())?;
        Some(Assessed { account, permission, ways, known, decision, rule })
    });
    assessed.collect()
}

/// Whether any of these passwords is to be changed, so that the wave of leavers matters.
pub fn plans_rotation(assessed: &[Assessed<'_>]) -> bool {
    assessed.iter().any(|one| one.decision == ItemDecision::Rotate)
}

/// `None` when the account does not concern the leaver.
fn decide(account: &Account, could_use: bool, knows: bool) -> Option<(ItemDecision, &'static str)> {
    use ItemDecision::{Keep, Rotate};
    use OffboardingRotation::{Always, Auto, Never};
    let privileged = account.is_privileged();
    match (account.offboarding_rotation, could_use, knows) {
        (_, false, false) => None,
        (Never, ..) => Some((Keep, "policy_never")),
        (Always, _, true) => Some((Rotate, "always_and_known")),
        (Always, true, false) => Some((Rotate, "always_and_could_use")),
        (Auto, _, true) if privileged => Some((Rotate, "privileged_and_known")),
        (Auto, true, false) if privileged => Some((Rotate, "privileged_and_could_use")),
        (Auto, _, true) => Some((Rotate, "standard_and_known")),
        (Auto, true, false) => Some((Keep, "standard_and_not_known")),
    }
}

impl Assessed<'_> {
    /// How they could reach the account and what they knew, for the case.
    pub fn evidence(&self) -> Value {
        let ways: Vec<Value> = self.ways.iter().map(|(reach, permission)| way(reach, *permission)).collect();
        let known: Vec<Value> = self
            .known
            .iter()
            .map(|exposure| {
                json!({ "kind": exposure.kind, "generation": exposure.generation, "at": exposure.at })
            })
            .collect();
        json!({
            "sensitivity": self.account.sensitivity,
            "offboarding_rotation": self.account.offboarding_rotation,
            "generation": self.account.secret_generation,
            "permission": self.permission,
            "ways": ways,
            "known": known,
        })
    }
}

fn way(reach: &Reach, permission: Permission) -> Value {
    let ReachBy::Grant { grant, team, collections } = &reach.by else {
        return json!({ "by": "owner", "permission": permission });
    };
    let by = match grant.subject {
        GrantSubject::Member(..) => "grant",
        GrantSubject::Team(_) => "team",
    };
    json!({
        "by": by,
        "permission": permission,
        "grant": grant.id,
        "team": team.as_ref().map(|team| json!({ "id": team.team_id, "name": team.team_name })),
        "collections": collections,
        "ends_at": grant.ends_at,
        "granted_by": grant.granted_by,
    })
}
