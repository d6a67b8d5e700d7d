//! `IsNullOrEmpty`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "IsNullOrEmpty",
    aliases: &["IsNullorEmpty"],
    help: "True when the value is absent or an empty text.",
    params: &[Param::new("expression", Kind::Any)],
    repeats: 0,
    examples: &[
        gives("IsNullOrEmpty([city])", "False"),
        gives("IsNullOrEmpty([fax])", "True"),
        gives(r#"IsNullOrEmpty("")"#, "True"),
        gives(r#"IsNullorEmpty(" ")"#, "False"),
        gives(r#"IsNullOrEmpty(Split([fax], ","))"#, "True"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(Value::Bool(call.value(0)?.is_empty()))
}
