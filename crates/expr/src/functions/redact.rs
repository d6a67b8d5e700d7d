//! `Redact`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Redact",
    aliases: &[],
    help: "The value is sent, and logs show [Redact] in its place.",
    params: &[Param::new("value", Kind::Any)],
    repeats: 0,
    examples: &[
        gives("Redact([employeeId])", "77120"),
        gives(r#"Redact(Join("-", [country], [employeeId]))"#, "PT-77120"),
        gives_null("Redact([fax])"),
        gives(r#"Redact("x")"#, "x"),
        gives("ToLower(Redact([city]))", "lisbon"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    call.redact();
    call.value(0)
}
