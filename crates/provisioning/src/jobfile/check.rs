//! All that there is to say about a job's file, each with its place: what a person looks at before
//! the job runs.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::{Problem, line_of};
use super::{JobFile, parse};
use crate::lint::{self, Warning};
use crate::target_path::TargetPath;

/// What a reading of a file found.
#[derive(Debug)]
pub struct Checked {
    /// The job, unless it is refused.
    pub job: Option<JobFile>,
    /// What is wrong, and refuses the job.
    pub errors: Vec<Problem>,
    /// What is allowed, and probably regretted.
    pub warnings: Vec<Problem>,
}

/// The section of one kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Users,
    Groups,
}

impl Section {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }
}

/// Reads a job, and looks at what it would do.
pub fn check(text: &str) -> Checked {
    let job = match parse(text) {
        Ok(job) => job,
        Err(errors) => return Checked { job: None, errors, warnings: Vec::new() },
    };
    let mut warnings = Vec::new();
    // It was read a moment ago, so it is TOML.
    if let Ok(table) = DeTable::parse(text) {
        let root = table.get_ref();
        let mut say = |(span, field): (Range<usize>, String), message: String| {
            warnings.push(Problem { line: line_of(text, &span), field, message });
        };
        for (section, mapping) in [(Section::Users, &job.users), (Section::Groups, &job.groups)] {
            for Warning { about, message } in mapping.iter().flat_map(lint::warnings) {
                let place = of_mapping(root, section, &about);
                say(place, format!("{about}: {message}"));
            }
        }
        for Warning { about, message } in lint::of_job(&job) {
            say(of_field(root, &about), message);
        }
    }
    warnings.sort_by_key(|warning| warning.line);
    Checked { job: Some(job), errors: Vec::new(), warnings }
}

/// Where that is which a finding about a mapping is about: its row, its filter, a field of its
/// section, or the section as a whole.
pub(super) fn of_mapping(root: &DeTable<'_>, section: Section, about: &str) -> (Range<usize>, String) {
    let key = section.key();
    let Some(value) = root.get(key) else { return (0..0, key.to_owned()) };
    let whole = (value.span(), key.to_owned());
    let DeValue::Table(table) = value.get_ref() else { return whole };
    let wanted = normal(about);
    let row = rows(table, "mapping").into_iter().rev().find_map(|(at, row)| {
        let target = row.get("target")?;
        let same = normal(target.get_ref().as_str()?) == wanted;
        same.then(|| (target.span(), format!("{key}.mapping[{at}].target")))
    });
    let filter = || {
        rows(table, "scope").into_iter().find_map(|(at, group)| {
            let title = group.get("title").and_then(|title| title.get_ref().as_str());
            let same = format!("scope {:?}", title.unwrap_or("scope")) == about;
            let first = group.get("clauses")?;
            same.then(|| (first.span(), format!("{key}.scope[{at}]")))
        })
    };
    let field = || table.get(about).map(|field| (field.span(), format!("{key}.{about}")));
    row.or_else(filter).or_else(field).unwrap_or(whole)
}

/// The place of a field of a section, as `job.scope`.
fn of_field(root: &DeTable<'_>, path: &str) -> (Range<usize>, String) {
    let (section, field) = path.split_once('.').unwrap_or((path, ""));
    let Some(value) = root.get(section) else { return (0..0, section.to_owned()) };
    let found = match value.get_ref() {
        DeValue::Table(table) => table.get(field),
        _ => None,
    };
    match found {
        Some(found) => (found.span(), path.to_owned()),
        None => (value.span(), path.to_owned()),
    }
}

/// The tables of a list with their numbers, from 1; a single one may stand alone.
fn rows<'t>(table: &'t DeTable<'t>, key: &str) -> Vec<(usize, &'t DeTable<'t>)> {
    fn one<'t>(value: &'t Spanned<DeValue<'t>>) -> Option<&'t DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        }
    }
    match table.get(key).map(|value| (value, value.get_ref())) {
        Some((_, DeValue::Array(values))) => {
            values.iter().enumerate().filter_map(|(at, value)| Some((at + 1, one(value)?))).collect()
        }
        Some((value, _)) => one(value).map(|table| (1, table)).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A target's path however it is written.
fn normal(text: &str) -> String {
    text.parse::<TargetPath>().map_or_else(|_| text.to_owned(), |path| path.to_string()).to_lowercase()
}
