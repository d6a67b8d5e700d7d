//! `PCase`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "PCase",
    aliases: &[],
    help: "Each word with its first letter upper-case and the rest lower-case. Words end at the separators given, or else at blanks and punctuation, but not at an apostrophe.",
    params: &[Param::new("source", Kind::Text), Param::new("wordSeparators", Kind::Text).optional()],
    repeats: 0,
    examples: &[
        gives(r#"PCase("MIRA O'KEFA", " '-")"#, "Mira O'Kefa"),
        gives(r#"PCase("MIRA O'KEFA")"#, "Mira O'kefa"),
        gives(r#"PCase("jean-luc (paris)")"#, "Jean-Luc (Paris)"),
        gives(r#"PCase("mira okefa", "-")"#, "Mira okefa"),
        gives(r#"PCase("éva")"#, "Éva"),
        gives_null("PCase([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    let separators = call.text(1)?;
    let ends_word = |c: char| match &separators {
        Some(given) => given.contains(c),
        // As .NET's ToTitleCase, which takes an apostrophe into the word.
        None => !c.is_alphanumeric() && c != '\'' && !('\u{300}'..='\u{36f}').contains(&c),
    };
    let mut out = String::with_capacity(source.len());
    let mut within = false;
    for c in source.chars() {
        if ends_word(c) {
            within = false;
            out.push(c);
        } else if within || !c.is_alphabetic() {
            out.extend(c.to_lowercase());
        } else {
            within = true;
            out.extend(c.to_uppercase());
        }
    }
    call.made(out)
}
