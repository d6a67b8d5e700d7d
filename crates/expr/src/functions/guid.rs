//! `Guid`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, fails, matches};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Guid",
    aliases: &[],
    help: "A new random GUID at each evaluation; map it only on creation, or it changes with each cycle.",
    params: &[],
    repeats: 0,
    examples: &[
        matches("Guid()", "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
        matches("ToUpper(Guid())", "^[0-9A-F-]{36}$"),
        matches(r#"Append("u-", Guid())"#, "^u-[0-9a-f-]{36}$"),
        matches("Left(Guid(), 8)", "^[0-9a-f]{8}$"),
        fails("Guid(1)", "takes 0 parameters"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let bytes = call.surroundings().entropy.bytes::<16>();
    Ok(Value::owned(uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()))
}
