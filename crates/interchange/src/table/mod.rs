//! Tables: CSV files, whose columns say who wrote them.

mod dialect;
mod notes;

use csv::{Reader, ReaderBuilder, StringRecord};

use crate::error::ReadError;
use crate::format::Format;
use crate::item::{Item, Place, Reading, filled, secret};
use crate::limits::Limits;
use dialect::{Column, DIALECTS, Dialect};

/// What may stand between two fields; spreadsheets change it when they save.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Tells who wrote a table by the columns that nobody else has.
pub(crate) fn recognise(bytes: &[u8]) -> Result<Format, ReadError> {
    let text = utf8(bytes)?;
    let found = |delimiter| {
        let header = header(text, delimiter)?;
        DIALECTS.iter().find(|dialect| dialect.wrote(&header)).map(|dialect| dialect.format)
    };
    DELIMITERS.into_iter().find_map(found).ok_or_else(|| {
        let names: Vec<String> = header(text, b',')
            .into_iter()
            .flatten()
            .take(12)
            .map(|name| name.chars().take(30).collect())
            .collect();
        if names.len() < 2 { ReadError::Unknown } else { ReadError::Columns { found: names.join(", ") } }
    })
}

/// Reads a table.
pub(crate) fn read(
    format: Format,
    bytes: &[u8],
    reading: &mut Reading,
    limits: &Limits,
) -> Result<(), ReadError> {
    let text = utf8(bytes)?;
    let dialect = DIALECTS.iter().find(|dialect| dialect.format == format).ok_or(ReadError::Unknown)?;
    let named = |delimiter: &u8| header(text, *delimiter).is_some_and(|header| dialect.wrote(&header));
    let delimiter = DELIMITERS.into_iter().find(named).unwrap_or(b',');
    let header = header(text, delimiter).unwrap_or_default();
    if let Some(&column) = dialect.needs().iter().find(|name| !header.iter().any(|found| found == *name)) {
        return Err(ReadError::NoColumn { format, column });
    }
    let columns: Vec<Option<Column>> = header.iter().map(|name| dialect.column(name)).collect();
    let mut rows = reader(text, delimiter);
    let mut row = StringRecord::new();
    let mut is_header = true;
    loop {
        let more = rows.read_record(&mut row).map_err(|_| ReadError::malformed(format, "it is no CSV"))?;
        if !more {
            return Ok(());
        }
        if std::mem::take(&mut is_header) || row.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        let place = Place::line(row.position().map_or(0, csv::Position::line));
        if row.len() == header.len() {
            take(dialect, place, &columns, &header, &row, (&mut *reading, limits));
        } else {
            let found = format!("{} fields where the first line has {}", row.len(), header.len());
            reading.skip(
                place,
                "the row",
                found,
                "put quotes around fields that hold a comma, a quote or a line break",
            );
        }
        limits.check_count(reading)?;
    }
}

fn take(
    dialect: &Dialect,
    place: Place,
    columns: &[Option<Column>],
    header: &[String],
    row: &StringRecord,
    (reading, limits): (&mut Reading, &Limits),
) {
    let mut item = Item::new(place);
    let mut kind = String::new();
    for ((column, name), value) in columns.iter().zip(header).zip(row) {
        if value.is_empty() {
            continue;
        }
        match column {
            Some(Column::Name) => value.clone_into(&mut item.name),
            Some(Column::Url) => item.push_url(value),
            Some(Column::Urls(separators)) => value.split(*separators).for_each(|url| item.push_url(url)),
            Some(Column::Username) => item.username = filled(value),
            Some(Column::Password) => item.password = secret(value),
            Some(Column::Totp) => item.totp = secret(value.trim()),
            Some(Column::Notes) => item.notes = secret(value),
            Some(Column::SshKey) => item.ssh_key = secret(value),
            Some(Column::Folder(separator)) => {
                item.folder = value.split(*separator).map(str::to_owned).collect();
            }
            Some(Column::Lines) => notes::lines(&mut item, value),
            Some(Column::Object) => {
                if !notes::object(&mut item, value) {
                    let advice = "write it as a JSON object of texts";
                    reading.drop_field(item.place.clone(), name.clone(), "no such JSON", advice);
                }
            }
            Some(Column::Kind) => value.clone_into(&mut kind),
            Some(Column::Unused) => {}
            // What has no meaning to us is kept all the same.
            None => secret(value).into_iter().for_each(|value| item.push_extra(name.clone(), value)),
        }
    }
    if dialect.format == Format::LastPassCsv {
        notes::last_pass(&mut item);
    }
    if !matches!(kind.to_lowercase().as_str(), "" | "login" | "note") {
        secret(&kind).into_iter().for_each(|kind| item.push_extra("type", kind));
    }
    reading.take(item, limits);
}

/// The folded names of the columns.
fn header(text: &str, delimiter: u8) -> Option<Vec<String>> {
    let mut row = StringRecord::new();
    // The first line alone, within reason: a file without line breaks is no table.
    let start = text.get(..4_096).map_or(text, |start| start);
    let start = start.split_inclusive('\n').next().unwrap_or_default();
    let more = reader(start, delimiter).read_record(&mut row).unwrap_or(false);
    more.then(|| row.iter().map(|name| name.trim().to_lowercase()).collect())
}

fn reader(text: &str, delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes())
}

fn utf8(bytes: &[u8]) -> Result<&str, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError::Encoding { at: error.valid_up_to() })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
