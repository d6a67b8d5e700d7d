//! What goes wrong with a file, and with one of its rows. No error carries a value of a field.

use crate::format::Format;
use crate::item::Place;

/// Why nothing of a file could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Its content is none that we know.
    #[error(
        "this is no export that Latchkey knows; it reads {}; if it is one of these, name it with --format",
        Format::list()
    )]
    Unknown,
    /// A CSV file whose columns are none that we know.
    #[error("no known export has the columns {found}; name the format with --format, or use the columns {}", crate::native::COLUMNS.join(", "))]
    Columns {
        /// The first line.
        found: String,
    },
    /// A column is not there that the format needs.
    #[error("a {format} export has a column `{column}`, and this file has none")]
    NoColumn {
        /// The format.
        format: Format,
        /// What is missing.
        column: &'static str,
    },
    /// The text is no UTF-8.
    #[error("the file is not UTF-8 text (byte {at} does not fit); save it as UTF-8 and try again")]
    Encoding {
        /// The first byte that doesn't fit.
        at: usize,
    },
    /// The structure does not read.
    #[error("the {format} file does not read: {why}")]
    Malformed {
        /// The format.
        format: Format,
        /// What was found, without any value.
        why: String,
    },
    /// More than we unpack.
    #[error("{what} has more than {limit} bytes; export it in parts")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// More than we take at once.
    #[error("the file holds more than {limit} items; export it in parts")]
    TooMany {
        /// The bound.
        limit: usize,
    },
    /// A password or key file is needed.
    #[error("the file is locked; give the password that it was made with{}", .or.map(|or| format!(", {or}")).unwrap_or_default())]
    Locked {
        /// What could open it instead.
        or: Option<&'static str>,
    },
    /// What was given does not open it.
    #[error("the password or key file does not open this file, or the file was altered")]
    WrongKey,
    /// Locked in a way that only its maker can open.
    #[error("{0}")]
    CannotOpen(String),
    /// Opening it would cost more than we pay.
    #[error(
        "opening this file would take {what}, more than the {limit} allowed here; lower it in the program that made the file, or import it with the command line on the host"
    )]
    TooCostly {
        /// What it would take.
        what: String,
        /// The bound.
        limit: String,
    },
}

impl ReadError {
    pub(crate) fn malformed(format: Format, why: impl Into<String>) -> Self {
        Self::Malformed { format, why: why.into() }
    }

    /// serde's sentence may quote a value; its place and kind say enough.
    pub(crate) fn json(format: Format, error: &serde_json::Error) -> Self {
        Self::malformed(format, json_fault(error))
    }
}

/// What is wrong with JSON, without what stood there.
pub(crate) fn json_fault(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io => "it could not be read",
        Category::Syntax => "it is no valid JSON",
        Category::Data => "a value has another type than the format says, or is missing",
        Category::Eof => "it ends in the middle",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

/// How much of an item an error costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The item is not among the items.
    Item,
    /// The item is, without this field.
    Field,
}

impl Lost {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Field => "field",
        }
    }
}

/// What could not be taken over of one row or item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Which row or item.
    pub place: Place,
    /// The field, as the file calls it.
    pub field: String,
    /// What was found; never a value.
    pub found: String,
    /// What to do.
    pub advice: &'static str,
    /// What is missing because of it.
    pub lost: Lost,
}
