//! What the flight recorder may keep of a request: names and shapes, not people's data.
//!
//! Kept are attribute names, operations, paths, ids, `active` and other booleans, `type`s and
//! counts. Every other value becomes `…`; so a password is nowhere, wherever a client put it.

use latchkey_scim::Limits;
use latchkey_scim::filter::{self, Filter, Literal, Test, Then};
use latchkey_scim::json::Json;
use latchkey_scim::path::{AttrPath, PatchPath};
use serde_json::{Map, Value};

/// What stands for a value that is not kept.
const GONE: &str = "…";
/// How many values of one list are kept; how many more there were is told.
const LISTED: usize = 20;
/// How deep a body is kept; the rest becomes `…`.
const DEPTH: usize = 10;

/// A query string: known parameters with their values, a filter without its texts, unknown
/// parameters by name alone (somebody may have put a token there).
pub(crate) fn query(pairs: &[(String, String)], limits: &Limits) -> String {
    const KEPT: [&str; 8] = [
        "attributes",
        "excludedAttributes",
        "startIndex",
        "count",
        "sortBy",
        "sortOrder",
        "filter",
        "cursor",
    ];
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        match KEPT.iter().find(|kept| name.eq_ignore_ascii_case(kept)) {
            Some(&"filter") => {
                out.push_str("filter=");
                out.push_str(&filter_text(value, limits));
            }
            Some(&"cursor") => out.push_str(if value.is_empty() { "cursor=" } else { "cursor=…" }),
            Some(kept) => {
                out.push_str(kept);
                out.push('=');
                out.extend(value.chars().filter(|c| !c.is_control()).take(200));
            }
            None => out.extend(name.chars().filter(|c| !c.is_control()).take(60)),
        }
    }
    out
}

/// A body.
pub(crate) fn body(json: &Json, limits: &Limits) -> Value {
    value(json, "", DEPTH, limits)
}

fn value(json: &Json, attribute: &str, depth: usize, limits: &Limits) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(_) | Json::String(_) if !keeps(attribute, json) => Value::from(GONE),
        Json::Number(n) => Value::Number(n.clone()),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(_) | Json::Object(_) if depth == 0 => Value::from(GONE),
        Json::Array(values) => {
            let mut kept: Vec<Value> =
                values.iter().take(LISTED).map(|v| value(v, attribute, depth - 1, limits)).collect();
            if let Some(more) = values.len().checked_sub(LISTED).filter(|more| *more > 0) {
                kept.push(Value::from(format!("{GONE} {more} more")));
            }
            Value::Array(kept)
        }
        Json::Object(members) => {
            // The value of a PATCH operation is that of the attribute that its path names.
            let path = json.get("op").and(json.get("path")).and_then(Json::as_str);
            let named = path.map(attribute_of);
            let members = members.iter().map(|(name, member)| {
                let shown = match (name.to_ascii_lowercase().as_str(), member) {
                    ("path", Json::String(text)) => Value::from(path_text(text, limits)),
                    ("filter", Json::String(text)) => Value::from(filter_text(text, limits)),
                    ("value" | "$ref", _) => {
                        value(member, named.as_deref().unwrap_or(attribute), depth - 1, limits)
                    }
                    _ => value(member, name, depth - 1, limits),
                };
                (name.to_owned(), shown)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}

/// Whether a value under this name is an id or a word of the protocol.
fn keeps(attribute: &str, json: &Json) -> bool {
    let name = attribute.to_ascii_lowercase();
    let is_id = |json: &Json| {
        json.as_str().is_some_and(|t| {
            t.len() <= 64 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"-:_".contains(&b))
        })
    };
    match name.as_str() {
        "op" | "method" | "bulkid" | "schemas" | "type" | "active" | "primary" | "startindex" | "count"
        | "failonerrors" | "attributes" | "excludedattributes" | "sortby" | "sortorder" | "version" => true,
        "id" | "members" | "manager" => is_id(json),
        _ => false,
    }
}

fn attribute_of(path: &str) -> String {
    PatchPath::parse(path, &Limits::default()).map(|path| path.attribute.name.to_string()).unwrap_or_default()
}

fn path_text(text: &str, limits: &Limits) -> String {
    if text.starts_with('/') {
        // A bulk operation's path: an endpoint and an id.
        return text.chars().filter(|c| !c.is_control()).take(120).collect();
    }
    match PatchPath::parse(text, limits) {
        Ok(mut path) => {
            path.filter = path.filter.map(|filter| without_texts(filter, &path.attribute));
            path.to_string()
        }
        Err(_) => GONE.to_owned(),
    }
}

fn filter_text(text: &str, limits: &Limits) -> String {
    match filter::parse(text, limits) {
        Ok(filter) => without_texts(filter, &AttrPath::plain("")).to_string(),
        Err(_) => GONE.to_owned(),
    }
}

/// The filter with each text replaced that is neither an id nor a type. `outer` is the attribute
/// whose values a bracket filters; `value` in it means that attribute.
fn without_texts(filter: Filter, outer: &AttrPath) -> Filter {
    let all = |filters: Vec<Filter>| filters.into_iter().map(|f| without_texts(f, outer)).collect();
    match filter {
        Filter::And(filters) => Filter::And(all(filters)),
        Filter::Or(filters) => Filter::Or(all(filters)),
        Filter::Not(inner) => Filter::Not(Box::new(without_texts(*inner, outer))),
        Filter::Is(path, test) => {
            let sub = path.sub.as_ref().map(ToString::to_string);
            let name = match sub.as_deref() {
                Some(sub) if !sub.eq_ignore_ascii_case("value") => sub.to_owned(),
                _ if path.name == "value" => outer.name.to_string(),
                _ => path.name.to_string(),
            };
            Filter::Is(path, without_text(test, &name))
        }
        Filter::Values { path, filter, then } => {
            let filter = Box::new(without_texts(*filter, &path));
            let then = then.map(|then| {
                let name = then.sub.as_ref().map_or_else(|| path.name.to_string(), ToString::to_string);
                Then { test: without_text(then.test, &name), ..then }
            });
            Filter::Values { path, filter, then }
        }
    }
}

fn without_text(test: Test, name: &str) -> Test {
    match test {
        Test::Compare(op, Literal::String(text)) if !keeps(name, &Json::String(text.clone())) => {
            Test::Compare(op, Literal::String(GONE.to_owned()))
        }
        Test::Compare(op, Literal::Number(_)) => Test::Compare(op, Literal::String(GONE.to_owned())),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body_text: &str) -> String {
        let limits = Limits::default();
        body(&Json::parse(body_text.as_bytes(), &limits).unwrap(), &limits).to_string()
    }

    #[test]
    fn no_persons_data_and_no_secret_stays_wherever_it_is_put() {
        for sent in [
            r#"{"userName":"canary","password":"canary","active":true,"emails":[{"type":"work","value":"canary"}]}"#,
            r#"{"Operations":[{"op":"replace","path":"password","value":"canary"}]}"#,
            r#"{"Operations":[{"op":"replace","value":{"password":"canary","id":"4f"}}]}"#,
            r#"{"Operations":[{"op":"add","path":"emails[value eq \"canary\"].display","value":"canary"}]}"#,
            r#"{"filter":"userName eq \"canary\" or emails[type eq \"work\"].value sw \"canary\""}"#,
            r#"{"Operations":[{"op":"replace","path":"name.givenName","value":[{"$ref":"canary","value":"canary"}]}]}"#,
            r#"{"canary2":{"phoneNumbers":["canary"]},"employeeNumber":12345}"#,
        ] {
            let kept = shown(sent);
            assert!(!kept.contains("canary\"") && !kept.contains("12345"), "{kept}");
        }
        let pairs = [
            ("filter".to_owned(), r#"userName eq "canary""#.to_owned()),
            ("x".to_owned(), "canary".to_owned()),
        ];
        assert_eq!(query(&pairs, &Limits::default()), r#"filter=userName eq "…"&x"#);
    }

    #[test]
    fn ids_operations_paths_and_active_stay() {
        let kept = shown(
            r#"{"schemas":["urn:x"],"Operations":[{"op":"Add","path":"members","value":[{"value":"0198-aa"}]},
                {"op":"remove","path":"members[value eq \"0198-bb\"]"},{"op":"Replace","path":"active","value":"False"}]}"#,
        );
        for part in ["urn:x", "Add", "0198-aa", r#"members[value eq \"0198-bb\"]"#, "active"] {
            assert!(kept.contains(part), "{part} in {kept}");
        }
        assert_eq!(
            query(
                &[("filter".to_owned(), r#"id eq "g-1" and members eq "u-1""#.to_owned())],
                &Limits::default()
            ),
            r#"filter=id eq "g-1" and members eq "u-1""#
        );
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let members: Vec<String> = (0..50).map(|n| format!(r#"{{"value":"u-{n}"}}"#)).collect();
        let kept = shown(&format!(r#"{{"members":[{}]}}"#, members.join(",")));
        assert!(kept.contains("u-19") && !kept.contains("u-20") && kept.contains("30 more"), "{kept}");
    }
}
