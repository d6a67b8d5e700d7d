//! Mappings as Microsoft Graph's `synchronizationSchema` has them, in both directions.
//!
//! What admins download from Entra ID can be read, and what is written can be read there again.
//! Nothing is lost in silence: what has no counterpart here is a [`Note`] with its place, and what a
//! file says beyond mappings (directories, metadata, ids) is kept if it is given back to
//! [`export()`]. A field of the wrong type refuses the whole file, with the place of every such field.

mod export;
mod import;
mod object;
mod reader;
mod value;

pub use export::{Exported, export};
pub use import::{Imported, import};

use serde::Serialize;

/// Something about one place of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// As `synchronizationRules[0].objectMappings[1].flowTypes`; empty is the schema as a whole.
    pub place: String,
    /// What was found there, and what follows from it or is allowed.
    pub message: String,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.place, self.message)
        }
    }
}
