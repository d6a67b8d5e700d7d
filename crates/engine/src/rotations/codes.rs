//! One-time codes for the login that a rotation proves: computed here, of the account's own seed, when
//! a step asks for one. The seed stays, and each use is on record before its code goes anywhere.

use std::sync::Arc;
use std::time::Duration;

use latchkey_access::Actor;
use latchkey_access::disclosure::{self as rules, CODE_GIVEN, CODE_USED};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, RotationId, SecretId, WorkspaceId};
use latchkey_rotators::recipe::{CodeSource, OneTimeCode};
use latchkey_store::AuditFilter;
use latchkey_vault::totp::Totp;

use crate::engine::only_moved;
use crate::error::Attempt;
use crate::secrets::{Loaded, open};
use crate::{Engine, Error, error_chain};

/// Whose codes, and what for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Login {
    pub(crate) workspace: WorkspaceId,
    pub(crate) account: AccountId,
    pub(crate) seed: SecretId,
    pub(crate) rotation: RotationId,
}

/// Gives the codes of an account's login to the connector that proves it.
pub(crate) fn source(engine: &Engine, login: Login) -> CodeSource {
    let engine = engine.clone();
    Arc::new(move || {
        let engine = engine.clone();
        Box::pin(async move {
            next(&engine, login).await.map_err(|error| {
                tracing::warn!(rotation = %login.rotation, account = %login.account, error = error_chain(&error), "no one-time code could be given");
                "Latchkey could not give a one-time code; its own log says why".to_owned()
            })
        })
    })
}

/// The present code, if nobody had it yet; else the next one, since targets take each code once (RFC
/// 6238, 5.2). Who had it is read from the audit log, so that it holds across restarts and nodes.
async fn next(engine: &Engine, login: Login) -> Result<OneTimeCode, Error> {
    loop {
        match engine.settle(|| give(engine, login)).await? {
            Given::Code(code) => return Ok(code),
            Given::Wait(left) => tokio::time::sleep(left).await,
        }
    }
}

enum Given {
    Code(OneTimeCode),
    /// The present one was used; the next one comes after so long.
    Wait(Duration),
}

async fn give(engine: &Engine, login: Login) -> Result<Given, Attempt> {
    let Login { workspace, account, seed, rotation } = login;
    let account = engine.store().account_get(workspace, account).await?;
    let account = account.ok_or(Error::NotFound { what: "account" })?;
    let loaded = Loaded::of(engine, &account, seed).await?;
    let cause = engine.cause(Actor::System, engine.fresh_request_id());
    let vaulted = loaded.with(&account);
    let (version, changes) = rules::code_for_rotation(vaulted, rotation, &cause, engine.ids(&cause))?;
    let value = open(engine, &loaded.secret, version).await?;
    let text = value.expose_text().unwrap_or_default();
    let totp = Totp::parse(text).map_err(|error| Error::damaged("TOTP seed", error))?;
    let code = totp.code(cause.now);
    let left = next_step(cause.now, totp.period());
    let begun = cause.now.plus(left).minus(Duration::from_secs(totp.period().into()));
    if last_use(engine, login).await?.is_some_and(|used| used >= begun) {
        return Ok(Given::Wait(left));
    }
    engine.commit(changes, only_moved).await?;
    Ok(Given::Code(OneTimeCode { code: code.code, valid_for: left }))
}

/// How long it is until the next code takes the place of the present one.
fn next_step(now: Timestamp, period: u32) -> Duration {
    let period = i64::from(period) * 1_000_000;
    let left = period - now.as_micros().rem_euclid(period);
    Duration::from_micros(u64::try_from(left).unwrap_or_default())
}

/// When a code of this account was last used by a rotation, or given to a person.
async fn last_use(engine: &Engine, login: Login) -> Result<Option<Timestamp>, Error> {
    let mut last = None;
    for action in [CODE_USED, CODE_GIVEN] {
        let filter = AuditFilter {
            action: Some(action.to_owned()),
            target_id: Some(login.account.to_string()),
            limit: 1,
            ..AuditFilter::default()
        };
        let page = engine.store().audit_page(login.workspace, filter).await?;
        last = last.max(page.first().map(|record| record.at));
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_code_comes_at_the_end_of_its_period_to_the_microsecond() {
        let at = |text: &str| next_step(Timestamp::parse(text).unwrap(), 30);
        assert_eq!(at("2026-03-01T09:30:00Z"), Duration::from_secs(30));
        assert_eq!(at("2026-03-01T09:30:29.250Z"), Duration::from_millis(750));
        assert_eq!(at("2026-03-01T09:30:59.999999Z"), Duration::from_micros(1));
    }
}
