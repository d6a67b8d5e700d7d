//! `Error`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Error",
    aliases: &[],
    help: "Fails the object with this text; put it into a branch that should never be taken.",
    params: &[Param::new("message", Kind::Text)],
    repeats: 0,
    examples: &[
        fails(r#"Error("no department")"#, "no department"),
        gives(r#"IIF([city] = "Lisbon", "PT", Error("unknown city"))"#, "PT"),
        fails(r#"IIF([city] = "Porto", "PT", Error("unknown city"))"#, "unknown city"),
        gives(r#"Coalesce([mail], Error("no mail"))"#, "mira@quarry.example"),
        fails(r#"Coalesce([fax], Error("no fax"))"#, "no fax"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Err(call.fail(call.text(0)?.unwrap_or(std::borrow::Cow::Borrowed("the mapping asks for an error here"))))
}
