//! People from JSON: a list of objects, or an object with such a list as `people`.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::column::Column;
use super::problem::{Place, Problem};
use super::row::{Cell, Format, Row, Sheet};

/// Reads a JSON file; what is wrong with its form is among the sheet's problems.
pub(super) fn read(bytes: &[u8]) -> Sheet {
    let mut sheet = Sheet::default();
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            sheet.problems.push(whole(format!("is no JSON ({error})"), "a list of people"));
            return sheet;
        }
    };
    let people = match value {
        Value::Array(people) => people,
        Value::Object(mut object) => match object.remove("people") {
            Some(Value::Array(people)) => people,
            _ => {
                sheet
                    .problems
                    .push(whole("has no list `people`", "`{\"people\": [ … ]}` or a list of people"));
                return sheet;
            }
        },
        other => {
            sheet.problems.push(whole(format!("is {}", kind(&other)), "a list of people"));
            return sheet;
        }
    };
    for (number, person) in (1..).zip(people) {
        match person {
            Value::Object(fields) => read_entry(number, fields, &mut sheet),
            other => sheet.problems.push(Problem {
                place: Place::Entry(number),
                found: format!("is {}", kind(&other)),
                expected: "an object, as {\"user_name\": \"ida.holm@corp.example\"}".to_owned(),
            }),
        }
    }
    sheet
}

fn read_entry(number: u64, fields: Map<String, Value>, sheet: &mut Sheet) {
    let mut row = Row { format: Format::Json, number, cells: HashMap::new() };
    for (name, value) in fields {
        let Some(column) = Column::named(&name) else {
            if !sheet.ignored.contains(&name) {
                sheet.ignored.push(name);
            }
            continue;
        };
        let Some(cell) = read_value(column, value) else { continue };
        if let Some((before, _)) = row.cells.insert(column, (name.clone(), cell)) {
            sheet.problems.push(Problem {
                place: Place::Field(number, name),
                found: format!("means the same as `{before}`"),
                expected: "each field once".to_owned(),
            });
        }
    }
    sheet.rows.push(row);
}

/// The cell that a value makes; `null` is as good as absent.
fn read_value(column: Column, value: Value) -> Option<Cell> {
    match (column, value) {
        (_, Value::Null) => None,
        (Column::Active, Value::Bool(flag)) => Some(Cell::Flag(flag)),
        (Column::EmployeeNumber, Value::Number(number)) => Some(Cell::Text(number.to_string())),
        (_, Value::String(text)) => Some(Cell::Text(text.trim().to_owned())),
        (Column::Groups, Value::Array(items)) => {
            let names: Result<Vec<String>, Cell> = items
                .into_iter()
                .map(|item| match item {
                    Value::String(name) => Ok(name.trim().to_owned()),
                    other => Err(Cell::Unfit(format!("holds {}", kind(&other)))),
                })
                .collect();
            Some(names.map_or_else(|unfit| unfit, Cell::List))
        }
        (_, other) => Some(Cell::Unfit(format!("is {}", kind(&other)))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn whole(found: impl Into<String>, expected: &str) -> Problem {
    Problem { place: Place::File, found: found.into(), expected: expected.to_owned() }
}
