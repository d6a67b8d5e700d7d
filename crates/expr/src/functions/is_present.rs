//! `IsPresent`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "IsPresent",
    aliases: &[],
    help: "True when the value is there and not an empty text.",
    params: &[Param::new("expression", Kind::Any)],
    repeats: 0,
    examples: &[
        gives("IsPresent([city])", "True"),
        gives("IsPresent([fax])", "False"),
        gives(r#"IsPresent("")"#, "False"),
        gives("IsPresent([proxyAddresses])", "True"),
        gives(r#"IIF(IsPresent([city]), [city], "nowhere")"#, "Lisbon"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Ok(Value::Bool(!call.value(0)?.is_empty()))
}
