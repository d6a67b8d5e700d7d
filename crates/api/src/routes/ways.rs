//! Why: the ways that lead to an account, and what each was judged to be.

use latchkey_access::effective::{Denial, Reach, ReachBy};
use latchkey_access::{GrantObject, GrantSubject, Permission};
use latchkey_engine::access::Access;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, GrantId, TeamId};
use serde::Serialize;
use utoipa::ToSchema;

/// What a member may do with one account, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessView {
    #[schema(value_type = String)]
    account_id: AccountId,
    account_name: String,
    app: String,
    sensitivity: String,
    /// `use`, `view`, `manage` or `own`; absent is a deny.
    #[schema(value_type = Option<String>)]
    permission: Option<Permission>,
    /// Whether they may use it now.
    allowed: bool,
    /// Every way that leads there; none is why not, too.
    why: Vec<WayView>,
}

/// One way that leads to an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WayView {
    /// `owner`, `grant` or `team`.
    by: &'static str,
    /// The grant.
    #[schema(value_type = Option<String>)]
    grant_id: Option<GrantId>,
    /// The team that it was given to.
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// The team's name.
    team_name: Option<String>,
    /// The collections that it goes through, from the granted one down.
    #[schema(value_type = Vec<String>)]
    collections: Vec<latchkey_kernel::id::CollectionId>,
    /// Whether it counts.
    counts: bool,
    /// What it allows, if it counts.
    #[schema(value_type = Option<String>)]
    permission: Option<Permission>,
    /// Why it does not count: `member_not_active`, `granted_in_earlier_epoch`,
    /// `membership_not_confirmed`, `not_started` or `ended`.
    denial: Option<&'static str>,
    /// The same for people.
    says: String,
    /// When it ends.
    #[schema(value_type = Option<String>)]
    ends_at: Option<Timestamp>,
    /// Who gave it.
    granted_by: Option<String>,
    /// Why it was given.
    reason: Option<String>,
}

impl From<&Access> for AccessView {
    fn from(access: &Access) -> Self {
        Self {
            account_id: access.account.id,
            account_name: access.account.name.clone(),
            app: access.account.app.clone(),
            sensitivity: access.account.sensitivity.to_string(),
            permission: access.explanation.permission,
            allowed: access.explanation.permission.is_some(),
            why: access.explanation.ways.iter().map(|(reach, verdict)| way(reach, *verdict)).collect(),
        }
    }
}

/// One way, as judged.
pub(super) fn way(reach: &Reach, verdict: Result<Permission, Denial>) -> WayView {
    let mut view = WayView {
        by: "owner",
        grant_id: None,
        team_id: None,
        team_name: None,
        collections: Vec::new(),
        counts: verdict.is_ok(),
        permission: verdict.ok(),
        denial: verdict.err().map(Denial::as_str),
        says: String::new(),
        ends_at: None,
        granted_by: None,
        reason: None,
    };
    if let ReachBy::Grant { grant, team, collections } = &reach.by {
        view.by = if matches!(grant.subject, GrantSubject::Team(_)) { "team" } else { "grant" };
        view.grant_id = Some(grant.id);
        view.team_id = team.as_ref().map(|team| team.team_id);
        view.team_name = team.as_ref().map(|team| team.team_name.clone());
        view.collections.clone_from(collections);
        view.ends_at = grant.ends_at;
        view.granted_by = Some(grant.granted_by.clone());
        view.reason.clone_from(&grant.reason);
    }
    view.says = sentence(reach, verdict);
    view
}

fn sentence(reach: &Reach, verdict: Result<Permission, Denial>) -> String {
    let how = match &reach.by {
        ReachBy::Owner => "is the account's owner".to_owned(),
        ReachBy::Grant { grant, team, .. } => {
            let on = match grant.object {
                GrantObject::Account(_) => "on the account",
                GrantObject::Collection(_) => "on a collection above it",
            };
            match team {
                Some(team) => format!("has {} {on} through the team {}", grant.permission, team.team_name),
                None => format!("has {} {on}, given directly", grant.permission),
            }
        }
    };
    match verdict {
        Ok(_) => how,
        Err(denial) => format!("{how}, but {}", because(denial)),
    }
}

const fn because(denial: Denial) -> &'static str {
    match denial {
        Denial::MemberNotActive => "the member is not active",
        Denial::GrantedInEarlierEpoch => "it was given before the member last left",
        Denial::MembershipNotConfirmed => "the membership was not confirmed since the member came back",
        Denial::NotStarted => "it has not started yet",
        Denial::Ended => "it has ended",
    }
}
