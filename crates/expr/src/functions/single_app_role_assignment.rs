//! `SingleAppRoleAssignment`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::functions::roles;
use crate::signature::{Function, Kind, Param, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "SingleAppRoleAssignment",
    aliases: &[],
    help: "The one role that somebody has in the application; of several the first by value.",
    params: &[Param::new("appRoleAssignments", Kind::List)],
    repeats: 0,
    examples: &[
        gives("SingleAppRoleAssignment([appRoleAssignments])", "auditor"),
        gives(r#"SingleAppRoleAssignment("Keeper")"#, "Keeper"),
        gives_null("SingleAppRoleAssignment([fax])"),
        gives(r#"SingleAppRoleAssignment(Split("b,a", ","))"#, "a"),
        gives(
            r#"Switch(SingleAppRoleAssignment([appRoleAssignments]), "user", "auditor", "read-only")"#,
            "read-only",
        ),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let first = roles::of(call)?.into_iter().min_by(|a, b| a.value.cmp(&b.value));
    Ok(first.map_or(Value::Null, |role| Value::owned(role.value)))
}
