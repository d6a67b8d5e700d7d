//! Who left a workspace's own directory since it was looked at, and has still access by a job.

use latchkey_cycles::{Embedded, Ledger, Reading as _, embedded_watermark};
use latchkey_provisioning::facts;
use latchkey_provisioning::feed::Change;
use latchkey_provisioning::jobfile::JobFile;
use latchkey_provisioning::ledger::ObjectKey;

use crate::perform::Trouble;

/// The leavers among what changed behind a number, and up to which number it was looked.
pub(crate) async fn leavers(
    source: &Embedded,
    file: &JobFile,
    ledger: &impl Ledger,
    since: i64,
) -> Result<(Vec<Change>, i64), Trouble> {
    let mut reading = source.read(Some(&embedded_watermark(since))).await?;
    let mut found = Vec::new();
    while let Some(page) = reading.next().await? {
        let out: Vec<Change> = page.into_iter().filter(|change| is_out(file, change)).collect();
        let keys: Vec<ObjectKey> = out.iter().map(|change| ObjectKey::of(change.id())).collect();
        let rows = ledger.objects(&keys).await?;
        for (change, key) in out.into_iter().zip(keys) {
            let row = rows.iter().find(|row| row.key == key);
            // Whom the job answers for and has not let go yet. Who is held waits for a person.
            if row.is_some_and(|row| row.managed().is_some() && !row.out && !row.held) {
                found.push(change);
            }
        }
    }
    let text = reading.watermark().0;
    let until = text.strip_prefix("embedded:").and_then(|number| number.parse().ok()).unwrap_or(since);
    Ok((found, until))
}

fn is_out(file: &JobFile, change: &Change) -> bool {
    match change {
        Change::Left { .. } => true,
        Change::Present { entry, .. } => file.mapping(entry.kind).is_some_and(|mapping| {
            !facts(entry, mapping, file.sync_all).is_effectively_entitled_for_provisioning
        }),
    }
}
