//! `InStr`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "InStr",
    aliases: &[],
    help: "Where a text stands in another, from 1; 0 when it does not. vbTextCompare overlooks case.",
    params: &[
        Param::new("value1", Kind::Text),
        Param::new("value2", Kind::Text),
        Param::new("start", Kind::Number).optional(),
        Param::new("compareType", Kind::Words(&["vbTextCompare", "vbBinaryCompare"])).optional(),
    ],
    repeats: 0,
    examples: &[
        gives(r#"InStr("banana", "an", 3)"#, "4"),
        gives(r#"InStr("banana", "an")"#, "2"),
        gives(r#"InStr("banana", "AN")"#, "0"),
        gives(r#"InStr("banana", "AN", , vbTextCompare)"#, "2"),
        gives(r#"InStr([city], "x")"#, "0"),
        gives(r#"InStr([fax], "x")"#, "0"),
        gives(r#"InStr("banana", "a", 99)"#, "0"),
        fails(r#"InStr("banana", "an", 0)"#, "counts from 1"),
        fails(r#"InStr("banana", "an", 1, textCompare)"#, "is one of vbTextCompare, vbBinaryCompare"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (Some(text), Some(wanted)) = (call.text(0)?, call.text(1)?) else { return Ok(Value::Int(0)) };
    let start = call.number(2)?.unwrap_or(1);
    let Some(skip) = usize::try_from(start).ok().and_then(|start| start.checked_sub(1)) else {
        return Err(call.fail(format_args!("start counts from 1, and {start} is given")));
    };
    let folded = call.text(3)?.is_some_and(|word| word == "vbTextCompare");
    let fold = |text: &str| -> Vec<char> {
        let one = |c: char| if folded { c.to_lowercase().next().unwrap_or(c) } else { c };
        text.chars().map(one).collect()
    };
    let (text, wanted) = (fold(&text), fold(&wanted));
    let rest = text.get(skip..).unwrap_or_default();
    let found =
        if wanted.is_empty() { Some(0) } else { rest.windows(wanted.len()).position(|part| part == wanted) };
    let found = found.filter(|_| skip < text.len());
    Ok(Value::Int(found.and_then(|at| i64::try_from(at + skip + 1).ok()).unwrap_or(0)))
}
