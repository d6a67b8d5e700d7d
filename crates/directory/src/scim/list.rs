//! Pages of a SCIM list, so that nobody is missed where the list moves while it is read.

use latchkey_provisioning::Kind;
use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use serde_json::{Map, Value as Json};

use super::Scim;
use super::resource::id;

/// How many are asked for at once; providers give fewer where they like.
const COUNT: usize = 500;

/// Where a list is to be read on.
///
/// With cursors (RFC 9865) the provider sees to it that nobody is missed. With indices somebody is
/// when a resource before goes away, so each page begins with the last of the page before: where
/// that is somebody else, the list has moved.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) kind: Kind,
    pub(super) filter: Option<String>,
    pub(super) ids_alone: bool,
    at: At,
    total: Option<u64>,
}

#[derive(Debug, Clone)]
enum At {
    Cursor(String),
    Index { start: u64, last: Option<String> },
    End,
}

impl List {
    pub(super) fn new(kind: Kind, cursors: bool) -> Self {
        let at = if cursors { At::Cursor(String::new()) } else { At::Index { start: 1, last: None } };
        Self { kind, filter: None, ids_alone: false, at, total: None }
    }

    /// How many there are, once a page was read.
    pub(super) const fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self, scim: &Scim) -> Result<Option<Vec<Map<String, Json>>>, SourceError> {
        let mut query = vec![("count", COUNT.to_string())];
        match &self.at {
            At::Cursor(cursor) => query.push(("cursor", cursor.clone())),
            At::Index { start, .. } => query.push(("startIndex", start.to_string())),
            At::End => return Ok(None),
        }
        query.extend(self.filter.iter().map(|filter| ("filter", filter.clone())));
        if self.ids_alone {
            query.push(("attributes", "id".to_owned()));
        }
        let body = scim.get(&[endpoint(self.kind)], &query).await?.json()?;
        let wrong = |what: &str| {
            let message = format!(
                "the list of {} {what}; this is no list of SCIM (RFC 7644 §3.4.2)",
                endpoint(self.kind)
            );
            SourceError::new(SourceErrorKind::Malformed, message)
        };
        let total =
            body.get("totalResults").and_then(Json::as_u64).ok_or_else(|| wrong("has no totalResults"))?;
        let mut page = Vec::new();
        match body.get("Resources") {
            Some(Json::Array(all)) => {
                for one in all {
                    page.push(one.as_object().ok_or_else(|| wrong("holds what is no resource"))?.clone());
                }
            }
            None | Some(Json::Null) => {}
            Some(_) => return Err(wrong("has Resources that are no list")),
        }
        let at = match &self.at {
            At::End => At::End,
            At::Cursor(_) => match body.get("nextCursor").and_then(Json::as_str) {
                Some(next) if !next.is_empty() => At::Cursor(next.to_owned()),
                _ => At::End,
            },
            At::Index { start, last } => {
                let end = start + page.len() as u64 - u64::from(!page.is_empty());
                if let Some(last) = last {
                    if page.first().map(id).transpose()? != Some(last) {
                        return Err(moved(self.kind));
                    }
                    page.remove(0);
                }
                match page.last() {
                    _ if end >= total || total == 0 => At::End,
                    Some(last) => At::Index { start: end, last: Some(id(last)?.to_owned()) },
                    // Fewer than it says there are: whoever is missing would seem to have left.
                    None => return Err(moved(self.kind)),
                }
            }
        };
        (self.at, self.total) = (at, Some(total));
        Ok(Some(page))
    }
}

pub(super) const fn endpoint(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "Users",
        Kind::Group => "Groups",
    }
}

fn moved(kind: Kind) -> SourceError {
    let message = format!(
        "the list of {} moved while it was read, so nothing is concluded from it; the next cycle reads again",
        endpoint(kind)
    );
    SourceError::new(SourceErrorKind::Unreachable, message)
}
