//! `AssertiveAppRoleAssignmentsComplex`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::functions::roles;
use crate::signature::{Function, Kind, Param, fails, gives, gives_list, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "AssertiveAppRoleAssignmentsComplex",
    aliases: &[],
    help: "All roles that somebody has in the application, as complex values that replace those at the target.",
    params: &[Param::new("appRoleAssignments", Kind::List)],
    repeats: 0,
    examples: &[
        gives("Count(AssertiveAppRoleAssignmentsComplex([appRoleAssignments]))", "2"),
        gives_list(
            "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])",
            &[
                r#"{"display":"Keeper","primary":false,"type":"WindowsAzureActiveDirectoryRole","value":"keeper"}"#,
                r#"{"display":"Auditor","primary":false,"type":"WindowsAzureActiveDirectoryRole","value":"auditor"}"#,
            ],
        ),
        gives_list(
            r#"AssertiveAppRoleAssignmentsComplex("keeper")"#,
            &[
                r#"{"display":"keeper","primary":false,"type":"WindowsAzureActiveDirectoryRole","value":"keeper"}"#,
            ],
        ),
        gives_null("AssertiveAppRoleAssignmentsComplex([fax])"),
        fails("AssertiveAppRoleAssignmentsComplex()", "takes 1 parameters"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    roles::complex(call)
}
