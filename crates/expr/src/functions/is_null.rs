//! `IsNull`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "IsNull",
    aliases: &["IsNothing"],
    help: "True when the value is absent; an empty text is not.",
    params: &[Param::new("expression", Kind::Any)],
    repeats: 0,
    examples: &[
        gives("IsNull([fax])", "True"),
        gives("IsNull([city])", "False"),
        gives(r#"IsNull("")"#, "False"),
        gives("IsNothing([fax])", "True"),
        gives("Not(IsNull([fax]))", "False"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(Value::Bool(call.value(0)?.is_null()))
}
