//! What a client asks of a list, in a query string or in the body of a `.search`.

use super::SortOrder;
use crate::json::Json;
use crate::limits::Limits;
use crate::name::same;
use crate::projection::Projection;
use crate::{Error, ScimType};

/// One list request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// The filter as sent; for [`filter::parse`](crate::filter::parse).
    pub filter: Option<String>,
    /// The order; without one, lists are in the order of ids, which never changes.
    pub sort: Option<Sorting>,
    /// Which part of the list.
    pub page: Page,
    /// Which attributes.
    pub projection: Projection,
}

/// The wished order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorting {
    /// An attribute path as sent; for [`SortKey::resolve`](super::SortKey::resolve).
    pub by: String,
    /// Which end first.
    pub order: SortOrder,
}

/// The wished part of a list. `count` is never above the largest page; 0 asks for the total alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// By position (RFC 7644 §3.4.2.4).
    Index {
        /// From 1.
        start: usize,
        /// At most so many resources.
        count: usize,
    },
    /// By cursor (RFC 9865).
    Cursor {
        /// What the page before named as the next; `None` for the first page.
        cursor: Option<String>,
        /// At most so many resources.
        count: usize,
    },
}

impl Page {
    /// At most so many resources.
    pub const fn count(&self) -> usize {
        match self {
            Self::Index { count, .. } | Self::Cursor { count, .. } => *count,
        }
    }
}

/// The parameters as texts, from either form.
#[derive(Debug, Default)]
struct Given {
    filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    cursor: Option<String>,
    attributes: Option<String>,
    excluded: Option<String>,
}

impl ListQuery {
    /// From the decoded pairs of a query string. Other parameters are ignored: Entra's
    /// `aadOptscim062020` sticks to the tenant's URL (quirk 38).
    ///
    /// # Errors
    /// 400: `invalidValue` for a number or an order that is none or a parameter that is there
    /// twice, `invalidCount` for a wrong count beside a cursor.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let mut given = Given::default();
        for (name, value) in pairs {
            let Some(slot) = given.slot(name) else { continue };
            if slot.replace(value.to_owned()).is_some() {
                return Err(Error::invalid_value(format!(
                    "the parameter {name} is there twice; send it once"
                )));
            }
        }
        let projection = Projection::parse(given.attributes.as_deref(), given.excluded.as_deref());
        given.into_query(projection, limits)
    }

    /// From the body of a `.search` (RFC 7644 §3.4.3).
    ///
    /// # Errors
    /// 400 as for [`ListQuery::parse`], and `invalidSyntax` when the body is no SearchRequest.
    pub fn of_body(body: &Json, limits: &Limits) -> Result<Self, Error> {
        const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
        let Some(members) = body.as_object() else {
            return Err(Error::invalid_syntax(format!(
                "a search is a JSON object; the body is {}",
                body.kind()
            )));
        };
        let urns = members.get("schemas").and_then(Json::as_array).unwrap_or_default();
        if !urns.iter().filter_map(Json::as_str).any(|urn| same(urn, SEARCH)) {
            return Err(Error::invalid_value(format!(
                "schemas does not name a search; send \"schemas\": [{SEARCH:?}]"
            )));
        }
        let mut given = Given::default();
        for (name, value) in members.iter() {
            if same(name, "attributes") || same(name, "excludedAttributes") {
                continue;
            }
            let Some(slot) = given.slot(name) else { continue };
            *slot = match value {
                Json::Null => None,
                Json::String(text) => Some(text.clone()),
                Json::Number(number) => Some(number.to_string()),
                other => {
                    let kind = other.kind();
                    return Err(Error::invalid_syntax(format!("{name} takes one value, not {kind}")));
                }
            };
        }
        let projection = Projection::of_body(body)?;
        given.into_query(projection, limits)
    }

    /// What a cursor is bound to: the list, its filter and its order. The size of the page and
    /// the attributes may change from page to page.
    pub fn identity(&self, endpoint: &str) -> String {
        let mut identity = endpoint.to_owned();
        let sort = self.sort.as_ref();
        let texts =
            [self.filter.as_deref(), sort.map(|sort| sort.by.as_str()), sort.map(|sort| sort.order.as_str())];
        for text in texts {
            // With its length, so that no two queries run together to one text.
            let text = text.unwrap_or_default();
            identity.push_str(&format!(" {}:{text}", text.len()));
        }
        identity
    }
}

impl Given {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        let slots = [
            ("filter", &mut self.filter),
            ("sortBy", &mut self.sort_by),
            ("sortOrder", &mut self.sort_order),
            ("startIndex", &mut self.start_index),
            ("count", &mut self.count),
            ("cursor", &mut self.cursor),
            ("attributes", &mut self.attributes),
            ("excludedAttributes", &mut self.excluded),
        ];
        slots.into_iter().find(|(known, _)| same(known, name)).map(|(_, slot)| slot)
    }

    fn into_query(self, projection: Projection, limits: &Limits) -> Result<ListQuery, Error> {
        let filter = self.filter.filter(|filter| !filter.trim().is_empty());
        let order = match self.sort_order.as_deref().map(str::trim) {
            None | Some("") => SortOrder::Ascending,
            Some(order) if same(order, "ascending") => SortOrder::Ascending,
            Some(order) if same(order, "descending") => SortOrder::Descending,
            Some(_) => return Err(Error::invalid_value("sortOrder takes ascending or descending")),
        };
        let by = self.sort_by.map(|by| by.trim().to_owned()).filter(|by| !by.is_empty());
        let sort = by.map(|by| Sorting { by, order });
        let count = match number(self.count.as_deref()) {
            Ok(None) => limits.page_default,
            Ok(Some(count)) => count.min(limits.page_max),
            Err(()) => {
                let keyword =
                    if self.cursor.is_some() { ScimType::InvalidCount } else { ScimType::InvalidValue };
                return Err(Error::bad(keyword, "count takes a whole number"));
            }
        };
        let page = match (self.cursor, self.start_index) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid_value(
                    "startIndex and cursor exclude each other; send one of them",
                ));
            }
            (Some(cursor), None) => {
                Page::Cursor { cursor: Some(cursor).filter(|cursor| !cursor.is_empty()), count }
            }
            (None, start) => {
                let start = number(start.as_deref())
                    .map_err(|()| Error::invalid_value("startIndex takes a whole number, from 1"))?;
                Page::Index { start: start.unwrap_or(1).max(1), count }
            }
        };
        Ok(ListQuery { filter, sort, page, projection })
    }
}

/// A whole number; below zero it means zero (RFC 7644 §3.4.2.4), and one that is too large is as
/// good as the largest.
fn number(text: Option<&str>) -> Result<Option<usize>, ()> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(());
    }
    if text.starts_with('-') {
        return Ok(Some(0));
    }
    Ok(Some(digits.parse().unwrap_or(usize::MAX)))
}
