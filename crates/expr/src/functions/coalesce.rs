//! `Coalesce`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Coalesce",
    aliases: &[],
    help: "The first of its parameters that is there. An empty text is there.",
    params: &[Param::new("source", Kind::Any), Param::new("source2", Kind::Any).optional()],
    repeats: 1,
    examples: &[
        gives("Coalesce([otherMail], [mail])", "mira@quarry.example"),
        gives(r#"Coalesce([fax], "none")"#, "none"),
        gives(r#"Coalesce("", [mail])"#, ""),
        gives("Coalesce([city], Item([fax], 9))", "Lisbon"),
        gives_null("Coalesce([fax], [pager])"),
        gives("Coalesce([fax], [pager], , [city])", "Lisbon"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    for at in 0..call.count() {
        let value = call.value(at)?;
        if !value.is_null() {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}
