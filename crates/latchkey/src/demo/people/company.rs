//! A company that has been checked: every manager and every member of a group is one of its people.

use std::path::Path;

use anyhow::Context;

use super::check::check;
use super::problem::{BadPeople, Place, Problem};
use super::{csv, json};

/// The people and groups that the demo sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Company {
    /// In the order of the file.
    pub(crate) people: Vec<Person>,
    /// In the order in which the file first names them.
    pub(crate) groups: Vec<Group>,
    /// Columns of the file that mean nothing here.
    pub(crate) ignored: Vec<String>,
}

/// A person as a directory knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Person {
    pub(crate) user_name: String,
    pub(crate) given_name: Option<String>,
    pub(crate) family_name: Option<String>,
    pub(crate) display_name: String,
    pub(crate) email: Option<String>,
    /// A directory doesn't send an account that was disabled before it was ever sent.
    pub(crate) active: bool,
    pub(crate) job_title: Option<String>,
    pub(crate) department: Option<String>,
    /// An index into [`Company::people`].
    pub(crate) manager: Option<usize>,
    pub(crate) employee_number: Option<String>,
    /// The directory's own id of the person.
    pub(crate) external_id: String,
    pub(crate) preferred_language: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) country: Option<String>,
}

/// A group of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) display_name: String,
    /// The directory's own id of the group.
    pub(crate) external_id: String,
    /// Indices into [`Company::people`], each once.
    pub(crate) members: Vec<usize>,
}

/// The sample that ships with Latchkey.
const SAMPLE: &str = include_str!("../../../../../samples/company.csv");

impl Company {
    /// The sample company.
    ///
    /// # Errors
    /// Never in a build whose tests passed: they read the sample.
    pub(crate) fn sample() -> Result<Self, BadPeople> {
        Self::parse("samples/company.csv", SAMPLE.as_bytes())
    }

    /// The company in a CSV or JSON file, whichever the file turns out to be.
    ///
    /// # Errors
    /// [`BadPeople`] with every problem, or that the file can't be read.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self::parse(&path.display().to_string(), &bytes)?)
    }

    /// The company in the bytes of a file called `name`.
    ///
    /// # Errors
    /// [`BadPeople`] with every problem.
    pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<Self, BadPeople> {
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            let problem = Problem { place: Place::File, found: "is UTF-16".into(), expected: "UTF-8".into() };
            return Err(BadPeople::new(name.to_owned(), vec![problem]));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // The first character tells the formats apart whatever the file is called: no column's
        // name begins with a bracket.
        let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
        let sheet = if matches!(first, Some(b'[' | b'{')) { json::read(bytes) } else { csv::read(bytes) };
        check(sheet).map_err(|problems| BadPeople::new(name.to_owned(), problems))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
