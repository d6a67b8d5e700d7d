//! `IIF`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "IIF",
    aliases: &[],
    help: "One value when a condition holds, else another. A comparison with something absent does not hold. There is no AND and no OR: nest.",
    params: &[
        Param::new("condition", Kind::Condition),
        Param::new("ifTrue", Kind::Any),
        Param::new("ifFalse", Kind::Any),
    ],
    repeats: 0,
    examples: &[
        gives(r#"IIF([city]="Lisbon", "PT", "??")"#, "PT"),
        gives(r#"IIF([city]="lisbon", "PT", "??")"#, "??"),
        gives(r#"IIF([accountEnabled], "on", "off")"#, "on"),
        gives(r#"IIF(IsNullOrEmpty([fax]), "none", [fax])"#, "none"),
        gives(r#"IIF([fax] = "", "empty", "other")"#, "other"),
        gives(r#"IIF(Count([proxyAddresses]) >= 2, IIF([country] = "PT", "both", "one"), "none")"#, "both"),
        gives(r#"IIF(9 < 10, "number", "text")"#, "number"),
        fails(r#"IIF("a" = "b" = "c", "x", "y")"#, "one comparison at a time"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    if call.condition(0)? { call.value(1) } else { call.value(2) }
}
