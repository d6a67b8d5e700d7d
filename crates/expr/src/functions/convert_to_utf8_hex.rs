//! `ConvertToUTF8Hex`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "ConvertToUTF8Hex",
    aliases: &[],
    help: "The bytes of the text in UTF-8, in upper-case hexadecimal.",
    params: &[Param::new("source", Kind::Text)],
    repeats: 0,
    examples: &[
        gives(r#"ConvertToUTF8Hex("Lisbon")"#, "4C6973626F6E"),
        gives("ConvertToUTF8Hex([city])", "4C6973626F6E"),
        gives(r#"ConvertToUTF8Hex("é")"#, "C3A9"),
        gives(r#"ConvertToUTF8Hex("")"#, ""),
        gives_null("ConvertToUTF8Hex([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    call.made(source.bytes().map(|byte| format!("{byte:02X}")).collect())
}
