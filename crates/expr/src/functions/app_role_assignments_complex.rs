//! `AppRoleAssignmentsComplex`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::functions::roles;
use crate::signature::{Function, Kind, Param, fails, gives, gives_list, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "AppRoleAssignmentsComplex",
    aliases: &[],
    help: "All roles that somebody has in the application, as complex values that are added to those at the target; roles that are taken away stay there.",
    params: &[Param::new("appRoleAssignments", Kind::List)],
    repeats: 0,
    examples: &[
        gives("Count(AppRoleAssignmentsComplex([appRoleAssignments]))", "2"),
        gives_list(
            "AppRoleAssignmentsComplex([appRoleAssignments])",
            &[
                r#"{"display":"Keeper","primary":false,"type":"WindowsAzureActiveDirectoryRole","value":"keeper"}"#,
                r#"{"display":"Auditor","primary":false,"type":"WindowsAzureActiveDirectoryRole","value":"auditor"}"#,
            ],
        ),
        gives_list(
            r#"AppRoleAssignmentsComplex("keeper")"#,
            &[
                r#"{"display":"keeper","primary":false,"type":"WindowsAzureActiveDirectoryRole","value":"keeper"}"#,
            ],
        ),
        gives_null("AppRoleAssignmentsComplex([fax])"),
        fails("AppRoleAssignmentsComplex()", "takes 1 parameters"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    roles::complex(call)
}
