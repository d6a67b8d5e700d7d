//! App roles, as sources give them: texts, or objects with a value and a display name.

use serde_json::{Map, Value as Json, json};

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::value::Value;

/// One role that somebody has in the application.
pub(super) struct Role {
    pub(super) value: String,
    pub(super) display: String,
}

/// The roles of the first parameter.
pub(super) fn of(call: &Call<'_, '_>) -> Result<Vec<Role>, EvalError> {
    let role = |value: Value<'_>| match value {
        Value::Object(object) => {
            let text = |name: &str| object.get(name).and_then(Json::as_str).map(str::to_owned);
            let display = text("displayName").or_else(|| text("display"));
            let value = text("value").filter(|value| !value.is_empty()).or_else(|| display.clone())?;
            Some(Role { display: display.unwrap_or_else(|| value.clone()), value })
        }
        other => {
            let value = other.into_text().filter(|text| !text.is_empty())?.into_owned();
            Some(Role { display: value.clone(), value })
        }
    };
    Ok(call.list(0)?.into_iter().filter_map(role).collect())
}

/// The objects that both complex functions give.
pub(super) fn complex<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let object = |role: Role| {
        let mut object = Map::new();
        object.insert("primary".to_owned(), json!(false));
        object.insert("type".to_owned(), json!("WindowsAzureActiveDirectoryRole"));
        object.insert("display".to_owned(), json!(role.display));
        object.insert("value".to_owned(), json!(role.value));
        Value::Object(std::borrow::Cow::Owned(object))
    };
    let objects: Vec<Value<'a>> = of(call)?.into_iter().map(object).collect();
    Ok(if objects.is_empty() { Value::Null } else { Value::List(objects) })
}
