//! `Left`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Left",
    aliases: &[],
    help: "The first characters of a text; the whole for a negative number, an empty text when it is absent.",
    params: &[Param::new("text", Kind::Text), Param::new("numberOfCharacters", Kind::Number)],
    repeats: 0,
    examples: &[
        gives("Left([city], 3)", "Lis"),
        gives("Left([city], 0)", ""),
        gives("Left([city], -1)", "Lisbon"),
        gives("Left([city], 99)", "Lisbon"),
        gives("Left([fax], 3)", ""),
        gives("Left([surname], 4)", "O'Ké"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let text = call.text(0)?.unwrap_or_default();
    match usize::try_from(call.need_number(1)?) {
        Ok(count) => Ok(Value::owned(text.chars().take(count).collect())),
        Err(_) => Ok(Value::Text(text)),
    }
}
