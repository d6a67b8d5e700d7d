//! Schemas as data: what an attribute is, and the schemas that are served (RFC 7643 §2.2, §4, §7).

mod common;
mod definition;
mod group;
mod lookup;
mod shape;
#[cfg(test)]
mod tests;
mod user;

pub use common::COMMON;
pub use definition::{Attribute, Mutability, ResourceType, Returned, Schema, Type, Uniqueness};
pub use group::GROUP;
pub use lookup::{GROUP_TYPE, RESOURCE_TYPES, SCHEMAS, USER_TYPE, schema, split_urn};
pub use user::{ENTERPRISE_USER, USER};
