//! What the page looked like at which a rotation failed: sealed, few, and gone when the rotation is over.

use latchkey_access::authority::Action;
use latchkey_access::rotation::RotationPicture;
use latchkey_access::rotations as rules;
use latchkey_access::{ChangeSet, RotationChange};
use latchkey_kernel::id::{AccountId, RotationId, SecretId, WorkspaceId};
use latchkey_rotation::{Evidence, Job};
use latchkey_vault::Place;
use zeroize::Zeroizing;

use crate::engine::only_moved;
use crate::error::Attempt;
use crate::{Caller, Engine, Error};

/// How large a picture may be, in bytes.
const LARGEST: usize = 1024 * 1024;
/// Pictures that are sealed anew at once.
const BATCH: usize = 50;

/// A picture, opened.
pub struct Picture {
    /// As `image/png`.
    pub media_type: String,
    /// The file's content.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.media_type, self.bytes.len())
    }
}

/// What keeps the picture of a step that failed; `None` for one that is too large to keep.
pub(crate) async fn kept(
    engine: &Engine,
    job: &Job,
    number: i64,
    taken: &Evidence,
) -> Result<Option<ChangeSet>, Error> {
    if taken.bytes.len() > LARGEST {
        return Ok(None);
    }
    let key = engine.vault(job.workspace_id).await?;
    let place = place(job.workspace_id, job.account_id, job.id, number);
    let picture = RotationPicture {
        rotation_id: job.id,
        number,
        at: engine.now(),
        media_type: taken.media_type.to_owned(),
        key_number: key.number(),
        sealed: key.seal(&place, &taken.bytes, engine.entropy()),
    };
    Ok(Some(rules::keep_picture(job.workspace_id, picture)))
}

/// What the page looked like when this step of a rotation failed; that somebody saw it is on record
/// before it leaves.
///
/// # Errors
/// When there is no such rotation or picture, it does not open where it stands, or the caller may not.
pub async fn picture(engine: &Engine, by: &Caller, id: RotationId, number: i64) -> Result<Picture, Error> {
    engine
        .settle(|| async {
            let cause = by.cause(engine, Action::SeePictures)?;
            let workspace = by.workspace_id();
            let row = engine.store().rotation_get(workspace, id).await?;
            let row = row.ok_or(Error::NotFound { what: "rotation" })?;
            let kept = engine.store().rotation_picture(workspace, id, number).await?;
            let kept = kept.ok_or(Error::NotFound { what: "picture" })?;
            let key = engine.key(workspace, kept.key_number).await?;
            let key = key.ok_or(Error::NotFound { what: "workspace key" })?;
            let place = place(workspace, row.account_id, id, number);
            let bytes = key.open(&place, &kept.sealed).map_err(|source| Error::Tampered { source })?;
            engine.commit(rules::show_picture(&row, number, &cause, engine.ids(&cause)), only_moved).await?;
            Ok(Picture { media_type: kept.media_type, bytes })
        })
        .await
}

/// Seals anew the pictures that are sealed under a key which has been replaced. One that does not open
/// where it stands keeps the key from being retired, and is told of.
pub(crate) async fn reseal(engine: &Engine, workspace: WorkspaceId, from: i64, to: i64) -> Result<(), Error> {
    let mut after = None;
    loop {
        let batch = engine.store().pictures_under_key(workspace, from, after, BATCH).await?;
        let Some(last) = batch.last() else { return Ok(()) };
        after = Some((last.rotation_id, last.number));
        let old = engine.key(workspace, from).await?.ok_or(Error::NotFound { what: "workspace key" })?;
        let new = engine.key(workspace, to).await?.ok_or(Error::NotFound { what: "workspace key" })?;
        for picture in batch {
            let (id, number) = (picture.rotation_id, picture.number);
            let Some(row) = engine.store().rotation_get(workspace, id).await? else { continue };
            let place = place(workspace, row.account_id, id, number);
            let sealed = match new.rewrap(&old, &place, &picture.sealed, engine.entropy()) {
                Ok(sealed) => sealed,
                Err(error) => {
                    tracing::error!(%workspace, rotation = %id, %error, "a rotation's picture does not open where it stands");
                    continue;
                }
            };
            let mut changes = ChangeSet::new(workspace);
            changes.push(RotationChange::PictureReseal { rotation_id: id, number, from, to, sealed }.into());
            match engine.commit(changes, only_moved).await {
                Err(Attempt::Failed(error)) => return Err(error),
                // The rotation is over, or another node was first.
                Ok(()) | Err(Attempt::Again) => {}
            }
        }
    }
}

/// A picture stands where no secret of an account can: the id of the secret is the rotation's.
fn place(workspace: WorkspaceId, account: AccountId, rotation: RotationId, number: i64) -> Place {
    Place {
        workspace,
        account,
        secret: SecretId::from_uuid(rotation.as_uuid()),
        version: number,
        kind: latchkey_vault::SecretKind::Attachment,
    }
}
