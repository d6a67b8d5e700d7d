//! `BitAnd`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "BitAnd",
    aliases: &[],
    help: "The bits that both numbers have. Numbers are decimal or hexadecimal, as &HF7.",
    params: &[Param::new("value1", Kind::Number), Param::new("value2", Kind::Number)],
    repeats: 0,
    examples: &[
        gives("BitAnd(&HF, &HF7)", "7"),
        gives("BitAnd(514, 2)", "2"),
        gives("BitAnd(512, 2)", "0"),
        gives(r#"BitAnd("&H202", "2")"#, "2"),
        gives("BitAnd(-1, 255)", "255"),
        gives_null("BitAnd([fax], 2)"),
        fails(r#"BitAnd("two", 2)"#, "is a whole number"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (Some(a), Some(b)) = (call.number(0)?, call.number(1)?) else { return Ok(Value::Null) };
    Ok(Value::Int(a & b))
}
