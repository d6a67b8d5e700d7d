//! `Word`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Word",
    aliases: &[],
    help: "The n-th word of a text, where any of the delimiters ends a word and several together count once; an empty text when there is none.",
    params: &[
        Param::new("text", Kind::Text),
        Param::new("wordNumber", Kind::Number),
        Param::new("delimiters", Kind::Text),
    ],
    repeats: 0,
    examples: &[
        gives(r#"Word("a,b;c", 3, ",;")"#, "c"),
        gives(r#"Word("the quick fox", 2, " ")"#, "quick"),
        gives(r#"Word("a,,b", 2, ",")"#, "b"),
        gives(r#"Word("a,b", 5, ",")"#, ""),
        gives(r#"Word("a,b", 0, ",")"#, ""),
        gives(r#"Word([fax], 1, ",")"#, ""),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let text = call.text(0)?.unwrap_or_default();
    let delimiters = call.text(2)?.unwrap_or_default();
    let Some(at) = usize::try_from(call.need_number(1)?).ok().and_then(|n| n.checked_sub(1)) else {
        return Ok(Value::text(""));
    };
    let words = text.split(|c| delimiters.contains(c)).filter(|word| !word.is_empty());
    Ok(Value::owned(words.skip(at).take(1).collect()))
}
