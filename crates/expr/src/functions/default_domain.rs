//! `DefaultDomain`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, fails, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "DefaultDomain",
    aliases: &[],
    help: "The tenant's default domain.",
    params: &[],
    repeats: 0,
    examples: &[
        gives("DefaultDomain()", "quarry.example"),
        gives(r#"Join("@", [mailNickname], DefaultDomain())"#, "mira@quarry.example"),
        gives(r#"ToUpper(DefaultDomain())"#, "QUARRY.EXAMPLE"),
        gives(r#"IIF(InStr([mail], DefaultDomain()) > 0, "in", "out")"#, "in"),
        fails(r#"DefaultDomain("x")"#, "takes 0 parameters"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(Value::text(call.surroundings().default_domain))
}
