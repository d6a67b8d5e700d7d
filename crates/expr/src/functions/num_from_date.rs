//! `NumFromDate`.

use crate::dates;
use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "NumFromDate",
    aliases: &[],
    help: "The Windows file time of a date: steps of 100 ns since 1601.",
    params: &[Param::new("value", Kind::Text)],
    repeats: 0,
    examples: &[
        gives(r#"NumFromDate("2027-03-31 23:59:59+02:00")"#, "134510039990000000"),
        gives(r#"NumFromDate("2026-01-05T08:30:00Z")"#, "134120754000000000"),
        gives(r#"NumFromDate(CDate("2026-01-05T08:30:00Z"))"#, "134120754000000000"),
        gives_null("NumFromDate([fax])"),
        fails(r#"NumFromDate("never")"#, "is no date"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(text) = call.text(0)? else { return Ok(Value::Null) };
    let ticks = dates::to_file_time(call.date_of(&text)?);
    ticks.map(Value::Int).ok_or_else(|| call.fail("the date is beyond what a file time holds"))
}
