//! `latchkey backup`: all rows as they are at one instant, sealed, while others read and write on.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use latchkey_kernel::{Clock, Entropy, OsEntropy, SystemClock};
use latchkey_store::Options;
use serde_json::json;

use super::file::Head;
use super::keys::keys_in;
use crate::cli::Backup;
use crate::output::Output;
use crate::wire;

pub(crate) async fn run(options: Backup, output: Output) -> anyhow::Result<()> {
    let Backup { out, place } = options;
    let shown = out.display();
    if out.exists() {
        bail!("{shown} is there already; name another file, so that no backup is lost");
    }
    let opened = wire::open_keys(&place).await?;
    let store = wire::open_store(&place, Options::one_command()).await?;
    let entropy: &dyn Entropy = &OsEntropy;
    let id = uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid();
    let (key, wrapped) = opened.keys.new_backup_key(id.as_bytes(), entropy).await?;
    let recovery_file = std::fs::read_to_string(keys_in(&place.data).join("recovery.json")).ok();
    let taken_at = SystemClock.now().to_string();
    let head = Head::new(id, taken_at, &wrapped, opened.keys.recovery_id(), recovery_file);
    let head_bytes = head.to_bytes()?;

    let draft = Draft::create(&out).with_context(|| format!("cannot write {shown}"))?;
    let mut file = BufWriter::with_capacity(1 << 20, draft.file()?);
    file.write_all(&head_bytes).with_context(|| format!("cannot write {shown}"))?;
    let (manifest, sealed) = store.snapshot(key.seal(&head_bytes, file)).await?;
    let file = sealed.finish().with_context(|| format!("cannot write {shown}"))?;
    let file = file.into_inner().with_context(|| format!("cannot write {shown}"))?;
    file.sync_all().with_context(|| format!("cannot write {shown}"))?;
    let bytes = file.metadata().map(|found| found.len()).unwrap_or_default();
    draft.keep(&out).with_context(|| format!("cannot write {shown}"))?;
    store.close().await?;

    output.answer(
        &json!({
            "file": out,
            "bytes": bytes,
            "id": head.id,
            "taken_at": head.taken_at,
            "schema": manifest.schema,
            "rows": manifest.rows(),
            "tables": manifest.tables,
            "kek_id": head.kek_id,
            "recovery_id": head.recovery_id,
        }),
        || {
            format!(
                "{shown}: {} rows of {} tables, {bytes} bytes, as of {}\n\
                 It opens with the key {} or the recovery kit {}, and holds neither.",
                manifest.rows(),
                manifest.tables.len(),
                head.taken_at,
                head.kek_id,
                head.recovery_id
            )
        },
    );
    output.remark(
        "Keep the folder `keys` apart from the backups, and try them: latchkey restore FILE --verify-only",
    );
    Ok(())
}

/// A file that is written beside its place, and is gone if it was not finished.
struct Draft {
    path: PathBuf,
    kept: bool,
}

impl Draft {
    fn create(out: &Path) -> std::io::Result<Self> {
        let entropy: &dyn Entropy = &OsEntropy;
        let mut name = out.as_os_str().to_owned();
        name.push(format!(".{:08x}.partial", u32::from_le_bytes(entropy.bytes())));
        let path = PathBuf::from(name);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, kept: false })
    }

    fn file(&self) -> std::io::Result<File> {
        OpenOptions::new().write(true).open(&self.path)
    }

    /// Gives it its name, which nobody must have taken meanwhile.
    fn keep(mut self, out: &Path) -> std::io::Result<()> {
        std::fs::hard_link(&self.path, out)?;
        std::fs::remove_file(&self.path)?;
        self.kept = true;
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // What remains is an unfinished file that says so by its name.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
