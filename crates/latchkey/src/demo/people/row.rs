//! One person as a file has them, before it is known whether they make sense.

use std::collections::HashMap;

use super::column::Column;
use super::problem::{Place, Problem};

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Flag(bool),
    List(Vec<String>),
    /// Something that can't stand here, as an object; in words.
    Unfit(String),
}

/// How the file counts and names its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
}

/// One person of a file.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) format: Format,
    /// The line of a CSV file, or the number of the entry of a JSON list.
    pub(super) number: u64,
    /// Each column that is there, with its name as written.
    pub(super) cells: HashMap<Column, (String, Cell)>,
}

impl Row {
    /// The place of one of its cells.
    pub(super) fn place(&self, column: Column) -> Place {
        let name = self.cells.get(&column).map_or(column.name(), |(name, _)| name).to_owned();
        match self.format {
            Format::Csv => Place::Cell(self.number, name),
            Format::Json => Place::Field(self.number, name),
        }
    }

    pub(super) fn problem(
        &self,
        column: Column,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Problem {
        Problem { place: self.place(column), found: found.into(), expected: expected.into() }
    }

    /// How other rows speak of this one.
    pub(super) fn named(&self) -> String {
        match self.format {
            Format::Csv => format!("row {}", self.number),
            Format::Json => format!("entry {}", self.number),
        }
    }
}

/// All rows of a file.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) rows: Vec<Row>,
    /// Columns that mean nothing here.
    pub(super) ignored: Vec<String>,
    /// What was wrong already with the form.
    pub(super) problems: Vec<Problem>,
}
