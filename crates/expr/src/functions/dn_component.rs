//! `DNComponent`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "DNComponent",
    aliases: &[],
    help: "The value of the n-th part of a distinguished name, from the left.",
    params: &[Param::new("dn", Kind::Text), Param::new("number", Kind::Number)],
    repeats: 0,
    examples: &[
        gives(r#"DNComponent("CN=Mira,OU=Staff,DC=quarry", 1)"#, "Mira"),
        gives(r#"DNComponent("CN=Mira,OU=Staff,DC=quarry", 2)"#, "Staff"),
        gives(r#"DNComponent("CN=Kefa\\, Mira,OU=Staff", 1)"#, "Kefa, Mira"),
        gives_null(r#"DNComponent("CN=Mira", 3)"#),
        gives_null("DNComponent([fax], 1)"),
        fails(r#"DNComponent("CN=Mira", 0)"#, "counts from 1"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (Some(dn), number) = (call.text(0)?, call.need_number(1)?) else { return Ok(Value::Null) };
    let Some(at) = usize::try_from(number).ok().and_then(|n| n.checked_sub(1)) else {
        return Err(call.fail(format_args!("number counts from 1, and {number} is given")));
    };
    let part = parts(&dn).into_iter().nth(at);
    part.map_or(Ok(Value::Null), |part| {
        call.made(part.split_once('=').map_or(part.clone(), |(_, value)| value.trim().to_owned()))
    })
}

/// The parts of a distinguished name; a comma after a backslash belongs to its part.
fn parts(dn: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = dn.chars();
    while let Some(c) = chars.next() {
        match c {
            ',' => parts.push(String::new()),
            '\\' => parts.last_mut().into_iter().for_each(|part| part.extend(chars.next())),
            c => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts
}
