//! `Replace`.

use std::borrow::Cow;

use crate::error::EvalError;
use crate::evaluate::{Call, MAX_TEXT};
use crate::pattern::{Pattern, expand};
use crate::signature::{Function, Kind, Param, fails, gives, gives_null};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "Replace",
    aliases: &[],
    help: "The text with parts of it replaced. Five uses: oldValue and replacementValue replace every occurrence; \
        oldValue and template put the text into the template; regexPattern and replacementValue replace every match, where $1 and ${name} stand for groups; \
        with regexGroupName only that group of each match is replaced; \
        regexPattern, regexGroupName and replacementAttributeName take the value from another attribute when the text is absent or empty.",
    params: &[
        Param::new("source", Kind::Text),
        Param::new("oldValue", Kind::Text).optional(),
        Param::new("regexPattern", Kind::Pattern).optional(),
        Param::new("regexGroupName", Kind::Text).optional(),
        Param::new("replacementValue", Kind::Text).optional(),
        Param::new("replacementAttributeName", Kind::Text).optional(),
        Param::new("template", Kind::Text).optional(),
    ],
    repeats: 0,
    examples: &[
        gives(r#"Replace([mail], "@quarry.example", , , "", , )"#, "mira"),
        gives(r#"Replace([city], "{c}", , , , , "Office {c}")"#, "Office Lisbon"),
        gives(r#"Replace([mobile], , "\\+(?<cc>\\d+) (?<no>\\d+)", , "${no}", , )"#, "912345678"),
        gives(r#"Replace("12 Rua Nova", , "(?<n>^\\d*)", "n", "40", , )"#, "40 Rua Nova"),
        gives(r#"Replace([fax], , "(?<d>\\d{9})$", "d", , [mobile], )"#, "912345678"),
        gives(r#"Replace("1234", , "(?<d>\\d{9})$", "d", , [mobile], )"#, "1234"),
        gives(r#"Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , )"#, "mira.okefa"),
        gives(r#"Replace([mobile], , "[()\\s-]+", , "", , )"#, "+351912345678"),
        gives(r#"Replace("a1b2", , "[a-z]*", , "", , )"#, "12"),
        gives(r#"Replace("a.b", , "(\\w)\\.(\\w)", , "$2-$1$$", , )"#, "b-a$"),
        gives(r#"Replace("foobar", , "foo(?=bar)", , "x", , )"#, "xbar"),
        gives_null(r#"Replace([fax], "a", , , "b", , )"#),
        fails(r#"Replace([city], "a")"#, "is given in none of its five uses"),
        fails(r#"Replace([city], , "(", , "", , )"#, "is no regular expression"),
        fails(r#"Replace([city], , "(a+)+$", "x", "", , )"#, "there is no group x"),
        fails(
            r#"Replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", , "^(a|aa)+(?<!b)\\1$", , "", , )"#,
            "steps",
        ),
    ],
    root_only: false,
    eval,
};

const OLD: usize = 1;
const PATTERN: usize = 2;
const GROUP: usize = 3;
const NEW: usize = 4;
const OTHER: usize = 5;
const TEMPLATE: usize = 6;

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let given = |at: usize| !call.is_omitted(at);
    match (given(OLD), given(PATTERN), given(NEW), given(OTHER), given(TEMPLATE)) {
        (true, false, true, false, false) => literally(call),
        (true, false, false, false, true) => into_template(call),
        (false, true, true, false, false) => by_pattern(call),
        (false, true, false, true, false) if given(GROUP) => from_other(call),
        _ => Err(call.fail(
            "it is given in none of its five uses: old with replacement, old with template, pattern with replacement, \
             pattern with group and replacement, pattern with group and another attribute",
        )),
    }
}

fn literally<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    let (old, new) = (call.text(OLD)?.unwrap_or_default(), call.text(NEW)?.unwrap_or_default());
    replace_all(call, source, &old, &new)
}

fn into_template<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let template = call.text(TEMPLATE)?.unwrap_or_default();
    let (source, old) = (call.text(0)?.unwrap_or_default(), call.text(OLD)?.unwrap_or_default());
    replace_all(call, template, &old, &source)
}

fn replace_all<'a>(
    call: &Call<'_, 'a>,
    text: Cow<'a, str>,
    old: &str,
    new: &str,
) -> Result<Value<'a>, EvalError> {
    let count = if old.is_empty() { 0 } else { text.matches(old).count() };
    if count == 0 {
        return Ok(Value::Text(text));
    }
    if text.len() + count * new.len() > MAX_TEXT + count * old.len() {
        return Err(call.too_long());
    }
    call.made(text.replace(old, new))
}

fn by_pattern<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Some(source) = call.text(0)? else { return Ok(Value::Null) };
    let Some(pattern) = call.pattern(PATTERN)? else { return Ok(Value::Text(source)) };
    let new = call.text(NEW)?.unwrap_or_default();
    let group = group_name(call, &pattern)?;
    let replaced = match &group {
        // Only the span of the group goes; what the replacement says stands there as it is.
        Some(name) => pattern.replace(&source, Some(name), |_, out| out.push_str(&new), MAX_TEXT),
        None => pattern.replace(&source, None, |captures, out| expand(&new, captures, out), MAX_TEXT),
    };
    match replaced.map_err(|error| call.fail(error))? {
        Some(text) => call.made(text.into_owned()),
        None => Err(call.too_long()),
    }
}

fn from_other<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let source = call.text(0)?;
    if let Some(text) = source.filter(|text| !text.is_empty()) {
        return Ok(Value::Text(text));
    }
    let (Some(other), Some(pattern)) = (call.text(OTHER)?, call.pattern(PATTERN)?) else {
        return Ok(Value::Null);
    };
    let group = group_name(call, &pattern)?.unwrap_or_default();
    let found = pattern.group_in(&other, &group).map_err(|error| call.fail(error))?;
    Ok(found.map_or(Value::Null, |text| Value::owned(text.to_owned())))
}

fn group_name<'a>(call: &Call<'_, 'a>, pattern: &Pattern) -> Result<Option<Cow<'a, str>>, EvalError> {
    let name = call.text(GROUP)?.filter(|name| !name.is_empty());
    match name {
        Some(name) if !pattern.has_group(&name) => {
            Err(call.fail(format_args!("there is no group {name} in the pattern")))
        }
        name => Ok(name),
    }
}
