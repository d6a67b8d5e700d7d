//! `Count`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Count",
    aliases: &[],
    help: "How many values an attribute has; 0 when it is absent.",
    params: &[Param::new("attribute", Kind::List)],
    repeats: 0,
    examples: &[
        gives(r#"Count(Split([extensionAttribute1], ";"))"#, "3"),
        gives("Count([fax])", "0"),
        gives("Count([city])", "1"),
        gives("Count([proxyAddresses])", "2"),
        gives(r#"Count(RemoveDuplicates(Split([extensionAttribute1], ";")))"#, "2"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let count = call.list(0)?.len();
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}
