//! Pages: some rows in id order, from an id or from a number; and walks through all of them.

use crate::row::Columns;
use crate::store::{Asked, Driver};
use crate::{Store, StoreError};

/// Rows read at once on a walk, where each read is a short one.
const STRIDE: usize = 1_000;

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

/// A row of a page, or how many there are on all pages.
pub(crate) enum Counted<T> {
    Row(T),
    Total(u64),
}

impl<T> Counted<T> {
    pub(crate) fn load_total(row: &mut Columns<'_>) -> Result<Self, StoreError> {
        row.count().map(Self::Total)
    }
}

impl Store {
    /// At most `limit` rows after the first `skip`, and how many there are: one round trip where each
    /// is dear, and no needless count where it is not. `page` is told the total if it is known.
    pub(crate) async fn counted<T: Send + 'static>(
        &self,
        skip: u64,
        limit: usize,
        page: impl Fn(Option<u64>) -> Asked<Counted<T>>,
        count: Asked<Counted<T>>,
    ) -> Result<(Vec<T>, u64), StoreError> {
        let far = matches!(self.driver(), Driver::Postgres(_));
        let found = match (limit, skip) {
            (0, _) => self.scan_at_once(vec![count]).await?,
            // A first page that isn't full has them all.
            (_, 0) => {
                self.scan_at_once(vec![page(None), count.unless(move |found| found.len() < limit)]).await?
            }
            _ if far => self.scan_at_once(vec![page(None), count]).await?,
            _ => {
                let mut found = self.scan_at_once(vec![count]).await?;
                let total = total_of(&found).unwrap_or_default();
                if skip < total {
                    found.extend(self.scan_at_once(vec![page(Some(total))]).await?);
                }
                found
            }
        };
        let total = total_of(&found);
        let rows: Vec<T> = found
            .into_iter()
            .filter_map(|one| if let Counted::Row(row) = one { Some(row) } else { None })
            .collect();
        let total = total.unwrap_or(rows.len() as u64);
        Ok((rows, total))
    }

    /// Shows rows to `see`, at most `limit`, until it fails: in short reads, each from where the last
    /// one ended, or over a network in a single one whose rows are taken as they come.
    pub(crate) async fn walk<T: Send + 'static, I, E: std::convert::From<StoreError>>(
        &self,
        limit: usize,
        page: impl Fn(Page<I>) -> Asked<T>,
        id_of: impl Fn(&T) -> I,
        mut see: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Driver::Postgres(postgres) = self.driver() {
            return postgres.each(&page(Page::first(limit)), see).await;
        }
        let (mut left, mut next) = (limit, None);
        while left > 0 {
            let stride = left.min(STRIDE);
            let rows =
                self.scan_asked(page(next.map_or(Page::first(stride), |id| Page::after(id, stride)))).await?;
            let full = rows.len() == stride;
            left -= rows.len();
            next = rows.last().map(&id_of);
            rows.into_iter().try_for_each(&mut see)?;
            if !full {
                break;
            }
            // A long look must not keep others from being served.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

fn total_of<T>(found: &[Counted<T>]) -> Option<u64> {
    found.iter().find_map(|one| if let Counted::Total(total) = one { Some(*total) } else { None })
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
