//! Who knows an account's password.

use latchkey_access::authority::Action;
use latchkey_access::exposure::{Exposure, ExposureKind};
use latchkey_access::exposures as rules;
use latchkey_kernel::id::{AccountId, MemberId};

use crate::engine::only_moved;
use crate::{Caller, Effect, Engine, Error, accounts, members};

/// Every recorded exposure of an account, of earlier passwords too.
///
/// # Errors
/// When there is no such account, or the caller may not.
pub async fn list(engine: &Engine, by: &Caller, account: AccountId) -> Result<Vec<Exposure>, Error> {
    by.may(Action::ReadAccounts)?;
    accounts::find(engine, by, account).await?;
    Ok(engine.store().exposures_of_account(by.workspace_id(), account).await?)
}

/// Records that a member knows the account's present password, from before Latchkey or by word of mouth.
///
/// # Errors
/// When there is no such account or member, or the caller may not.
pub async fn record(
    engine: &Engine,
    by: &Caller,
    account: AccountId,
    member: MemberId,
) -> Result<Vec<Effect>, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::WriteGrants)?;
            let account = accounts::find(engine, by, account).await?;
            let member = members::find(engine, by, member).await?;
            let changes =
                rules::record(&account, &member, ExposureKind::Declared, &cause, engine.ids(&cause));
            let mut effects = vec![Effect::one("exposure.recorded")];
            effects.extend(Effect::of(&changes));
            engine.commit(changes, only_moved).await?;
            Ok(effects)
        })
        .await
}
