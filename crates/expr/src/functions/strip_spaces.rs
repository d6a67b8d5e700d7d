//! `StripSpaces`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "StripSpaces",
    aliases: &[],
    help: "The text without its spaces.",
    params: &[Param::new("source", Kind::Text)],
    repeats: 0,
    examples: &[
        gives(r#"StripSpaces("Mi ra")"#, "Mira"),
        gives(r#"StripSpaces(" a  b ")"#, "ab"),
        gives("StripSpaces([city])", "Lisbon"),
        gives("StripSpaces(\"a\tb\")", "a\tb"),
        gives_null("StripSpaces([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    if source.contains(' ') { Ok(Value::owned(source.replace(' ', ""))) } else { Ok(Value::Text(source)) }
}
