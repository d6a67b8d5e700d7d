//! `ToLower`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::functions::culture::turkic;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "ToLower",
    aliases: &[],
    help: "The text in lower case, by the rules of a culture where one is given, as tr-TR.",
    params: &[Param::new("source", Kind::Text), Param::new("culture", Kind::Text).optional()],
    repeats: 0,
    examples: &[
        gives("ToLower([city])", "lisbon"),
        gives(r#"ToLower("ISTANBUL", "tr-TR")"#, "ıstanbul"),
        gives(r#"ToLower("İZMİR", "tr-TR")"#, "izmir"),
        gives(r#"ToLower("ISTANBUL", "de-DE")"#, "istanbul"),
        gives(r#"ToLower("ÉVA")"#, "éva"),
        gives_null("ToLower([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    if turkic(call)? {
        let source = source.replace('I', "ı").replace('İ', "i");
        return call.made(source.to_lowercase());
    }
    call.made(source.to_lowercase())
}
