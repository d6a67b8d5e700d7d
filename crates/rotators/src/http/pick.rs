//! What a recipe keeps of an answer: a place in JSON, a cookie, a header, an attribute of an element.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::markup::Selector;
use super::recipe::Answer;

/// Where a value stands in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pick {
    Json(JsonPath),
    Cookie(String),
    Header(reqwest::header::HeaderName),
    Css(Selector),
}

impl Pick {
    /// `json:$.a.b`, `cookie:sid`, `header:X-CSRF`, `css:input[name=csrf]`, `field:csrf`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or(("", text));
        match kind {
            "json" => Ok(Self::Json(JsonPath::parse(rest)?)),
            "cookie" if !rest.is_empty() => Ok(Self::Cookie(rest.to_owned())),
            "header" => match rest.parse() {
                Ok(name) => Ok(Self::Header(name)),
                Err(_) => Err(format!("\"{rest}\" is no name of a header")),
            },
            "css" => Ok(Self::Css(Selector::parse(rest)?)),
            "field" if !rest.is_empty() => Ok(Self::Css(Selector::field(rest))),
            _ => Err(format!(
                "\"{text}\" says nowhere to look; write json:$.a.b, cookie:NAME, header:NAME, field:NAME or css:SELECTOR"
            )),
        }
    }

    pub(crate) fn from(&self, answer: &Answer) -> Option<SecretString> {
        match self {
            Self::Json(path) => match path.find(&serde_json::from_slice(&answer.body).ok()?)? {
                Value::String(text) => Some(text.clone().into()),
                Value::Number(number) => Some(number.to_string().into()),
                Value::Bool(truth) => Some(truth.to_string().into()),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            },
            Self::Cookie(name) => answer.cookies.get(name).cloned(),
            Self::Header(name) => Some(answer.headers.get(name)?.to_str().ok()?.into()),
            Self::Css(selector) => selector.first(&answer.body),
        }
        .filter(|found| !found.expose_secret().is_empty())
    }
}

/// `$.a.b[0].c`: members and indexes, nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath(Vec<Leg>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Leg {
    Member(String),
    Index(usize),
}

impl JsonPath {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no path; write it as $.a.b or $.list[0].name");
        let mut rest = text.strip_prefix('$').ok_or_else(wrong)?;
        let mut legs = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (name, behind) = after.split_at(end);
                if name.is_empty() || name.contains(char::is_whitespace) {
                    return Err(wrong());
                }
                legs.push(Leg::Member(name.to_owned()));
                rest = behind;
            } else {
                let (index, behind) =
                    rest.strip_prefix('[').and_then(|after| after.split_once(']')).ok_or_else(wrong)?;
                legs.push(Leg::Index(index.parse().map_err(|_| wrong())?));
                rest = behind;
            }
        }
        Ok(Self(legs))
    }

    pub(crate) fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |at, leg| match leg {
            Leg::Member(name) => at.get(name),
            Leg::Index(index) => at.get(index),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_members_and_items() {
        let value = json!({"a": {"b": [{"c": 1}, {"c": 2}]}});
        let at = |path: &str| JsonPath::parse(path).expect("a path").find(&value).cloned();
        assert_eq!(at("$.a.b[1].c"), Some(json!(2)));
        assert_eq!(at("$"), Some(value.clone()));
        assert_eq!(at("$.a.x"), None);
        assert_eq!(at("$.a.b[7]"), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "a", "$a", "$.", "$..a", "$[x]", "$[0", "$.a b", "$.a[*]"] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_says_nowhere_to_look_is_refused() {
        for pick in ["csrf", "xpath://a", "cookie:", "header:a b", "field:", "json:a", "css:"] {
            assert!(Pick::parse(pick).is_err(), "{pick}");
        }
    }
}
