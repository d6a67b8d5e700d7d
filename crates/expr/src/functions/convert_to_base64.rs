//! `ConvertToBase64`.

use base64::Engine;

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "ConvertToBase64",
    aliases: &[],
    help: "The text in Base64, of its bytes in UTF-16 with the low byte first.",
    params: &[Param::new("source", Kind::Text)],
    repeats: 0,
    examples: &[
        gives(r#"ConvertToBase64("Lisbon")"#, "TABpAHMAYgBvAG4A"),
        gives("ConvertToBase64([city])", "TABpAHMAYgBvAG4A"),
        gives(r#"ConvertToBase64("")"#, ""),
        gives(r#"ConvertToBase64("é")"#, "6QA="),
        gives_null("ConvertToBase64([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    let bytes: Vec<u8> = source.encode_utf16().flat_map(u16::to_le_bytes).collect();
    call.made(base64::engine::general_purpose::STANDARD.encode(bytes))
}
