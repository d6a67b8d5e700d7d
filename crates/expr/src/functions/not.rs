//! `Not`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Not",
    aliases: &[],
    help: "False for true; True for all else, and for what is absent too.",
    params: &[Param::new("source", Kind::Any)],
    repeats: 0,
    examples: &[
        gives("Not([IsSoftDeleted])", "True"),
        gives("Not([accountEnabled])", "False"),
        gives(r#"Not("True")"#, "False"),
        gives(r#"Not("False")"#, "True"),
        gives("Not([fax])", "True"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let value = call.text(0)?;
    Ok(Value::Bool(value.is_none_or(|text| !text.eq_ignore_ascii_case("true"))))
}
