//! `DateFromNum`.

use crate::dates;
use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "DateFromNum",
    aliases: &[],
    help: "The date that a Windows file time names: steps of 100 ns since 1601.",
    params: &[Param::new("value", Kind::Number)],
    repeats: 0,
    examples: &[
        gives("DateFromNum(134120754000000000)", "1/5/2026 8:30:00 AM"),
        gives("DateFromNum(0)", "1/1/1601 12:00:00 AM"),
        gives(r#"DateFromNum("134120754000000000")"#, "1/5/2026 8:30:00 AM"),
        gives_null("DateFromNum([fax])"),
        fails("DateFromNum(9223372036854775807)", "beyond the calendar"),
        fails(r#"DateFromNum("x")"#, "is a whole number"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(ticks) = call.number(0)? else { return Ok(Value::Null) };
    let at = dates::from_file_time(ticks);
    at.map(|at| Value::owned(dates::print(at)))
        .ok_or_else(|| call.fail(format_args!("{ticks} is beyond the calendar")))
}
