//! `Split`.

use crate::error::EvalError;
use crate::evaluate::{Call, MAX_VALUES};
use crate::signature::{Function, Kind, Param, fails, gives_list, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Split",
    aliases: &[],
    help: "The parts of a text between a delimiter, as an attribute with several values. Blanks around a part are taken off.",
    params: &[Param::new("source", Kind::Text), Param::new("delimiter", Kind::Text)],
    repeats: 0,
    examples: &[
        gives_list(r#"Split("a, b", ",")"#, &["a", "b"]),
        gives_list(r#"Split([extensionAttribute1], ";")"#, &["red", "green", "red"]),
        gives_list(r#"Split([city], ",")"#, &["Lisbon"]),
        gives_null(r#"Split([fax], ",")"#),
        gives_list(r#"Split("a::b", "::")"#, &["a", "b"]),
        fails(r#"Split("ab", "")"#, "delimiter is empty"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    let delimiter =
        call.text(1)?.filter(|text| !text.is_empty()).ok_or_else(|| call.fail("the delimiter is empty"))?;
    let parts: Vec<Value<'_>> = source
        .split(&*delimiter)
        .take(MAX_VALUES + 1)
        .map(|part| Value::owned(part.trim().to_owned()))
        .collect();
    if parts.len() > MAX_VALUES {
        return Err(call.fail(format_args!("there are more than {MAX_VALUES} parts")));
    }
    Ok(Value::List(parts))
}
