//! `Append`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Append",
    aliases: &[],
    help: "Any text with a suffix behind it. Nothing when the source is absent.",
    params: &[Param::new("source", Kind::Text), Param::new("suffix", Kind::Text)],
    repeats: 0,
    examples: &[
        gives(r#"Append([userPrincipalName], ".lab")"#, "mira.okefa@quarry.example.lab"),
        gives(r#"Append([city], [country])"#, "LisbonPT"),
        gives(r#"Append("", ".lab")"#, ".lab"),
        gives(r#"Append([city], [fax])"#, "Lisbon"),
        gives_null(r#"Append([fax], ".lab")"#),
        fails(r#"Append([city])"#, "takes 2 parameters, not 1"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    let suffix = call.text(1)?.unwrap_or_default();
    call.made(format!("{source}{suffix}"))
}
