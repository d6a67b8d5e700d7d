//! Reading and conditional writing: paging by index and by cursor, sort, filters, projection,
//! ETags, `.search`, bulk, and discovery, as RFC 7644 and RFC 9865 have them.

#[path = "../support/mod.rs"]
mod support;

mod bulk;
mod cursors;
mod discovery;
mod etags;
mod filters;
mod index;
mod projection;
mod sort;
