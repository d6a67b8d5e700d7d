//! Rows of a CSV file, or objects of a JSON file, one after the other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;

use csv::StringRecord;
use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use latchkey_provisioning::jobfile::FileFormat;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::faults::Faults;
use crate::attributes::Selection;

/// What is between the members of a list in one cell.
const SEPARATOR: char = ';';

/// One row.
pub(super) struct Row<'r> {
    pub(super) place: Place,
    cells: Cells<'r>,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The file as a whole.
    Whole,
    /// Line of a CSV file, from 1.
    Line(u64),
    /// Object of a JSON file, from 1.
    Object(u64),
}

#[derive(Clone, Copy)]
enum Cells<'r> {
    Csv { header: &'r Header, record: &'r StringRecord },
    Json(&'r Map<String, Json>),
}

/// The columns of a CSV file. A name that ends in `[]` is of a list.
#[derive(Debug)]
struct Header {
    names: Vec<(String, bool)>,
    places: HashMap<String, usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("as a whole"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Object(number) => write!(f, "object {number}"),
        }
    }
}

/// Reads all rows. `needs` names the columns that have to be there, each with what may stand in for
/// it. Faults of form are told to `faults`; what cannot be read at all is an error.
pub(super) fn each(
    input: &mut impl Read,
    (file, format): (&str, FileFormat),
    needs: &[&[&str]],
    faults: &mut Faults,
    found: &mut dyn FnMut(&Row<'_>, &mut Faults) -> ControlFlow<()>,
) -> Result<(), SourceError> {
    match format {
        FileFormat::Csv => csv_rows(input, file, needs, faults, found),
        FileFormat::Json => json_rows(input, file, faults, found),
    }
}

fn csv_rows(
    input: &mut impl Read,
    file: &str,
    needs: &[&[&str]],
    faults: &mut Faults,
    found: &mut dyn FnMut(&Row<'_>, &mut Faults) -> ControlFlow<()>,
) -> Result<(), SourceError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(input);
    let unreadable = |error: csv::Error| {
        let message = match error.kind() {
            csv::ErrorKind::Utf8 { pos, .. } => {
                let line = pos.as_ref().map_or(1, csv::Position::line);
                format!("{file}, line {line}: this is not UTF-8; save the file as \"CSV UTF-8\"")
            }
            _ => format!("{file}: {error}"),
        };
        let kind =
            if error.is_io_error() { SourceErrorKind::Unreachable } else { SourceErrorKind::Malformed };
        SourceError::new(kind, message)
    };
    let header = Header::new(file, reader.headers().map_err(unreadable)?, needs, faults);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(unreadable)? {
        let place = Place::Line(record.position().map_or(0, csv::Position::line));
        if record.len() != header.names.len() {
            let message = format!("found {} cells, but the header has {}", record.len(), header.names.len());
            faults.say(file, place, None, &message);
            continue;
        }
        let row = Row { place, cells: Cells::Csv { header: &header, record: &record } };
        if found(&row, faults).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

impl Header {
    fn new(file: &str, record: &StringRecord, needs: &[&[&str]], faults: &mut Faults) -> Self {
        let place = Place::Line(1);
        let (mut names, mut places) = (Vec::new(), HashMap::new());
        for (at, cell) in record.iter().enumerate() {
            let (name, list) = cell.strip_suffix("[]").map_or((cell, false), |name| (name.trim(), true));
            if name.is_empty() {
                faults.say(file, place, None, &format!("column {} has no name", at + 1));
            } else if places.insert(name.to_owned(), at).is_some() {
                faults.say(file, place, Some(name), "there are two columns of this name; keep one");
            }
            names.push((name.to_owned(), list));
        }
        for alternatives in needs {
            if !alternatives.iter().any(|name| places.contains_key(*name)) {
                let there: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
                let hint = match there[..] {
                    [one] if one.contains([';', '\t']) => "; cells are separated by commas",
                    _ => "",
                };
                let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
                let wanted = alternatives.join(" or ");
                faults.say(file, place, None, &format!("there is no column {wanted}; found {there}{hint}"));
            }
        }
        Self { names, places }
    }
}

fn json_rows(
    input: &mut impl Read,
    file: &str,
    faults: &mut Faults,
    found: &mut dyn FnMut(&Row<'_>, &mut Faults) -> ControlFlow<()>,
) -> Result<(), SourceError> {
    let mut input = BufReader::new(input);
    let unreadable = |error: &serde_json::Error| match error.io_error_kind() {
        Some(_) => SourceError::new(SourceErrorKind::Unreachable, format!("{file}: {error}")),
        None => SourceError::new(
            SourceErrorKind::Malformed,
            format!("{file}: {error}; a list of objects is needed, as [{{\"id\": \"17\"}}, …]"),
        ),
    };
    skip_mark(&mut input).map_err(|error| unreadable(&serde_json::Error::io(error)))?;
    let mut stopped = false;
    let mut reader = serde_json::Deserializer::from_reader(input);
    let read = Objects { file, faults, found, stopped: &mut stopped }
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    match read {
        Err(error) if !stopped => Err(unreadable(&error)),
        _ => Ok(()),
    }
}

/// Skips a byte order mark.
fn skip_mark(input: &mut impl BufRead) -> io::Result<()> {
    if input.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        input.consume(3);
    }
    Ok(())
}

struct Objects<'o> {
    file: &'o str,
    faults: &'o mut Faults,
    found: &'o mut dyn FnMut(&Row<'_>, &mut Faults) -> ControlFlow<()>,
    stopped: &'o mut bool,
}

impl<'de> DeserializeSeed<'de> for Objects<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut objects: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(value) = objects.next_element::<Json>()? {
            number += 1;
            let place = Place::Object(number);
            let Json::Object(object) = value else {
                self.faults.say(
                    self.file,
                    place,
                    None,
                    &format!("found {}, but an object is needed", describe(&value)),
                );
                continue;
            };
            if (self.found)(&Row { place, cells: Cells::Json(&object) }, self.faults).is_break() {
                *self.stopped = true;
                return Err(serde::de::Error::custom("enough was read"));
            }
        }
        Ok(())
    }
}

impl<'r> Row<'r> {
    /// Whether the file, or this object, has such a column.
    pub(super) fn has(&self, column: &str) -> bool {
        match self.cells {
            Cells::Csv { header, .. } => header.places.contains_key(column),
            Cells::Json(object) => object.contains_key(column),
        }
    }

    /// A cell's text; `None` when it is empty or not there, an error says what was found instead.
    pub(super) fn text(&self, column: &str) -> Result<Option<Cow<'r, str>>, String> {
        let text = match self.cells {
            Cells::Csv { header, record } => {
                header.places.get(column).and_then(|at| record.get(*at)).map(Cow::Borrowed)
            }
            Cells::Json(object) => match object.get(column) {
                None | Some(Json::Null) => None,
                Some(Json::String(text)) => Some(Cow::Borrowed(text.trim())),
                Some(Json::Number(number)) => Some(Cow::Owned(number.to_string())),
                Some(Json::Bool(flag)) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
                Some(other) => return Err(format!("found {}, but a text is needed", describe(other))),
            },
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A yes or no; `None` when there is no such column.
    pub(super) fn flag(&self, column: &str) -> Result<Option<bool>, String> {
        if !self.has(column) {
            return Ok(None);
        }
        let text = self.text(column)?.unwrap_or_default();
        let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is(["true", "yes", "1"]) {
            Ok(Some(true))
        } else if is(["false", "no", "0"]) {
            Ok(Some(false))
        } else {
            let found = if text.is_empty() { "nothing".to_owned() } else { format!("{text:?}") };
            Err(format!("found {found}, but true, false, yes, no, 1 or 0 is needed"))
        }
    }

    /// A list's members.
    pub(super) fn list(&self, column: &str) -> Result<Vec<Cow<'r, str>>, String> {
        if let Cells::Json(object) = self.cells
            && let Some(Json::Array(values)) = object.get(column)
        {
            let text = |value: &'r Json| match value {
                Json::String(text) => Ok(Cow::Borrowed(text.trim())),
                Json::Number(number) => Ok(Cow::Owned(number.to_string())),
                other => Err(format!("found {} in the list, but texts are needed", describe(other))),
            };
            return values
                .iter()
                .map(text)
                .filter(|text| text.as_ref().is_ok_and(|text| !text.is_empty()) || text.is_err())
                .collect();
        }
        let Some(text) = self.text(column)? else { return Ok(Vec::new()) };
        let split = |text: &str| -> Vec<String> {
            text.split(SEPARATOR).map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
        };
        Ok(match text {
            Cow::Borrowed(text) => text
                .split(SEPARATOR)
                .map(str::trim)
                .filter(|one| !one.is_empty())
                .map(Cow::Borrowed)
                .collect(),
            Cow::Owned(text) => split(&text).into_iter().map(Cow::Owned).collect(),
        })
    }

    /// What is asked for, by the file's own names.
    pub(super) fn attributes(&self, selection: &Selection) -> Map<String, Json> {
        let mut attributes = Map::new();
        match self.cells {
            Cells::Csv { header, record } => {
                for ((name, list), cell) in header.names.iter().zip(record) {
                    if cell.is_empty() || !selection.wants(name) {
                        continue;
                    }
                    let value = if *list {
                        cell.split(SEPARATOR).map(str::trim).filter(|one| !one.is_empty()).collect()
                    } else {
                        Json::from(cell)
                    };
                    attributes.insert(name.clone(), value);
                }
            }
            Cells::Json(object) => {
                let wanted = object.iter().filter(|(name, value)| !value.is_null() && selection.wants(name));
                attributes.extend(wanted.map(|(name, value)| (name.clone(), value.clone())));
            }
        }
        attributes
    }

    /// The names of its columns.
    pub(super) fn columns(&self) -> Vec<String> {
        match self.cells {
            Cells::Csv { header, .. } => header.names.iter().map(|(name, _)| name.clone()).collect(),
            Cells::Json(object) => object.keys().cloned().collect(),
        }
    }
}

fn describe(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}
