//! `Mid`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Mid",
    aliases: &[],
    help: "So many characters of a text from a place on, which counts from 1.",
    params: &[
        Param::new("source", Kind::Text),
        Param::new("start", Kind::Number),
        Param::new("length", Kind::Number),
    ],
    repeats: 0,
    examples: &[
        gives("Mid([city], 2, 3)", "isb"),
        gives("Mid([givenName], 1, 1)", "M"),
        gives("Mid([city], 4, 99)", "bon"),
        gives("Mid([city], 99, 3)", ""),
        gives_null("Mid([fax], 1, 3)"),
        gives("Mid([surname], 4, 1)", "é"),
        fails("Mid([city], 0, 3)", "counts from 1"),
        fails("Mid([city], 1, -3)", "length is 0 or more"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    let (start, length) = (call.need_number(1)?, call.need_number(2)?);
    let Some(skip) = usize::try_from(start).ok().and_then(|start| start.checked_sub(1)) else {
        return Err(call.fail(format_args!("start counts from 1, and {start} is given")));
    };
    let length = usize::try_from(length)
        .map_err(|_| call.fail(format_args!("length is 0 or more, and {length} is given")))?;
    Ok(Value::owned(source.chars().skip(skip).take(length).collect()))
}
