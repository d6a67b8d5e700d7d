//! `Switch`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Switch",
    aliases: &[],
    help: "The value of the first key that equals the source, which is case-sensitive; else the default. The key \"\" also stands for an absent source.",
    params: &[
        Param::new("source", Kind::Any),
        Param::new("defaultValue", Kind::Any).optional(),
        Param::new("key", Kind::Any),
        Param::new("value", Kind::Any),
    ],
    repeats: 2,
    examples: &[
        gives(r#"Switch([city], "EU", "Lisbon", "PT", "", "none")"#, "PT"),
        gives(r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#, "True"),
        gives(r#"Switch([city], "EU", "lisbon", "PT")"#, "EU"),
        gives(r#"Switch([fax], "EU", "Lisbon", "PT", "", "none")"#, "none"),
        gives_null(r#"Switch([city], , "Porto", "PT")"#),
        gives(r#"Switch([department], [department], "", "Unassigned")"#, "Unassigned"),
        fails(r#"Switch([city], "EU", "Lisbon")"#, "Switch takes"),
        fails(r#"Switch([city], "EU", "a", "b", "c")"#, "in pairs"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let source = call.text(0)?.unwrap_or_default();
    let mut at = 2;
    while at + 1 < call.count() {
        if call.text(at)?.unwrap_or_default() == source {
            return call.value(at + 1);
        }
        at += 2;
    }
    call.value(1)
}
