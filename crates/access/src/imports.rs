//! Accounts are brought in together with their secrets, out of another password manager.

use latchkey_kernel::id::MemberId;
use serde_json::json;

use crate::account::Account;
use crate::accounts::{self, Named};
use crate::change::{Change, ChangeSet};
use crate::context::{Cause, Ids};
use crate::exposure::{Client, ExposureKind};
use crate::exposures::Seen;
use crate::member::Member;
use crate::refusal::Refusal;
use crate::secret::{SealedValue, Secret, VersionState};
use crate::secrets;

/// Who brings accounts in, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Importer<'a> {
    /// Who becomes the owner.
    pub owner: &'a Member,
    /// The member who imports; `None` is somebody with a shell on the host.
    pub author: Option<&'a Member>,
    /// By which client.
    pub client: Client,
}

/// Adds an account with its secrets, all or nothing. Whoever imports has had the file in hand, and
/// the owner is taken to know what was theirs: both know every value.
///
/// # Errors
/// When owner or author is out, a text is empty or too long, or there are two passwords.
pub fn bring_in(
    account: &Account,
    values: Vec<(Secret, SealedValue)>,
    importer: Importer<'_>,
    cause: &Cause,
    ids: Ids<'_>,
) -> Result<ChangeSet, Refusal> {
    let named = Named { owner: Some(importer.owner), ..Named::default() };
    let mut changes = accounts::create(account.clone(), named, cause, ids)?;
    let author = importer.author.map(|author| author.id);
    if let Some(author) = importer.author.filter(|author| author.id != importer.owner.id) {
        accounts::expect_active(&mut changes, author)?;
    }
    let mut knowing: Vec<Option<MemberId>> = vec![author, Some(importer.owner.id)];
    knowing.dedup();
    let mut others: Vec<Secret> = Vec::with_capacity(values.len());
    for (secret, value) in values {
        secrets::check_new(&others, &secret)?;
        let version = value.version;
        changes.push(Change::SecretInsert(secret.clone()));
        secrets::push_version(&mut changes, &secret, value, VersionState::Current, cause);
        let detail =
            json!({ "secret": secret.id, "kind": secret.kind, "label": secret.label, "version": version });
        changes.note((cause, ids), "secret.imported", ("account", &account.id), detail);
        for member_id in &knowing {
            let seen = Seen {
                account_id: account.id,
                secret: Some(&secret),
                version,
                member_id: *member_id,
                kind: ExposureKind::Import,
                client: importer.client,
            };
            seen.push(&mut changes, (cause, ids));
        }
        others.push(secret);
    }
    Ok(changes)
}
