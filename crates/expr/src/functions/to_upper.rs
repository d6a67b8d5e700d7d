//! `ToUpper`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::functions::culture::turkic;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "ToUpper",
    aliases: &[],
    help: "The text in upper case, by the rules of a culture where one is given, as tr-TR.",
    params: &[Param::new("source", Kind::Text), Param::new("culture", Kind::Text).optional()],
    repeats: 0,
    examples: &[
        gives("ToUpper([city])", "LISBON"),
        gives(r#"ToUpper("istanbul", "tr-TR")"#, "İSTANBUL"),
        gives(r#"ToUpper("ılık", "az")"#, "ILIK"),
        gives(r#"ToUpper("éva")"#, "ÉVA"),
        gives_null("ToUpper([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    if turkic(call)? {
        return call.made(source.replace('i', "İ").to_uppercase());
    }
    call.made(source.to_uppercase())
}
