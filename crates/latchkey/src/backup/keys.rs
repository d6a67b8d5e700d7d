//! The keys that a backup is opened with: the installation's, or the recovery kit.

use std::path::Path;

use anyhow::{Context, bail};
use latchkey_kernel::OsEntropy;
use latchkey_vault::backup::BackupKey;
use latchkey_vault::{KeyFolder, Keys, Opened, RecoveryKit};
use zeroize::Zeroizing;

use super::file::Head;
use crate::cli::Place;
use crate::wire;

/// What opens a backup.
pub(super) enum Opener {
    Installation(Box<Opened>),
    Kit(RecoveryKit),
}

impl Opener {
    /// The kit if one is given, else the keys in the data folder; none are made here.
    pub(super) async fn find(place: &Place, kit: Option<&Path>, head: &Head) -> anyhow::Result<Self> {
        if let Some(path) = kit {
            let text = std::fs::read_to_string(path)
                .map(Zeroizing::new)
                .with_context(|| format!("cannot read the recovery kit in {}", path.display()))?;
            return Ok(Self::Kit(RecoveryKit::parse(text.trim())?));
        }
        let keys = keys_in(&place.data);
        if !["root.key", "root.sealed"].iter().any(|name| keys.join(name).exists()) {
            bail!(
                "there are no keys in {}: a backup holds none. Copy the folder `keys` of the installation that \
                 the backup is of there (its key is {}), or give --recovery-kit FILE (the kit of number {})",
                keys.display(),
                head.kek_id,
                head.recovery_id
            );
        }
        Ok(Self::Installation(Box::new(wire::open_keys(place).await?)))
    }

    pub(super) async fn backup_key(&self, head: &Head) -> anyhow::Result<BackupKey> {
        let (id, wrapped) = (head.id.as_bytes(), head.wrapped()?);
        let opened = match self {
            Self::Installation(opened) => opened.keys.open_backup_key(id, &wrapped).await,
            Self::Kit(kit) => Keys::recover_backup_key(kit, id, &wrapped),
        };
        opened.context("the key of this backup does not open; nothing was restored")
    }

    /// The keys of the installation that is restored. With the kit they are made from it, and from
    /// what the backup says of the recovery key.
    pub(super) async fn installation(
        self,
        place: &Place,
        head: &Head,
    ) -> anyhow::Result<(Opened, Option<RecoveryKit>)> {
        let kit = match self {
            Self::Installation(opened) => return Ok((*opened, None)),
            Self::Kit(kit) => kit,
        };
        let keys = keys_in(&place.data);
        let path = keys.join("recovery.json");
        if !path.exists() {
            let text = head.recovery_file.as_ref().context("this backup does not have the recovery file")?;
            wire::make_folder(&keys)?;
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let folder = KeyFolder::new(&place.data);
        let opened = folder.recover(&kit, &place.key_source, &wire::given, &OsEntropy).await?;
        Ok((opened, Some(kit)))
    }
}

/// The folder of the keys.
pub(super) fn keys_in(data: &Path) -> std::path::PathBuf {
    data.join("keys")
}
