//! Pages: some rows in id order, from an id or from a number.

/// Which rows of a list; ids grow with time, so the order is that of making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<I> {
    pub(crate) from: From<I>,
    pub(crate) limit: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From<I> {
    /// After this id; costs the same anywhere.
    Id(Option<I>),
    /// After so many rows.
    Rows { skip: i64, total: Option<i64> },
}

impl<I> Page<I> {
    /// The first `limit` rows.
    pub fn first(limit: usize) -> Self {
        Self { from: From::Id(None), limit: count(limit as u64) }
    }

    /// At most `limit` rows after the one with this id, which need not be there.
    pub fn after(id: I, limit: usize) -> Self {
        Self { from: From::Id(Some(id)), limit: count(limit as u64) }
    }

    /// At most `limit` rows after the first `skip`. With the `total` of the list, rows are counted
    /// from the nearer end.
    pub fn at(skip: u64, limit: usize, total: Option<u64>) -> Self {
        if skip == 0 {
            return Self::first(limit);
        }
        Self { from: From::Rows { skip: count(skip), total: total.map(count) }, limit: count(limit as u64) }
    }
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
