//! Lists of resources: the query, the order, and the answer (RFC 7644 §3.4.2, RFC 9865).
//!
//! A query is read without a resource type, so that the edge can read it before it knows more;
//! names in it are resolved when it is served.

mod query;
mod response;
mod sort;
#[cfg(test)]
mod tests;

pub use query::{ListQuery, Page, Sorting};
pub use response::ListResponse;
pub use sort::{SortKey, SortOrder, SortValue};
