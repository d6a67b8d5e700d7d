//! A backup's file: a head in the clear that names the keys, then the sealed rows.
//!
//! ```text
//! file = "LATCHKEY BACKUP\n" length:u32 head(JSON) sealed chunks (vault::backup)
//! ```
//! The head is bound to every chunk, so that a changed head opens nothing.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_vault::WrappedKey;
use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 16] = b"LATCHKEY BACKUP\n";
const FORMAT: u32 = 1;
/// Heads are short; a file that is none must not take memory.
const HEAD_MAX: u32 = 64 << 10;

/// What is known of a backup without its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head {
    format: u32,
    pub(super) id: uuid::Uuid,
    pub(super) taken_at: String,
    /// The version that took it.
    pub(super) program: String,
    /// The key that wraps the backup's: it is not in the file.
    pub(super) kek_id: String,
    /// The recovery key that it is sealed for, too.
    pub(super) recovery_id: String,
    primary: String,
    recovery: String,
    /// The installation's `keys/recovery.json`, which opens with the recovery kit alone.
    pub(super) recovery_file: Option<String>,
}

impl Head {
    pub(super) fn new(
        id: uuid::Uuid,
        taken_at: String,
        wrapped: &WrappedKey,
        recovery_id: String,
        recovery_file: Option<String>,
    ) -> Self {
        Self {
            format: FORMAT,
            id,
            taken_at,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            kek_id: wrapped.kek_id.clone(),
            recovery_id,
            primary: STANDARD.encode(&wrapped.primary),
            recovery: STANDARD.encode(&wrapped.recovery),
            recovery_file,
        }
    }

    /// The wrapped key of the backup.
    pub(super) fn wrapped(&self) -> anyhow::Result<WrappedKey> {
        let decode = |text: &str| STANDARD.decode(text).context("the head of the backup file is damaged");
        let (primary, recovery) = (decode(&self.primary)?, decode(&self.recovery)?);
        Ok(WrappedKey { number: 1, kek_id: self.kek_id.clone(), primary, recovery })
    }

    /// All that stands before the chunks.
    pub(super) fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let json = serde_json::to_vec(self)?;
        let length = u32::try_from(json.len()).ok().filter(|length| *length <= HEAD_MAX);
        let length = length.context("the head of the backup would be too long")?;
        Ok([&MAGIC[..], &length.to_be_bytes(), &json].concat())
    }
}

/// A backup that was opened, with its head read.
pub(super) struct Backup {
    pub(super) head: Head,
    pub(super) head_bytes: Vec<u8>,
    pub(super) rest: BufReader<File>,
}

impl Backup {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
        let mut rest = BufReader::with_capacity(1 << 20, file);
        let mut head_bytes = vec![0; MAGIC.len() + 4];
        let is_ours = rest.read_exact(&mut head_bytes).is_ok() && head_bytes.starts_with(MAGIC);
        if !is_ours {
            bail!("{shown} is no backup of Latchkey");
        }
        let length = u32::from_be_bytes(*head_bytes.last_chunk().context("the head has a length")?);
        if length > HEAD_MAX {
            bail!("{shown} is damaged: its head has no sensible length");
        }
        let read = Read::take(&mut rest, u64::from(length)).read_to_end(&mut head_bytes);
        if read.with_context(|| format!("cannot read {shown}"))? < length as usize {
            bail!("{shown} ends in the middle: it was not copied whole");
        }
        let head: Head = serde_json::from_slice(&head_bytes[MAGIC.len() + 4..])
            .with_context(|| format!("{shown} is damaged: its head does not read"))?;
        if head.format != FORMAT {
            bail!(
                "{shown} has format {}, and this program reads format {FORMAT}; restore it with Latchkey {}",
                head.format,
                head.program
            );
        }
        Ok(Self { head, head_bytes, rest })
    }
}
