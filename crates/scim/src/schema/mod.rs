//! Schemas as data: what an attribute is, and the schemas that are served (RFC 7643 §2.2, §4, §7).

mod definition;

pub use definition::{Attribute, Mutability, ResourceType, Returned, Schema, Type, Uniqueness};
