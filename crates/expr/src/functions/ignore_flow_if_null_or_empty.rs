//! `IgnoreFlowIfNullOrEmpty`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "IgnoreFlowIfNullOrEmpty",
    aliases: &[],
    help: "The value; when it is absent or empty, the attribute is left as it is at the target.",
    params: &[Param::new("expression", Kind::Any)],
    repeats: 0,
    examples: &[
        gives("IgnoreFlowIfNullOrEmpty([city])", "Lisbon"),
        gives_null("IgnoreFlowIfNullOrEmpty([department])"),
        gives_null(r#"IgnoreFlowIfNullOrEmpty("")"#),
        gives(r#"IgnoreFlowIfNullOrEmpty(ToLower([city]))"#, "lisbon"),
        gives(r#"IgnoreFlowIfNullOrEmpty("x")"#, "x"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let value = call.value(0)?;
    if !value.is_empty() {
        return Ok(value);
    }
    call.ignore_flow();
    Ok(Value::Null)
}
