//! Who knows a password, and who could.

use latchkey_kernel::Timestamp;

use crate::effective::{self, Denial, Reach, ReachBy};
use crate::grant::Permission;
use crate::member::Standing;

/// What somebody could have had of a secret since it came into use, by one way: what it allows,
/// and when that ended if it did. Filling puts a value into a browser, so whoever may use the
/// account could know it.
pub fn could_have(
    standing: &Standing,
    reach: &Reach,
    since: Timestamp,
    now: Timestamp,
) -> Option<(Permission, Option<Timestamp>)> {
    match effective::judge(standing, reach, now) {
        Ok(permission) => Some((permission, None)),
        Err(Denial::Ended) => {
            let ReachBy::Grant { grant, .. } = &reach.by else { return None };
            let ended = grant.ends_at.filter(|ended| *ended > since)?;
            let last = Timestamp::from_micros(ended.as_micros() - 1);
            let permission = effective::judge(standing, reach, last).ok()?;
            Some((permission, Some(ended)))
        }
        Err(_) => None,
    }
}

/// The most of what several ways give: the highest permission that holds, else the one that ended last.
pub fn most(
    ways: impl IntoIterator<Item = (Permission, Option<Timestamp>)>,
) -> Option<(Permission, Option<Timestamp>)> {
    ways.into_iter().max_by_key(|(permission, ended)| (ended.is_none(), *permission, *ended))
}
