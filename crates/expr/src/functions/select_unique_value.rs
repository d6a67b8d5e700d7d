//! `SelectUniqueValue`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "SelectUniqueValue",
    aliases: &[],
    help: "The first value that nobody has yet at the target. May only stand at the root, and only on creation.",
    params: &[
        Param::new("rule", Kind::Text),
        Param::new("rule2", Kind::Text),
        Param::new("rule3", Kind::Text).optional(),
    ],
    repeats: 1,
    examples: &[
        gives(r#"SelectUniqueValue(Join(".", "mira", "okefa"), Join(".", "m", "okefa"))"#, "mira.okefa"),
        gives("SelectUniqueValue([fax], [mailNickname])", "mira"),
        gives_null("SelectUniqueValue([fax], [pager])"),
        fails(r#"SelectUniqueValue("a")"#, "at least 2 parameters"),
        fails(r#"ToLower(SelectUniqueValue("a", "b"))"#, "only stand at the root"),
    ],
    root_only: true,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let mut candidates: Vec<String> = Vec::new();
    for at in 0..call.count() {
        let Some(text) = call.text(at)?.filter(|text| !text.is_empty()) else { continue };
        if !candidates.iter().any(|known| *known == text) {
            candidates.push(text.into_owned());
        }
    }
    let first = candidates.first().cloned().map_or(Value::Null, Value::owned);
    call.offer(candidates);
    Ok(first)
}
