//! The seven kinds of values that statements take, the same on both databases.

use latchkey_access::exposure::{Client, ExposureKind};
use latchkey_access::member::{Epoch, MemberState, Version};
use latchkey_access::offboarding::{CaseState, ItemDecision, Trigger};
use latchkey_access::outbox::{EffectKind, EffectState};
use latchkey_access::rotation::{RotationMode, TaskState};
use latchkey_access::secret::{SecretKind, VersionState};
use latchkey_access::workspace::WorkspaceState;
use latchkey_access::{
    ObjectKind, ObjectPresence, OffboardingRotation, Origin, OwnerFlag, Permission, Role, Sensitivity,
    TokenKind,
};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{
    AccountId, AuditId, CaseId, CollectionId, ConnectorId, CycleId, DependentId, ExposureId, FlightId,
    GrantId, JobId, LogId, MemberId, ObjectId, OrderId, OutboxId, RequestId, RotationId, SecretId, TaskId,
    TeamId, TokenId, WorkspaceId,
};
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use uuid::Uuid;

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Val {
    Null,
    Int(i64),
    Text(String),
    Word(&'static str),
    Bytes(Vec<u8>),
    Bool(bool),
    Id(Uuid),
    /// For `= any($n)`.
    Ids(Vec<Uuid>),
}

impl Val {
    /// The type that PostgreSQL knows it under, for statements that are not prepared first.
    pub(crate) fn pg_type(&self) -> Type {
        match self {
            Self::Null | Self::Text(_) | Self::Word(_) => Type::TEXT,
            Self::Int(_) => Type::INT8,
            Self::Bytes(_) => Type::BYTEA,
            Self::Bool(_) => Type::BOOL,
            Self::Id(_) => Type::UUID,
            Self::Ids(_) => Type::UUID_ARRAY,
        }
    }
}

/// Encodes only into the column's own type: an integer written into a narrower column is a defect
/// in a statement, to be told and not to be sent as other bytes.
fn encode<T: ToSql>(value: &T, ty: &Type, out: &mut BytesMut) -> Result<IsNull, PgError> {
    if T::accepts(ty) { value.to_sql(ty, out) } else { Err(format!("a value does not fit type {ty}").into()) }
}

type PgError = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Val {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, PgError> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(v) => encode(v, ty, out),
            Self::Text(v) => encode(&v.as_str(), ty, out),
            Self::Word(v) => encode(v, ty, out),
            Self::Bytes(v) => encode(&v.as_slice(), ty, out),
            Self::Bool(v) => encode(v, ty, out),
            Self::Id(v) => encode(v, ty, out),
            Self::Ids(v) => encode(v, ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl rusqlite::ToSql for Val {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Int(v) => ToSqlOutput::Borrowed(ValueRef::Integer(*v)),
            Self::Text(v) => ToSqlOutput::Borrowed(ValueRef::Text(v.as_bytes())),
            Self::Word(v) => ToSqlOutput::Borrowed(ValueRef::Text(v.as_bytes())),
            Self::Bytes(v) => ToSqlOutput::Borrowed(ValueRef::Blob(v)),
            Self::Bool(v) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*v))),
            Self::Id(v) => ToSqlOutput::Borrowed(ValueRef::Blob(v.as_bytes())),
            Self::Ids(v) => ToSqlOutput::Owned(hex_list(v).into()),
        })
    }
}

/// A JSON list of the ids in hexadecimal, which `json_each` and `unhex` take apart again.
fn hex_list(ids: &[Uuid]) -> String {
    let mut list = String::with_capacity(ids.len() * 35 + 2);
    let mut buffer = Uuid::encode_buffer();
    list.push('[');
    for (at, id) in ids.iter().enumerate() {
        list.push_str(if at == 0 { "\"" } else { ",\"" });
        list.push_str(id.simple().encode_lower(&mut buffer));
        list.push('"');
    }
    list.push(']');
    list
}

impl From<&str> for Val {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Val {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<String> for Val {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Val {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&[u8]> for Val {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Timestamp> for Val {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_micros())
    }
}

impl From<Epoch> for Val {
    fn from(value: Epoch) -> Self {
        Self::Int(value.0)
    }
}

impl From<Version> for Val {
    fn from(value: Version) -> Self {
        Self::Int(value.0)
    }
}

/// JSON is kept as text.
impl From<&serde_json::Value> for Val {
    fn from(value: &serde_json::Value) -> Self {
        Self::Text(json_text(value))
    }
}

/// The text of a JSON value; a fraction of the work of its `Display`.
pub(crate) fn json_text(value: &serde_json::Value) -> String {
    serde_json::to_string(value).expect("a value's names are text, and writing to memory does not fail")
}

impl<T: Into<Self>> From<Option<T>> for Val {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! ids {
    ($($id:ident),*) => {$(
        impl From<$id> for Val {
            fn from(value: $id) -> Self {
                Self::Id(value.as_uuid())
            }
        }

        impl From<&[$id]> for Val {
            fn from(value: &[$id]) -> Self {
                Self::Ids(value.iter().map(|id| id.as_uuid()).collect())
            }
        }

        impl crate::row::Column for $id {
            fn read(row: &crate::row::Row<'_>, at: usize) -> Result<Option<Self>, crate::StoreError> {
                Ok(Uuid::read(row, at)?.map(Self::from_uuid))
            }
        }
    )*};
}

ids!(
    AccountId,
    AuditId,
    CaseId,
    CollectionId,
    ConnectorId,
    CycleId,
    DependentId,
    ExposureId,
    FlightId,
    GrantId,
    JobId,
    LogId,
    MemberId,
    ObjectId,
    OrderId,
    OutboxId,
    RequestId,
    RotationId,
    TaskId,
    SecretId,
    TeamId,
    TokenId,
    WorkspaceId
);

macro_rules! words {
    ($($word:ty),*) => {$(
        impl From<$word> for Val {
            fn from(value: $word) -> Self {
                Self::Word(value.as_str())
            }
        }

        impl crate::row::Column for $word {
            fn read(row: &crate::row::Row<'_>, at: usize) -> Result<Option<Self>, crate::StoreError> {
                row.word(at, Self::from_word)
            }
        }
    )*};
}

words!(
    CaseState,
    Client,
    EffectKind,
    EffectState,
    ExposureKind,
    ItemDecision,
    MemberState,
    ObjectKind,
    ObjectPresence,
    OffboardingRotation,
    Origin,
    OwnerFlag,
    Permission,
    Role,
    RotationMode,
    SecretKind,
    Sensitivity,
    TaskState,
    TokenKind,
    Trigger,
    VersionState,
    WorkspaceState,
    crate::flight::Verdict
);

/// The parameters of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Val::from($value)),*] };
}
pub(crate) use params;
