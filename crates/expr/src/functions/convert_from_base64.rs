//! `ConvertFromBase64`.

use base64::Engine;

use crate::error::EvalError;
use crate::evaluate::{Call, shorten};
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "ConvertFromBase64",
    aliases: &[],
    help: "The text that Base64 holds: of bytes in UTF-16, or in the encoding that is given.",
    params: &[
        Param::new("source", Kind::Text),
        Param::new("encoding", Kind::Words(&["UTF8", "Unicode", "ASCII"])).optional(),
    ],
    repeats: 0,
    examples: &[
        gives(r#"ConvertFromBase64("TABpAHMAYgBvAG4A")"#, "Lisbon"),
        gives(r#"ConvertFromBase64("TGlzYm9u", UTF8)"#, "Lisbon"),
        gives("ConvertFromBase64(ConvertToBase64([surname]))", "O'Kéfa"),
        gives_null("ConvertFromBase64([fax])"),
        gives(r#"ConvertFromBase64("", Unicode)"#, ""),
        fails(r#"ConvertFromBase64("***")"#, "is no Base64"),
        fails(r#"ConvertFromBase64("TGlz", latin1)"#, "is one of UTF8, Unicode, ASCII"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(source.trim().as_bytes())
        .map_err(|_| call.fail(format_args!("{:?} is no Base64", shorten(&source))))?;
    let encoding = call.text(1)?.unwrap_or(std::borrow::Cow::Borrowed("Unicode"));
    let text = if encoding == "Unicode" {
        let units =
            bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        char::decode_utf16(units).collect::<Result<String, _>>().ok()
    } else {
        String::from_utf8(bytes).ok()
    };
    call.made(text.ok_or_else(|| call.fail(format_args!("its bytes are no text in {encoding}")))?)
}
