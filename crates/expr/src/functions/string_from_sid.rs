//! `StringFromSid`.

use base64::Engine;

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "StringFromSid",
    aliases: &[],
    help: "The readable form of a security identifier that is given as Base64 of its bytes.",
    params: &[Param::new("sid", Kind::Text)],
    repeats: 0,
    examples: &[
        gives(r#"StringFromSid("AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAA9AEAAA==")"#, "S-1-5-21-1-2-3-500"),
        gives(r#"StringFromSid("AQEAAAAAAAUSAAAA")"#, "S-1-5-18"),
        gives("StringFromSid([onPremisesSecurityIdentifier])", "S-1-5-21-1-2-3-1104"),
        gives_null("StringFromSid([fax])"),
        fails(r#"StringFromSid("AQE=")"#, "no security identifier"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(text) = call.text(0)? else { return Ok(Value::Null) };
    if text.starts_with("S-") {
        return Ok(Value::Text(text));
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_bytes()).ok();
    let readable = bytes.as_deref().and_then(read);
    readable.map(Value::owned).ok_or_else(|| call.fail("the value holds no security identifier"))
}

fn read(bytes: &[u8]) -> Option<String> {
    let ([revision, count, authority @ ..], rest) = bytes.split_first_chunk::<8>()?;
    if rest.len() != usize::from(*count) * 4 {
        return None;
    }
    let authority = authority.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let mut out = format!("S-{revision}-{authority}");
    for part in rest.chunks_exact(4) {
        out.push_str(&format!("-{}", u32::from_le_bytes(part.try_into().ok()?)));
    }
    Some(out)
}
