//! Secrets, their versions, and the marks on recovery codes.

use latchkey_access::secret::{BurnedCode, Secret, SecretVersion};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, SecretId, WorkspaceId};

use crate::change::Op;
use crate::member::limit_of;
use crate::row::Columns;
use crate::statement::statements;
use crate::value::params;
use crate::{Store, StoreError};

macro_rules! columns {
    () => {
        "s.workspace_id, s.id, s.account_id, s.kind, s.label, s.created_at, s.created_by"
    };
}

macro_rules! version_columns {
    () => {
        "v.secret_id, v.version, v.state, v.key_number, v.digest, v.created_at, v.created_by, v.verified_at, \
         v.retired_at"
    };
}

statements! {
    SECRET_GET = concat!("select ", columns!(), " from secret s where s.workspace_id = $1 and s.id = $2");
    SECRETS_OF_ACCOUNT = concat!("select ", columns!(), " from secret s where s.workspace_id = $1 \
        and s.account_id = $2 order by s.id");
    SECRET_VERSIONS = concat!("select ", version_columns!(), " from secret_version v where v.workspace_id = $1 \
        and v.secret_id = $2 order by v.version");
    SECRET_VERSIONS_OF_ACCOUNT = concat!("select ", version_columns!(), " from secret s cross join secret_version v \
        where s.workspace_id = $1 and s.account_id = $2 and v.workspace_id = $1 and v.secret_id = s.id \
        order by v.secret_id, v.version");
    SECRET_SEALED = "select v.sealed from secret_version v where v.workspace_id = $1 and v.secret_id = $2 \
        and v.version = $3";
    VERSIONS_UNDER_KEY = concat!("select ", version_columns!(), ", v.sealed, s.account_id, s.kind \
        from secret_version v cross join secret s where v.workspace_id = $1 and v.key_number = $2 \
        and s.workspace_id = $1 and s.id = v.secret_id and (v.secret_id, v.version) > ($3, $4) \
        order by v.secret_id, v.version limit $5");
    SECRET_INSERT = "insert into secret (workspace_id, id, account_id, kind, label, created_at, created_by) \
        values ($1, $2, $3, $4, $5, $6, $7)";
    SECRET_DELETE = "delete from secret where workspace_id = $1 and id = $2";
    VERSION_INSERT = "insert into secret_version (workspace_id, secret_id, version, state, key_number, digest, \
        sealed, created_at, created_by, verified_at, retired_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    VERSION_EXPECT = "select 1 from secret_version where workspace_id = $1 and secret_id = $2 and version = $3 \
        and state = 'current' for share";
    PROMOTE_PREVIOUS = "update secret_version set state = 'retired' where workspace_id = $1 and secret_id = $2 \
        and state = 'previous'";
    PROMOTE_CURRENT = "update secret_version set state = 'previous', retired_at = $3 where workspace_id = $1 \
        and secret_id = $2 and state = 'current'";
    PROMOTE_PENDING = "update secret_version set state = 'current', verified_at = $4 where workspace_id = $1 \
        and secret_id = $2 and version = $3 and state = 'pending'";
    PROMOTE_ACCOUNT = "update account set secret_generation = $3, version = version + 1, modified_at = $4 \
        where workspace_id = $1 and id = $2 and exists (select 1 from secret s where s.workspace_id = $1 \
        and s.id = $5 and s.kind = 'password')";
    VERSION_ABANDON = "update secret_version set state = 'retired', retired_at = $4 where workspace_id = $1 \
        and secret_id = $2 and version = $3 and state = 'pending'";
    VERSION_RESEAL = "update secret_version set key_number = $5, sealed = $6 where workspace_id = $1 \
        and secret_id = $2 and version = $3 and key_number = $4";
    BURNED_CODES = "select b.secret_id, b.version, b.number, b.at, b.burned_by from burned_code b \
        where b.workspace_id = $1 and b.secret_id = $2 order by b.version, b.number";
    CODE_BURN = "insert into burned_code (workspace_id, secret_id, version, number, at, burned_by) \
        values ($1, $2, $3, $4, $5, $6)";
}

/// A version with its ciphertext and all that it is bound to, for sealing it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedVersion {
    /// The version.
    pub version: SecretVersion,
    /// Its ciphertext.
    pub sealed: Vec<u8>,
    /// The account of its secret.
    pub account_id: AccountId,
    /// The kind of its secret.
    pub kind: latchkey_access::SecretKind,
}

fn load(row: &mut Columns<'_>) -> Result<Secret, StoreError> {
    Ok(Secret {
        workspace_id: row.next()?,
        id: row.next()?,
        account_id: row.next()?,
        kind: row.next()?,
        label: row.next()?,
        created_at: row.next()?,
        created_by: row.next()?,
    })
}

fn load_version(row: &mut Columns<'_>) -> Result<SecretVersion, StoreError> {
    Ok(SecretVersion {
        secret_id: row.next()?,
        version: row.next()?,
        state: row.next()?,
        key_number: row.next()?,
        digest: row.bytes()?,
        created_at: row.next()?,
        created_by: row.next()?,
        verified_at: row.maybe()?,
        retired_at: row.maybe()?,
    })
}

fn load_sealed(row: &mut Columns<'_>) -> Result<SealedVersion, StoreError> {
    Ok(SealedVersion {
        version: load_version(row)?,
        sealed: row.next()?,
        account_id: row.next()?,
        kind: row.next()?,
    })
}

fn load_burned(row: &mut Columns<'_>) -> Result<BurnedCode, StoreError> {
    Ok(BurnedCode {
        secret_id: row.next()?,
        version: row.next()?,
        number: row.next()?,
        at: row.next()?,
        by: row.next()?,
    })
}

impl Store {
    /// The secret of this id.
    pub async fn secret_get(&self, ws: WorkspaceId, id: SecretId) -> Result<Option<Secret>, StoreError> {
        self.look_up_one(&SECRET_GET, params![ws, id], load).await
    }

    /// The secrets of an account, oldest first.
    pub async fn secrets_of_account(
        &self,
        ws: WorkspaceId,
        account: AccountId,
    ) -> Result<Vec<Secret>, StoreError> {
        self.look_up(&SECRETS_OF_ACCOUNT, params![ws, account], load).await
    }

    /// All versions of a secret without their values, oldest first.
    pub async fn secret_versions(
        &self,
        ws: WorkspaceId,
        secret: SecretId,
    ) -> Result<Vec<SecretVersion>, StoreError> {
        self.look_up(&SECRET_VERSIONS, params![ws, secret], load_version).await
    }

    /// All versions of all secrets of an account without their values, by secret, oldest first.
    pub async fn secret_versions_of_account(
        &self,
        ws: WorkspaceId,
        account: AccountId,
    ) -> Result<Vec<SecretVersion>, StoreError> {
        self.look_up(&SECRET_VERSIONS_OF_ACCOUNT, params![ws, account], load_version).await
    }

    /// The ciphertext of one version.
    pub async fn secret_sealed(
        &self,
        ws: WorkspaceId,
        secret: SecretId,
        version: i64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.look_up_one(&SECRET_SEALED, params![ws, secret, version], crate::row::first).await
    }

    /// Versions that are sealed under a workspace key, after one of them.
    pub async fn versions_under_key(
        &self,
        ws: WorkspaceId,
        number: i64,
        after: Option<(SecretId, i64)>,
        limit: usize,
    ) -> Result<Vec<SealedVersion>, StoreError> {
        let (secret, version) = after.unwrap_or((SecretId::from_uuid(uuid::Uuid::nil()), 0));
        let asked = params![ws, number, secret, version, limit_of(limit)];
        self.scan(&VERSIONS_UNDER_KEY, asked, load_sealed).await
    }

    /// The recovery codes of a secret that were used, of all its versions.
    pub async fn burned_codes(
        &self,
        ws: WorkspaceId,
        secret: SecretId,
    ) -> Result<Vec<BurnedCode>, StoreError> {
        self.look_up(&BURNED_CODES, params![ws, secret], load_burned).await
    }
}

pub(crate) fn insert(ws: WorkspaceId, row: &Secret) -> Op {
    let params = params![ws, row.id, row.account_id, row.kind, &row.label, row.created_at, &row.created_by];
    Op::new(&SECRET_INSERT, params, "secret")
}

pub(crate) fn delete(ws: WorkspaceId, id: SecretId) -> Op {
    Op::new(&SECRET_DELETE, params![ws, id], "secret").or_missing("secret")
}

pub(crate) fn version_insert(ws: WorkspaceId, row: &SecretVersion, sealed: &[u8]) -> [Op; 2] {
    let params = params![
        ws,
        row.secret_id,
        row.version,
        row.state,
        row.key_number,
        &row.digest[..],
        sealed,
        row.created_at,
        &row.created_by,
        row.verified_at,
        row.retired_at,
    ];
    [crate::key::seals(ws, row.key_number), Op::new(&VERSION_INSERT, params, "secret version")]
}

pub(crate) fn expect(ws: WorkspaceId, secret: SecretId, version: i64) -> Op {
    Op::new(&VERSION_EXPECT, params![ws, secret, version], "secret version").or_moved("secret version")
}

/// In this order, since at most one version is in each of the states.
pub(crate) fn promote(
    ws: WorkspaceId,
    (account, secret, version): (AccountId, SecretId, i64),
    verified_at: Option<Timestamp>,
    at: Timestamp,
) -> [Op; 4] {
    let what = "secret version";
    [
        Op::new(&PROMOTE_PREVIOUS, params![ws, secret], what),
        Op::new(&PROMOTE_CURRENT, params![ws, secret, at], what),
        Op::new(&PROMOTE_PENDING, params![ws, secret, version, verified_at], what).or_moved(what),
        Op::new(&PROMOTE_ACCOUNT, params![ws, account, version, at, secret], "account"),
    ]
}

pub(crate) fn abandon(ws: WorkspaceId, secret: SecretId, version: i64, at: Timestamp) -> Op {
    Op::new(&VERSION_ABANDON, params![ws, secret, version, at], "secret version").or_moved("secret version")
}

pub(crate) fn reseal(
    ws: WorkspaceId,
    (secret, version): (SecretId, i64),
    (from, to): (i64, i64),
    sealed: &[u8],
) -> [Op; 2] {
    let params = params![ws, secret, version, from, to, sealed];
    let op = Op::new(&VERSION_RESEAL, params, "secret version").or_moved("secret version");
    [crate::key::seals(ws, to), op]
}

pub(crate) fn burn(ws: WorkspaceId, row: &BurnedCode) -> Op {
    let params = params![ws, row.secret_id, row.version, row.number, row.at, &row.by];
    Op::new(&CODE_BURN, params, "secret version")
}
