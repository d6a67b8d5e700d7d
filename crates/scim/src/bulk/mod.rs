//! Many operations in one request (RFC 7644 §3.7).
//!
//! [`Bulk`] performs nothing. It says which operation comes next, with the ids of what has been
//! created put in the place of `bulkId:…`, is told what came of it, and writes the answer:
//!
//! ```text
//! while let Some(step) = bulk.next_step() { bulk.done(perform(step)); }
//! bulk.into_response()
//! ```
//!
//! A reference may point forwards: what it names is done first. Where two creations need each
//! other, one is created without the reference and linked by a PATCH once the other is there.
//! Otherwise, and for one resource always, operations keep their order. Each operation is whole
//! or not at all; the request is not.

mod order;
mod reference;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use order::{Bulk, Outcome, Step};
pub use request::{BulkRequest, Method, Operation, check_size};
