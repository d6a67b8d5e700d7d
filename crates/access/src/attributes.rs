//! Which attributes of a stored SCIM text changed, for audit records: their names, not their values.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The names of the top-level attributes that differ; extensions are one name each.
pub(crate) fn changed(before: &str, after: &str) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let (mut before, after) = (object(before), object(after));
    let mut changed = Vec::new();
    for (name, is) in after {
        if before.remove(&name).is_none_or(|was| was.get() != is.get()) {
            changed.push(name);
        }
    }
    changed.extend(before.into_keys());
    changed.sort_unstable();
    changed
}

/// The attributes with their values as text: stored texts are canonical, so equal values are equal
/// texts. A text that is no object has no attributes; the store finds such a row damaged when it
/// is read.
fn object(text: &str) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_was_added_changed_and_removed() {
        let names = changed(r#"{"a":1,"b":2,"c":{"x":1}}"#, r#"{"a":1,"b":3,"d":true}"#);
        assert_eq!(names, ["b", "c", "d"]);
        assert!(changed("{}", "{}").is_empty());
    }
}
