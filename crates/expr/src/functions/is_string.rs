//! `IsString`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "IsString",
    aliases: &[],
    help: "True when the value is a text.",
    params: &[Param::new("expression", Kind::Any)],
    repeats: 0,
    examples: &[
        gives("IsString([city])", "True"),
        gives("IsString([fax])", "False"),
        gives("IsString(12)", "False"),
        gives("IsString([accountEnabled])", "False"),
        gives("IsString(CStr(12))", "True"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(Value::Bool(matches!(call.value(0)?, Value::Text(_))))
}
