//! SCIM 2.0 as pure data and functions: RFC 7643 (schema), RFC 7644 (protocol), RFC 9865 (cursors).
//!
//! No I/O, no clock, no storage, no HTTP types; none of Latchkey's other crates.
#![warn(missing_docs)]

pub mod bulk;
pub mod cursor;
pub mod discovery;
pub mod error;
pub mod etag;
pub mod filter;
pub mod json;
pub mod limits;
pub mod list;
pub mod name;
pub mod patch;
pub mod path;
pub mod projection;
pub mod render;
pub mod replace;
pub mod resource;
pub mod schema;
pub mod target;
pub mod value;

pub use error::{Error, ScimType};
pub use limits::Limits;
pub use name::Name;
pub use resource::Resource;
pub use target::Target;
pub use value::{Complex, Value};
