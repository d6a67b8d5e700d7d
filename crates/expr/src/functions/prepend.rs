//! `Prepend`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Prepend",
    aliases: &[],
    help: "Any text with a prefix before it. Nothing when the source is absent.",
    params: &[Param::new("prefix", Kind::Text), Param::new("source", Kind::Text)],
    repeats: 0,
    examples: &[
        gives(r#"Prepend("t-", [mailNickname])"#, "t-mira"),
        gives(r#"Prepend([country], [city])"#, "PTLisbon"),
        gives(r#"Prepend("", [city])"#, "Lisbon"),
        gives(r#"Prepend([fax], [city])"#, "Lisbon"),
        gives_null(r#"Prepend("t-", [fax])"#),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(1)? else { return Ok(Value::Null) };
    let prefix = call.text(0)?.unwrap_or_default();
    call.made(format!("{prefix}{source}"))
}
