//! `AppRoleAssignments`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::functions::roles;
use crate::signature::{Function, Kind, Param, gives, gives_list, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "AppRoleAssignments",
    aliases: &[],
    help: "The values of all roles that somebody has in the application.",
    params: &[Param::new("appRoleAssignments", Kind::List)],
    repeats: 0,
    examples: &[
        gives_list("AppRoleAssignments([appRoleAssignments])", &["keeper", "auditor"]),
        gives(r#"Join(",", AppRoleAssignments([appRoleAssignments]))"#, "keeper,auditor"),
        gives_null("AppRoleAssignments([fax])"),
        gives_list(r#"AppRoleAssignments(Split("a,b", ","))"#, &["a", "b"]),
        gives("Count(AppRoleAssignments([appRoleAssignments]))", "2"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let values: Vec<Value<'a>> = roles::of(call)?.into_iter().map(|role| Value::owned(role.value)).collect();
    Ok(if values.is_empty() { Value::Null } else { Value::List(values) })
}
