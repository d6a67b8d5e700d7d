//! What is wrong with a people file, written for whoever has to mend it.

use std::fmt;

/// Where in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The file as a whole.
    File,
    /// A line of a CSV file; the header is row 1, as editors and spreadsheets count.
    Row(u64),
    /// One cell of a CSV file, by the header as it is written there.
    Cell(u64, String),
    /// An entry of a JSON list, counted from 1.
    Entry(u64),
    /// One field of such an entry.
    Field(u64, String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Cell(row, column) => write!(f, "row {row}, column `{column}`"),
            Self::Entry(entry) => write!(f, "entry {entry}"),
            Self::Field(entry, field) => write!(f, "entry {entry}, field `{field}`"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Place,
    /// What stands there.
    pub(super) found: String,
    /// What should.
    pub(super) expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}", self.place, self.found, self.expected)
    }
}

/// The people file can't be used. Says every problem, a line each.
#[derive(Debug)]
pub(crate) struct BadPeople {
    file: String,
    problems: Vec<Problem>,
}

impl BadPeople {
    pub(super) fn new(file: String, problems: Vec<Problem>) -> Self {
        Self { file, problems }
    }
}

impl fmt::Display for BadPeople {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, noun) = match self.problems.len() {
            1 => ("one".to_owned(), "problem"),
            n => (n.to_string(), "problems"),
        };
        write!(f, "{} has {count} {noun}; nothing was sent", self.file)?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BadPeople {}
