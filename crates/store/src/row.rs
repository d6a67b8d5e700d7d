//! One row of an answer, from either database.

use latchkey_access::member::{Epoch, Version};
use latchkey_kernel::Timestamp;
use uuid::Uuid;

use crate::StoreError;

/// One row.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

/// What a column's value becomes.
pub(crate) trait Column: Sized {
    /// The value, `None` for null.
    fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError>;
}

/// Turns a row into what it holds.
pub(crate) type Load<T> = fn(&mut Columns<'_>) -> Result<T, StoreError>;

/// The columns of a row, taken from left to right, in the order in which the statement lists them.
pub(crate) struct Columns<'a> {
    row: Row<'a>,
    at: usize,
}

impl<'a> Columns<'a> {
    pub(crate) const fn of(row: Row<'a>) -> Self {
        Self { row, at: 0 }
    }

    /// The next column, which is never null.
    pub(crate) fn next<T: Column>(&mut self) -> Result<T, StoreError> {
        let at = self.at;
        self.maybe()?.ok_or_else(|| StoreError::Damaged { column: at, found: "nothing".to_owned() })
    }

    /// The next column, which may be null.
    pub(crate) fn maybe<T: Column>(&mut self) -> Result<Option<T>, StoreError> {
        let value = T::read(&self.row, self.at);
        self.at += 1;
        value
    }

    /// The next column, JSON as text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let at = self.at;
        let text: String = self.next()?;
        serde_json::from_str(&text)
            .map_err(|error| StoreError::Damaged { column: at, found: format!("no such JSON: {error}") })
    }

    /// The next column, bytes of this number.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let at = self.at;
        let bytes: Vec<u8> = self.next()?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| damaged(at, format!("{length} bytes instead of {N}")))
    }

    /// The next column, a count.
    pub(crate) fn count(&mut self) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.next::<i64>()?).unwrap_or(0))
    }
}

/// Loads a row of one column.
pub(crate) fn first<T: Column>(row: &mut Columns<'_>) -> Result<T, StoreError> {
    row.next()
}

/// Loads a row that is a count.
pub(crate) fn count(row: &mut Columns<'_>) -> Result<u64, StoreError> {
    row.count()
}

fn damaged(at: usize, found: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { column: at, found: found.to_string() }
}

impl Row<'_> {
    /// A word out of a closed set.
    pub(crate) fn word<T>(&self, at: usize, from: fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        let text = match self {
            Self::Sqlite(row) => row.get_ref(at).map_err(|error| damaged(at, error))?.as_str_or_null(),
            Self::Postgres(row) => {
                return match row.try_get::<_, Option<&str>>(at) {
                    Ok(text) => known(at, text, from),
                    Err(error) => Err(damaged(at, error)),
                };
            }
        };
        known(at, text.map_err(|error| damaged(at, error))?, from)
    }
}

fn known<T>(at: usize, text: Option<&str>, from: fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
    text.map(|text| from(text).ok_or_else(|| damaged(at, format!("the unknown word `{text}`")))).transpose()
}

macro_rules! columns {
    ($($ty:ty),*) => {$(
        impl Column for $ty {
            fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
                match row {
                    Row::Sqlite(row) => row.get(at).map_err(|error| damaged(at, error)),
                    Row::Postgres(row) => row.try_get(at).map_err(|error| damaged(at, error)),
                }
            }
        }
    )*};
}

columns!(i64, String, Vec<u8>, bool);

impl Column for Uuid {
    fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
        match row {
            Row::Sqlite(row) => {
                let bytes: Option<[u8; 16]> = row.get(at).map_err(|error| damaged(at, error))?;
                Ok(bytes.map(Self::from_bytes))
            }
            Row::Postgres(row) => row.try_get(at).map_err(|error| damaged(at, error)),
        }
    }
}

impl Column for [u8; 32] {
    fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
        let bytes = Vec::<u8>::read(row, at)?;
        bytes.map(|bytes| Self::try_from(bytes).map_err(|_| damaged(at, "no 32 bytes"))).transpose()
    }
}

impl Column for Timestamp {
    fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(i64::read(row, at)?.map(Self::from_micros))
    }
}

impl Column for Epoch {
    fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(i64::read(row, at)?.map(Self))
    }
}

impl Column for Version {
    fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(i64::read(row, at)?.map(Self))
    }
}
