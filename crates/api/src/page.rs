//! Lists come in pages, in the order in which things were made, with a cursor to the next.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::problem::Problem;

/// How many things a page holds at most.
const MOST: u32 = 500;
const USUAL: u32 = 100;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Paging {
    /// How many things at most, 1 to 500; 100 if absent.
    pub(crate) limit: Option<u32>,
    /// The `next` of the page before; absent for the first.
    pub(crate) cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T: ToSchema> {
    /// In order.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page; absent at the end.
    pub(crate) next: Option<String>,
}

/// What a page is read with.
pub(crate) struct Window {
    pub(crate) after: Option<Uuid>,
    pub(crate) limit: usize,
}

impl Paging {
    pub(crate) fn window(&self) -> Result<Window, Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::invalid(format!("limit must be from 1 to {MOST}")));
        }
        let after = self.cursor.as_deref().map(|cursor| {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
            bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()).ok_or_else(|| {
                Problem::invalid("cursor is not one that a page gave; start again without it")
            })
        });
        Ok(Window { after: after.transpose()?, limit: limit as usize })
    }
}

impl Window {
    /// One more than the page holds, so that it is known whether there is a next.
    pub(crate) const fn read(&self) -> usize {
        self.limit + 1
    }

    /// The page of rows read with [`Window::read`].
    pub(crate) fn page<R, T: ToSchema>(
        &self,
        mut rows: Vec<R>,
        id: impl Fn(&R) -> Uuid,
        show: impl FnMut(R) -> T,
    ) -> Page<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|row| URL_SAFE_NO_PAD.encode(id(row).as_bytes()));
        Page { items: rows.into_iter().map(show).collect(), next }
    }
}
