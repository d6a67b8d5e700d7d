//! `DateAdd`.

use crate::dates;
use crate::dates::interval;
use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "DateAdd",
    aliases: &[],
    help: "A date that is so many intervals later, or earlier for a negative number. The end of a month stays within its month. Intervals: yyyy, m (months), d, ww (weeks), h, n (minutes), s.",
    params: &[
        Param::new("interval", Kind::Words(interval::WORDS)),
        Param::new("value", Kind::Number),
        Param::new("dateTime", Kind::Text),
    ],
    repeats: 0,
    examples: &[
        gives(r#"DateAdd("ww", 2, CDate("2026-01-05"))"#, "1/19/2026 12:00:00 AM"),
        gives(r#"DateAdd("m", 1, "2026-01-31")"#, "2/28/2026 12:00:00 AM"),
        gives(r#"DateAdd("m", 1, "2028-01-31")"#, "2/29/2028 12:00:00 AM"),
        gives(r#"DateAdd("n", -90, "2026-01-05T01:00:00Z")"#, "1/4/2026 11:30:00 PM"),
        gives(r#"DateAdd("yyyy", 1, "2024-02-29")"#, "2/28/2025 12:00:00 AM"),
        gives_null(r#"DateAdd("d", 1, [fax])"#),
        fails(r#"DateAdd("week", 1, "2026-01-05")"#, "is one of yyyy, m, d"),
        fails(r#"DateAdd("yyyy", 99999, "2026-01-05")"#, "beyond the calendar"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(text) = call.text(2)? else { return Ok(Value::Null) };
    let at = call.date_of(&text)?;
    let word = call.text(0)?.unwrap_or_default();
    let later = interval::add(&word, call.need_number(1)?, at);
    later
        .map(|at| Value::owned(dates::print(at)))
        .ok_or_else(|| call.fail("the result is beyond the calendar"))
}
