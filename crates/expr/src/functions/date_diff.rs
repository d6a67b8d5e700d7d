//! `DateDiff`.

use crate::dates::interval;
use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "DateDiff",
    aliases: &[],
    help: "How many intervals lie from the first date to the second: years and months by the calendar, weeks by the Sundays between, days, hours (h), minutes (n) and seconds (s) in whole ones.",
    params: &[
        Param::new("interval", Kind::Words(interval::WORDS)),
        Param::new("date1", Kind::Text),
        Param::new("date2", Kind::Text),
    ],
    repeats: 0,
    examples: &[
        gives(r#"DateDiff("d", "2026-01-30T12:00:00Z", "2026-03-01T06:00:00Z")"#, "29"),
        gives(r#"DateDiff("h", "2026-01-30T12:00:00Z", "2026-03-01T06:00:00Z")"#, "714"),
        gives(r#"DateDiff("m", "2026-01-30T12:00:00Z", "2026-03-01T06:00:00Z")"#, "2"),
        gives(r#"DateDiff("ww", "2026-01-30T12:00:00Z", "2026-03-01T06:00:00Z")"#, "5"),
        gives(r#"DateDiff("yyyy", "2026-01-30T12:00:00Z", "2026-03-01T06:00:00Z")"#, "0"),
        gives(r#"DateDiff("d", "2026-03-01", "2026-02-27")"#, "-2"),
        gives(r#"IIF(DateDiff("d", Now(), CDate([employeeHireDate])) > 5, "False", "True")"#, "True"),
        gives_null(r#"DateDiff("d", [fax], "2026-03-01")"#),
        fails(r#"DateDiff("d", "soon", "2026-03-01")"#, "is no date"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (Some(from), Some(to)) = (call.text(1)?, call.text(2)?) else { return Ok(Value::Null) };
    let word = call.text(0)?.unwrap_or_default();
    let count = interval::between(&word, call.date_of(&from)?, call.date_of(&to)?);
    count.map(Value::Int).ok_or_else(|| call.fail("the dates lie too far apart"))
}
