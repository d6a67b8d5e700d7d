//! `NormalizeDiacritics`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "NormalizeDiacritics",
    aliases: &[],
    help: "The text with accents and the like taken off: é becomes e, ß becomes ss. ä becomes a, not ae.",
    params: &[Param::new("source", Kind::Text)],
    repeats: 0,
    examples: &[
        gives("NormalizeDiacritics([surname])", "O'Kefa"),
        gives(r#"NormalizeDiacritics("Łódź Žižka Åse")"#, "Lodz Zizka Ase"),
        gives(r#"NormalizeDiacritics("Größe")"#, "Grosse"),
        gives(r#"NormalizeDiacritics("Ærø")"#, "AEroe"),
        gives(r#"NormalizeDiacritics("İstanbul ılık")"#, "Istanbul ilik"),
        gives("NormalizeDiacritics(\"a\u{304}\u{301}\")", "a"),
        gives(r#"NormalizeDiacritics("đþ Ж")"#, "đþ Ж"),
        gives_null("NormalizeDiacritics([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    if source.is_ascii() {
        return Ok(Value::Text(source));
    }
    call.made(crate::functions::diacritics::fold(&source))
}
