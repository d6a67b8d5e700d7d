//! From text to data, with errors that name the place.

use latchkey_rotation::Class;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::ConfigError;

impl From<RecipeError> for ConfigError {
    fn from(error: RecipeError) -> Self {
        Self::new(format!("recipe, {}", error.at), error.problem)
    }
}

/// What is wrong with a recipe, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecipeError {
    /// As `step "change", request.json.new`.
    at: String,
    /// What is wrong there, and what would be right.
    problem: String,
}

impl RecipeError {
    pub(crate) fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { at: at.into(), problem: problem.into() }
    }
}

/// Reads TOML, or JSON where the text begins with `{`.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, RecipeError> {
    let value: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| {
            RecipeError::new(format!("line {}, column {}", error.line(), error.column()), "this is no JSON")
        })?
    } else {
        toml::from_str(text).map_err(|error| {
            let upto = error.span().map_or(0, |span| span.start);
            let line = text.get(..upto).unwrap_or_default().matches('\n').count() + 1;
            RecipeError::new(format!("line {line}"), error.message())
        })?
    };
    from_value(&value)
}

fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, RecipeError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let at = named(value, &error.path().to_string());
        RecipeError::new(at, error.into_inner().to_string())
    })
}

/// The path with a step's name where the step has one: `step[1].request` → `step "change", request`.
fn named(value: &Value, path: &str) -> String {
    let Some((before, rest)) = path.split_once("step[") else { return path.to_owned() };
    let Some((index, rest)) = rest.split_once(']') else { return path.to_owned() };
    let pointer = format!("/{}step/{index}/name", before.replace('.', "/"));
    match value.pointer(&pointer).and_then(Value::as_str) {
        Some(name) => {
            let field = rest.trim_start_matches('.');
            let comma = if field.is_empty() { "" } else { ", " };
            format!("{before}step \"{name}\"{comma}{field}")
        }
        None => path.to_owned(),
    }
}

/// The class that a declared error names.
pub(crate) fn class(word: &str) -> Result<Class, String> {
    match word {
        "transient" => Ok(Class::Transient),
        "policy" => Ok(Class::Policy),
        "auth" => Ok(Class::Auth),
        "needs_person" => Ok(Class::NeedsPerson),
        other => Err(format!("\"{other}\" is no class; there are transient, policy, auth and needs_person")),
    }
}
