//! `CBool`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "CBool",
    aliases: &[],
    help: "True when a comparison holds, a value is true, or a number is not zero; else False.",
    params: &[Param::new("expression", Kind::Condition)],
    repeats: 0,
    examples: &[
        gives(r#"CBool([city] = "Lisbon")"#, "True"),
        gives(r#"CBool([city] = "Porto")"#, "False"),
        gives("CBool([accountEnabled])", "True"),
        gives("CBool(0)", "False"),
        gives("CBool(7)", "True"),
        gives(r#"CBool("true")"#, "True"),
        gives(r#"CBool([fax] <> "x")"#, "False"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    call.condition(0).map(Value::Bool)
}
