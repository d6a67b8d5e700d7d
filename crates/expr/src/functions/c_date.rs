//! `CDate`.

use crate::dates;
use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "CDate",
    aliases: &[],
    help: "A date in UTC, printed as M/d/yyyy h:mm:ss tt. An offset without a time means midnight there; without an offset the date is UTC already.",
    params: &[Param::new("text", Kind::Text)],
    repeats: 0,
    examples: &[
        gives(r#"CDate("2026-11-02+05:30")"#, "11/1/2026 6:30:00 PM"),
        gives(r#"CDate("2026-01-05")"#, "1/5/2026 12:00:00 AM"),
        gives(r#"CDate("2026-11-02T09:30:05Z")"#, "11/2/2026 9:30:05 AM"),
        gives(r#"CDate("11/2/2026 1:05 PM")"#, "11/2/2026 1:05:00 PM"),
        gives("CDate([employeeHireDate])", "11/16/2026 9:00:00 AM"),
        gives_null("CDate([fax])"),
        fails(r#"CDate("soon")"#, "is no date"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(text) = call.text(0)? else { return Ok(Value::Null) };
    call.date_of(&text).map(|at| Value::owned(dates::print(at)))
}
