//! `Now`.

use crate::dates;
use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, fails, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Now",
    aliases: &[],
    help: "The present time in UTC, as M/d/yyyy h:mm:ss tt.",
    params: &[],
    repeats: 0,
    examples: &[
        gives("Now()", "11/23/2026 9:05:40 PM"),
        gives(r#"DateAdd("d", 7, Now())"#, "11/30/2026 9:05:40 PM"),
        gives(r#"FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd")"#, "2026-11-23"),
        gives(r#"DateDiff("d", Now(), "2026-12-24")"#, "30"),
        fails("Now(1)", "takes 0 parameters"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let at =
        dates::now(call.surroundings().now).ok_or_else(|| call.fail("the time is beyond the calendar"))?;
    Ok(Value::owned(dates::print(at)))
}
