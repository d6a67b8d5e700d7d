//! Values leave, after the record that they do (V5).

use std::time::Duration;

use latchkey_access::authority::Action;
use latchkey_access::disclosure::{self as rules, Act};
use latchkey_access::exposure::Client;
use latchkey_access::refusal::Refusal;
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_kernel::id::{AccountId, MemberId, SecretId};
use latchkey_vault::totp::Totp;
use secrecy::SecretString;

use super::Value;
use super::load::{Asking, Loaded};
use super::value::open;
use crate::engine::only_moved;
use crate::{Caller, Engine, Error};

/// A value that has left, with what it is.
#[derive(Debug)]
pub struct Disclosed {
    /// What it is.
    pub kind: SecretKind,
    /// What people call it.
    pub label: String,
    /// Which version.
    pub version: i64,
    /// The value.
    pub value: Value,
}

/// A one-time code.
#[derive(Debug)]
pub struct CodeView {
    /// The digits.
    pub code: SecretString,
    /// For how many seconds it still holds.
    pub seconds_left: u32,
}

/// A recovery code that was given out and is used with it.
#[derive(Debug)]
pub struct BurnedView {
    /// Which one, from 0.
    pub number: usize,
    /// The code.
    pub code: SecretString,
    /// How many are left.
    pub left: usize,
}

/// Gives out a value: the current one, or an earlier one by its number for who may edit.
///
/// # Errors
/// When the caller may not, there is no such value, what is stored does not open where it stands,
/// or the record of it could not be made durable: then no value leaves.
pub async fn disclose(
    engine: &Engine,
    by: &Caller,
    (account, secret): (AccountId, SecretId),
    act: Act,
    version: Option<i64>,
    client: Client,
) -> Result<Disclosed, Error> {
    disclose_to(engine, by, by.member_id(), (account, secret), act, version, client).await
}

/// Gives out a value as that member may have it, who then knows it.
pub(crate) async fn disclose_to(
    engine: &Engine,
    by: &Caller,
    member: Option<MemberId>,
    (account, secret): (AccountId, SecretId),
    act: Act,
    version: Option<i64>,
    client: Client,
) -> Result<Disclosed, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::UseSecrets)?;
            let asking = Asking::load_as(engine, by, member, account, client).await?;
            let loaded = Loaded::of(engine, &asking.account, secret).await?;
            let vaulted = loaded.with(&asking.account);
            let ids = engine.ids(&cause);
            let (version, changes) = rules::disclose(vaulted, act, version, &asking.asked(), &cause, ids)?;
            let value = open(engine, &loaded.secret, version).await?;
            engine.commit(changes, only_moved).await?;
            let (kind, label) = (loaded.secret.kind, loaded.secret.label);
            Ok(Disclosed { kind, label, version, value })
        })
        .await
}

/// Gives out the present one-time code; the seed stays.
///
/// # Errors
/// As [`disclose`], and when the caller was given too many within a minute.
pub async fn totp_code(
    engine: &Engine,
    by: &Caller,
    (account, secret): (AccountId, SecretId),
    client: Client,
) -> Result<CodeView, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::UseSecrets)?;
            let asking = Asking::load(engine, by, account, client).await?;
            let loaded = Loaded::of(engine, &asking.account, secret).await?;
            let recent = match by.member_id() {
                None => 0,
                Some(member) => {
                    let since = cause.now.minus(Duration::from_secs(60));
                    let at_most = usize::try_from(rules::CODES_A_MINUTE).unwrap_or(usize::MAX);
                    engine.store().codes_since(by.workspace_id(), (member, account), since, at_most).await?
                }
            };
            let (vaulted, asked) = (loaded.with(&asking.account), asking.asked());
            let (version, changes) = rules::totp_code(vaulted, recent, &asked, &cause, engine.ids(&cause))?;
            let seed = open(engine, &loaded.secret, version).await?;
            let text = seed.expose_text().unwrap_or_default();
            let totp = Totp::parse(text).map_err(|error| Error::damaged("TOTP seed", error))?;
            engine.commit(changes, only_moved).await?;
            let code = totp.code(engine.now());
            Ok(CodeView { code: code.code, seconds_left: code.seconds_left })
        })
        .await
}

/// Gives out a recovery code, the wished one or the first that is left, and marks it as used.
///
/// # Errors
/// As [`disclose`], and when the code was used already or none is left.
pub async fn burn(
    engine: &Engine,
    by: &Caller,
    (account, secret): (AccountId, SecretId),
    wished: Option<usize>,
    client: Client,
) -> Result<BurnedView, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::UseSecrets)?;
            let asking = Asking::load(engine, by, account, client).await?;
            let loaded = Loaded::of(engine, &asking.account, secret).await?;
            let vaulted = loaded.with(&asking.account);
            if loaded.secret.kind != SecretKind::RecoveryCodes {
                return Err(Refusal::WrongKind { needs: SecretKind::RecoveryCodes }.into());
            }
            let current = vaulted.in_state(VersionState::Current).ok_or(Refusal::NoValue)?.version;
            let burned = engine.store().burned_codes(by.workspace_id(), secret).await?;
            let value = open(engine, &loaded.secret, current).await?;
            let codes = value.codes();
            let known = (codes.len(), burned.as_slice());
            let asked = asking.asked();
            let ((_, number), changes) =
                rules::burn(vaulted, known, wished, &asked, &cause, engine.ids(&cause))?;
            engine.commit(changes, only_moved).await?;
            let used = burned.iter().filter(|code| code.version == current).count() + 1;
            Ok(BurnedView {
                number,
                code: SecretString::from(codes[number]),
                left: codes.len().saturating_sub(used),
            })
        })
        .await
}
