//! The accounts that a member owns leave, with their secrets: each value is on record as exported
//! before a byte of the file exists (V5).

use latchkey_access::disclosure::Act;
use latchkey_access::exposure::Client;
use latchkey_access::refusal::Refusal;
use latchkey_access::secret::SecretKind;
use latchkey_interchange::{Extra, Item, Place, to_csv, to_json};
use latchkey_kernel::id::MemberId;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::imports::NOTES;
use crate::secrets::{Disclosed, disclose_to};
use crate::{Caller, Engine, Error, collections};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A table, as other password managers read it.
    Csv,
    /// All of it, as Latchkey reads it again.
    Json,
}

impl ExportFormat {
    /// The format of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A file with secrets in it. Wiped from memory when dropped.
pub struct Exported {
    /// The file.
    pub content: Zeroizing<Vec<u8>>,
    /// How many accounts are in it.
    pub accounts: usize,
    /// How many secrets.
    pub secrets: usize,
    /// Attached files, which no such file can hold, as `account: label`.
    pub left_out: Vec<String>,
}

/// Exports the accounts that `owner` owns, if the workspace lets owners do so. Somebody with a
/// shell on the host does it as that member.
///
/// # Errors
/// When the policy does not allow it, a member asks for another's, the owner is out, or a record
/// could not be made durable: then nothing leaves.
pub async fn export(
    engine: &Engine,
    by: &Caller,
    owner: MemberId,
    format: ExportFormat,
    client: Client,
) -> Result<Exported, Error> {
    let workspace = by.workspace_id();
    if by.member_id().is_some_and(|id| id != owner) {
        return Err(Error::NotFound { what: "member" });
    }
    if !engine.workspace(workspace).await?.policy.owners_export {
        return Err(Refusal::ExportNotAllowed.into());
    }
    let folders = collections::paths(engine, by).await?;
    let mut exported =
        Exported { content: Zeroizing::default(), accounts: 0, secrets: 0, left_out: Vec::new() };
    let mut items = Vec::new();
    for (account, number) in engine.store().accounts_owned(workspace, owner).await?.into_iter().zip(1..) {
        let mut item = Item::new(Place::item(number));
        item.urls.extend(account.url);
        item.username = account.username;
        item.folder = account.collection_id.and_then(|id| folders.get(&id).cloned()).unwrap_or_default();
        let mut secrets = engine.store().secrets_of_account(workspace, account.id).await?;
        secrets.sort_by(|a, b| (a.kind, &a.label, a.id).cmp(&(b.kind, &b.label, b.id)));
        for secret in secrets {
            if secret.kind == SecretKind::Attachment {
                exported.left_out.push(format!("{}: {}", account.name, secret.label));
                continue;
            }
            let ids = (account.id, secret.id);
            match disclose_to(engine, by, Some(owner), ids, Act::Export, None, client).await {
                Ok(value) => {
                    put(&mut item, &value);
                    exported.secrets += 1;
                }
                // One that has no value yet.
                Err(Error::Refused(Refusal::NoValue)) => {}
                Err(error) => return Err(error),
            }
        }
        item.name = account.name;
        items.push(item);
        exported.accounts += 1;
    }
    items.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
    exported.content = match format {
        ExportFormat::Csv => to_csv(&items),
        ExportFormat::Json => to_json(&items),
    };
    Ok(exported)
}

fn put(item: &mut Item, value: &Disclosed) {
    // Attached files apart, every kind is text.
    let text = SecretString::from(value.value.expose_text().unwrap_or_default());
    let slot = match value.kind {
        SecretKind::Password => Some(&mut item.password),
        SecretKind::Totp => Some(&mut item.totp),
        SecretKind::SshKey => Some(&mut item.ssh_key),
        SecretKind::Note if value.label == NOTES => Some(&mut item.notes),
        SecretKind::Note | SecretKind::ApiKey | SecretKind::RecoveryCodes | SecretKind::Attachment => None,
    };
    match slot {
        Some(slot) if slot.is_none() => *slot = Some(text),
        _ => item.extra.push(Extra { name: value.label.clone(), value: text }),
    }
}
