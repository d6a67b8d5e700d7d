//! `CStr`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "CStr",
    aliases: &[],
    help: "The text of a number, a reference or a boolean, which is True or False.",
    params: &[Param::new("value", Kind::Any)],
    repeats: 0,
    examples: &[
        gives("CStr([accountEnabled])", "True"),
        gives("CStr(12)", "12"),
        gives("CStr(&HFF)", "255"),
        gives("CStr([city])", "Lisbon"),
        gives_null("CStr([fax])"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(call.text(0)?.map_or(Value::Null, Value::Text))
}
