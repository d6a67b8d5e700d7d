//! What a recipe may ask of an answer's body.

use serde_json::Value;

use super::markup::Selector;
use super::pick::JsonPath;
use super::recipe::Answer;

/// `json:$.code == 'weak'`, `json:$.code != 'ok'`, `json:$.error` (it is there), `text:too short`,
/// `css:.error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    There(JsonPath),
    Equal(JsonPath, Value),
    Unequal(JsonPath, Value),
    Text(String),
    Element(Selector),
}

impl Condition {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or(("", text));
        match kind {
            "json" => {
                if let Some((path, value)) = rest.split_once("==") {
                    Ok(Self::Equal(JsonPath::parse(path.trim())?, literal(value.trim())?))
                } else if let Some((path, value)) = rest.split_once("!=") {
                    Ok(Self::Unequal(JsonPath::parse(path.trim())?, literal(value.trim())?))
                } else {
                    Ok(Self::There(JsonPath::parse(rest.trim())?))
                }
            }
            "text" if !rest.is_empty() => Ok(Self::Text(rest.to_owned())),
            "css" => Ok(Self::Element(Selector::parse(rest)?)),
            _ => Err(format!(
                "\"{text}\" asks nothing; write json:$.code == 'weak', text:too short or css:.error"
            )),
        }
    }

    pub(crate) fn holds(&self, answer: &Answer) -> bool {
        let json = || serde_json::from_slice::<Value>(&answer.body).ok();
        match self {
            Self::There(path) => json().is_some_and(|body| path.find(&body).is_some()),
            Self::Equal(path, value) => json().is_some_and(|body| path.find(&body) == Some(value)),
            // No answer in JSON says nothing, so it is not "unequal".
            Self::Unequal(path, value) => json().is_some_and(|body| path.find(&body) != Some(value)),
            Self::Text(text) => String::from_utf8_lossy(&answer.body).contains(text.as_str()),
            Self::Element(selector) => selector.stands_in(&answer.body),
        }
    }
}

fn literal(text: &str) -> Result<Value, String> {
    match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inside) => Ok(Value::String(inside.to_owned())),
        None => serde_json::from_str(text).map_err(|_| {
            format!("{text} is no value to compare with; write 'text', a number, true, false or null")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer {
            status: 200,
            location: None,
            headers: reqwest::header::HeaderMap::new(),
            cookies: std::collections::BTreeMap::new(),
            body: zeroize::Zeroizing::new(body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn conditions_hold_of_what_they_name() {
        let cases = [
            ("json:$.code == 'weak'", r#"{"code":"weak"}"#, true),
            ("json:$.code == 'weak'", r#"{"code":"ok"}"#, false),
            ("json:$.n==3", r#"{"n":3}"#, true),
            ("json:$.code != 'ok'", r#"{"code":"weak"}"#, true),
            ("json:$.code != 'ok'", "no json", false),
            ("json:$.error", r#"{"error":null}"#, true),
            ("json:$.error", r#"{}"#, false),
            ("text:too short", "<p>It is too short.", true),
            ("css:.error", "<p class=error>no", true),
            ("css:.error", "<p>error", false),
        ];
        for (condition, body, holds) in cases {
            let parsed = Condition::parse(condition).expect("a condition");
            assert_eq!(parsed.holds(&answer(body)), holds, "{condition} of {body}");
        }
    }

    #[test]
    fn what_asks_nothing_is_refused() {
        for text in ["weak", "text:", "json:code", "json:$.a == weak", "css:a b", "xml:a"] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }
}
