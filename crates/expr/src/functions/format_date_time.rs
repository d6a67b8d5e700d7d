//! `FormatDateTime`.

use crate::dates::dotnet::{Format, Styles};
use crate::error::EvalError;
use crate::evaluate::{Call, shorten};
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "FormatDateTime",
    aliases: &[],
    help: "A date in another form. Both formats are custom ones of .NET; styles are names of DateTimeStyles.",
    params: &[
        Param::new("source", Kind::Text),
        Param::new("dateTimeStyles", Kind::Text).optional(),
        Param::new("inputFormat", Kind::Text),
        Param::new("outputFormat", Kind::Text).optional(),
    ],
    repeats: 0,
    examples: &[
        gives(r#"FormatDateTime("20261102T0930", , "yyyyMMddTHHmm", "dd MMM yyyy")"#, "02 Nov 2026"),
        gives(r#"FormatDateTime([employeeHireDate], , "yyyy-MM-ddTHH:mm:ssZ", "yyyy-MM-dd")"#, "2026-11-16"),
        gives(
            r#"FormatDateTime("2.11.2026 9:05", "AllowWhiteSpaces", "d.M.yyyy H:mm", "dddd, d MMMM yyyy h:mm tt")"#,
            "Monday, 2 November 2026 9:05 AM",
        ),
        gives(r#"FormatDateTime("20261102", "yyyyMMdd", "yyyy/MM/dd")"#, "2026/11/02"),
        gives(
            r#"FormatDateTime("2026-11-02T01:00:00+05:30", , "yyyy-MM-ddTHH:mm:sszzz", "yyyy-MM-ddTHH:mm:ssK")"#,
            "2026-11-01T19:30:00Z",
        ),
        gives_null(r#"FormatDateTime([fax], , "yyyyMMdd", "yyyy")"#),
        fails(r#"FormatDateTime("2.11.2026", , "yyyyMMdd", "yyyy")"#, "does not have the form yyyyMMdd"),
        fails(r#"FormatDateTime("20261102", "Fast", "yyyyMMdd", "yyyy")"#, "no DateTimeStyles"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    // The old form has no styles.
    let at = if call.count() == 3 { 1 } else { 2 };
    let format = |at: usize| -> Result<Format, EvalError> {
        let text = call.text(at)?.unwrap_or_default();
        Format::parse(&text).map_err(|error| call.fail(error))
    };
    let styles = match call.text(1)?.filter(|_| at == 2) {
        Some(names) => Styles::parse(&names).map_err(|error| call.fail(error))?,
        None => Styles::default(),
    };
    let read = format(at)?.read(&source, styles);
    let found = read.ok_or_else(|| {
        let wanted = call.text(at).ok().flatten().unwrap_or_default();
        call.fail(format_args!("{:?} does not have the form {wanted}", shorten(&source)))
    })?;
    call.made(format(at + 1)?.print(found))
}
