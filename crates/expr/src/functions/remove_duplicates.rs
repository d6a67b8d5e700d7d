//! `RemoveDuplicates`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, gives, gives_list, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "RemoveDuplicates",
    aliases: &[],
    help: "The values of an attribute, each once, in their order.",
    params: &[Param::new("attribute", Kind::List)],
    repeats: 0,
    examples: &[
        gives_list(r#"RemoveDuplicates(Split([extensionAttribute1], ";"))"#, &["red", "green"]),
        gives_list(
            "RemoveDuplicates([proxyAddresses])",
            &["SMTP:mira@quarry.example", "smtp:m@quarry.example"],
        ),
        gives_list("RemoveDuplicates([city])", &["Lisbon"]),
        gives_null("RemoveDuplicates([fax])"),
        gives(r#"Join("", RemoveDuplicates(Split("b,a,b,c", ",")))"#, "bac"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let mut seen = Vec::new();
    for value in call.list(0)? {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    Ok(if seen.is_empty() { Value::Null } else { Value::List(seen) })
}
