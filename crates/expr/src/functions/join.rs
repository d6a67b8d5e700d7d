//! `Join`.

use crate::error::EvalError;
use crate::evaluate::{Call, MAX_TEXT};
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Join",
    aliases: &[],
    help: "All values with a separator between. What is absent or empty is left out.",
    params: &[
        Param::new("separator", Kind::Text),
        Param::new("source", Kind::List),
        Param::new("source2", Kind::List).optional(),
    ],
    repeats: 1,
    examples: &[
        gives(r#"Join(", ", "", [surname], [givenName])"#, "O'Kéfa, Mira"),
        gives(r#"Join(" ", [givenName], [surname])"#, "Mira O'Kéfa"),
        gives(r#"Join("+", Split([extensionAttribute1], ";"), "blue")"#, "red+green+red+blue"),
        gives(r#"Join(" ", [fax], [givenName])"#, "Mira"),
        gives(r#"Join("", 1000, [country])"#, "1000PT"),
        gives(r#"Join(" ", [fax], [pager])"#, ""),
        gives(r#"Join([fax], "a", "b")"#, "ab"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let separator = call.text(0)?.unwrap_or_default();
    let mut out = String::new();
    let mut first = true;
    for at in 1..call.count() {
        let value = call.value(at)?;
        for value in if matches!(value, Value::List(_)) { value.into_list() } else { vec![value] } {
            let Some(text) = value.into_text().filter(|text| !text.is_empty()) else { continue };
            if !first {
                out.push_str(&separator);
            }
            first = false;
            out.push_str(&text);
            if out.len() > MAX_TEXT {
                return Err(call.too_long());
            }
        }
    }
    call.made(out)
}
