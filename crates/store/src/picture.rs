//! Pictures of the steps at which rotations failed, sealed.

use latchkey_access::rotation::RotationPicture;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{RotationId, WorkspaceId};

use crate::change::Op;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "p.rotation_id, p.number, p.at, p.media_type, p.key_number, p.sealed"
    };
}

statements! {
    PICTURE_GET = concat!("select ", columns!(), " from rotation_picture p where p.workspace_id = $1 \
        and p.rotation_id = $2 and p.number = $3");
    PICTURES = "select p.number, p.at, p.media_type from rotation_picture p where p.workspace_id = $1 \
        and p.rotation_id = $2 order by p.number";
    PICTURES_UNDER_KEY = concat!("select ", columns!(), " from rotation_picture p where p.workspace_id = $1 \
        and p.key_number = $2 and (p.rotation_id, p.number) > ($3, $4) \
        order by p.rotation_id, p.number limit $5");
    PICTURE_INSERT = "insert into rotation_picture (workspace_id, rotation_id, number, at, media_type, key_number, \
        sealed) values ($1, $2, $3, $4, $5, $6, $7)";
    PICTURES_TRIM = "delete from rotation_picture where workspace_id = $1 and rotation_id = $2 and number not in \
        (select k.number from rotation_picture k where k.workspace_id = $1 and k.rotation_id = $2 \
        order by k.number desc limit $3)";
    PICTURE_RESEAL = "update rotation_picture set key_number = $5, sealed = $6 where workspace_id = $1 \
        and rotation_id = $2 and number = $3 and key_number = $4";
    PICTURES_DELETE = "delete from rotation_picture where workspace_id = $1 and rotation_id = $2";
}

fn load(row: &mut Columns<'_>) -> Result<RotationPicture, StoreError> {
    Ok(RotationPicture {
        rotation_id: row.next()?,
        number: row.next()?,
        at: row.next()?,
        media_type: row.next()?,
        key_number: row.next()?,
        sealed: row.next()?,
    })
}

impl Store {
    /// The picture of one step.
    pub async fn rotation_picture(
        &self,
        ws: WorkspaceId,
        rotation: RotationId,
        number: i64,
    ) -> Result<Option<RotationPicture>, StoreError> {
        self.look_up_one(&PICTURE_GET, params![ws, rotation, number], load).await
    }

    /// The steps of a rotation that have a picture, with its time and media type, oldest first; a few
    /// at most.
    pub async fn rotation_pictures(
        &self,
        ws: WorkspaceId,
        rotation: RotationId,
    ) -> Result<Vec<(i64, Timestamp, String)>, StoreError> {
        let load = |row: &mut Columns<'_>| Ok((row.next()?, row.next()?, row.next()?));
        self.scan(&PICTURES, params![ws, rotation], load).await
    }

    /// Pictures that are sealed under a workspace key, after one of them.
    pub async fn pictures_under_key(
        &self,
        ws: WorkspaceId,
        number: i64,
        after: Option<(RotationId, i64)>,
        limit: usize,
    ) -> Result<Vec<RotationPicture>, StoreError> {
        let (rotation, step) = after.unwrap_or((RotationId::from_uuid(uuid::Uuid::nil()), 0));
        let asked = params![ws, number, rotation, step, limit_of(limit)];
        self.scan(&PICTURES_UNDER_KEY, asked, load).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, p: &RotationPicture) -> Op {
    let params = params![ws, p.rotation_id, p.number, p.at, &p.media_type, p.key_number, &p.sealed[..]];
    Op::new(&PICTURE_INSERT, params, "rotation")
}

pub(crate) fn trim(ws: WorkspaceId, rotation: RotationId, keep: i64) -> Op {
    Op::new(&PICTURES_TRIM, params![ws, rotation, keep], "rotation")
}

pub(crate) fn reseal(
    ws: WorkspaceId,
    (rotation, number): (RotationId, i64),
    (from, to): (i64, i64),
    sealed: &[u8],
) -> Op {
    let params = params![ws, rotation, number, from, to, sealed];
    Op::new(&PICTURE_RESEAL, params, "rotation picture").or_moved("rotation picture")
}

pub(crate) fn delete(ws: WorkspaceId, rotation: RotationId) -> Op {
    Op::new(&PICTURES_DELETE, params![ws, rotation], "rotation")
}
