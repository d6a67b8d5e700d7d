//! `Item`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Item",
    aliases: &[],
    help: "The value at a place, from 1, of an attribute with several.",
    params: &[Param::new("attribute", Kind::List), Param::new("index", Kind::Number)],
    repeats: 0,
    examples: &[
        gives(r#"Item(Split([extensionAttribute1], ";"), 2)"#, "green"),
        gives("Item([proxyAddresses], 1)", "SMTP:mira@quarry.example"),
        gives("Item([city], 1)", "Lisbon"),
        fails("Item([city], 2)", "there is no value at 2"),
        fails("Item([city], 0)", "counts from 1"),
        gives_null("Item([fax], 1)"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (values, index) = (call.list(0)?, call.need_number(1)?);
    let Some(at) = usize::try_from(index).ok().and_then(|index| index.checked_sub(1)) else {
        return Err(call.fail(format_args!("index counts from 1, and {index} is given")));
    };
    let count = values.len();
    if count == 0 {
        return Ok(Value::Null);
    }
    let found = values.into_iter().nth(at);
    found.ok_or_else(|| call.fail(format_args!("there is no value at {index}; the attribute has {count}")))
}
