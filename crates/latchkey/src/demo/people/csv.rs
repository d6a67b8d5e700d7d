//! People from CSV: a header row, then a person in each row.

use std::collections::HashMap;

use csv::{ByteRecord, ReaderBuilder};

use super::column::Column;
use super::problem::{Place, Problem};
use super::row::{Cell, Format, Row, Sheet};

/// Reads a CSV file; what is wrong with its form is among the sheet's problems.
pub(super) fn read(bytes: &[u8]) -> Sheet {
    let mut sheet = Sheet::default();
    // Row lengths are checked here and not by the reader, which would stop at the first that differs.
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut records = reader.byte_records();
    let header = match records.next() {
        Some(Ok(header)) => header,
        Some(Err(error)) => {
            sheet.problems.push(whole(error.to_string(), "comma-separated values"));
            return sheet;
        }
        None => {
            sheet.problems.push(whole("is empty", "a header row and a person in each row below"));
            return sheet;
        }
    };
    let Some(columns) = read_header(&header, &mut sheet) else { return sheet };
    for record in records {
        match record {
            Ok(record) => read_record(&record, line_of(&record, bytes), &columns, &mut sheet),
            Err(error) => {
                sheet.problems.push(whole(error.to_string(), "comma-separated values"));
                return sheet;
            }
        }
    }
    sheet
}

/// A header's cell: its text, and the column that it names if it names one.
type Header = (String, Option<Column>);

fn read_header(record: &ByteRecord, sheet: &mut Sheet) -> Option<Vec<Header>> {
    let names: Vec<String> =
        record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
    if let [only] = names.as_slice()
        && let Some(divider) = [';', '\t'].into_iter().find(|c| only.contains(*c))
    {
        let divider = if divider == ';' { "semicolons" } else { "tabs" };
        sheet.problems.push(Problem {
            place: Place::Row(1),
            found: format!("columns are divided by {divider}"),
            expected: "commas; semicolons divide the groups within their column".to_owned(),
        });
        return None;
    }
    let mut seen: HashMap<Column, &str> = HashMap::new();
    let headers: Vec<Header> = names.iter().map(|name| (name.clone(), Column::named(name))).collect();
    for (name, column) in &headers {
        let Some(column) = column else {
            sheet.ignored.push(name.clone());
            continue;
        };
        if let Some(before) = seen.insert(*column, name) {
            sheet.problems.push(Problem {
                place: Place::Cell(1, name.clone()),
                found: format!("means the same as `{before}`"),
                expected: "each column once".to_owned(),
            });
        }
    }
    if !seen.contains_key(&Column::UserName) {
        sheet.problems.push(Problem {
            place: Place::Row(1),
            found: format!("has no column `{}`", Column::UserName.name()),
            expected: "a header row that names it".to_owned(),
        });
    }
    sheet.problems.is_empty().then_some(headers)
}

/// The line that a record begins on. The reader's own position is before the blank lines that
/// it skips.
fn line_of(record: &ByteRecord, bytes: &[u8]) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = bytes.get(from..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    position.line() + u64::try_from(blank.count()).unwrap_or(0)
}

fn read_record(record: &ByteRecord, number: u64, headers: &[Header], sheet: &mut Sheet) {
    if record.len() != headers.len() {
        sheet.problems.push(Problem {
            place: Place::Row(number),
            found: format!("has {} cells", record.len()),
            expected: format!(
                "{} as in the header; a cell that holds a comma stands in double quotes",
                headers.len()
            ),
        });
        return;
    }
    let mut row = Row { format: Format::Csv, number, cells: HashMap::new() };
    for ((name, column), cell) in headers.iter().zip(record) {
        let Some(column) = column else { continue };
        let cell = match std::str::from_utf8(cell) {
            Ok(text) => Cell::Text(text.trim().to_owned()),
            Err(_) => Cell::Unfit("is not UTF-8".to_owned()),
        };
        row.cells.insert(*column, (name.clone(), cell));
    }
    sheet.rows.push(row);
}

fn whole(found: impl Into<String>, expected: &str) -> Problem {
    Problem { place: Place::File, found: found.into(), expected: expected.to_owned() }
}
