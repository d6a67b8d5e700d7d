//! `Trim`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_list, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Trim",
    aliases: &[],
    help: "The value without blanks at its ends; of several values each.",
    params: &[Param::new("value", Kind::List)],
    repeats: 0,
    examples: &[
        gives(r#"Trim("  a b ")"#, "a b"),
        gives("Trim([city])", "Lisbon"),
        gives("Trim(\"\ta\n\")", "a"),
        gives_list(r#"Trim([tags])"#, &["x", "y"]),
        gives_null("Trim([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let trimmed = |value: Value<'a>| match value {
        Value::Text(text) if text.trim().len() != text.len() => Value::owned(text.trim().to_owned()),
        other => other,
    };
    Ok(match call.value(0)? {
        Value::List(values) => Value::List(values.into_iter().map(trimmed).collect()),
        one => trimmed(one),
    })
}
