use proptest::prelude::*;

use super::Json;
use crate::limits::Limits;

#[track_caller]
fn read(text: &str) -> Json {
    Json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

#[track_caller]
fn check_refused(bytes: impl AsRef<[u8]>, detail: &str) {
    let error = Json::parse(bytes.as_ref(), &Limits::default()).unwrap_err();
    assert_eq!((error.status, error.scim_type.unwrap().as_str()), (400, "invalidSyntax"));
    assert_eq!(error.detail, detail);
}

#[test]
fn members_are_found_in_any_case_and_keep_their_order() {
    let body = read(r#" {"b":1,"A":[true,null,"x"],"c":{"d":-1.5e2}} "#);
    assert_eq!(body.get("a").and_then(Json::as_array).map(<[Json]>::len), Some(3));
    assert_eq!(body.get("B").and_then(Json::as_i64), Some(1));
    assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"b":1,"A":[true,null,"x"],"c":{"d":-150.0}}"#);
}

#[test]
fn escapes_are_decoded() {
    assert_eq!(read(r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00z""#).as_str(), Some("\"\\/\u{8}\u{c}\n\r\té😀z"));
}

#[test]
fn what_has_two_readings_or_none_is_refused_with_its_place() {
    check_refused("", "line 1, column 1: the body is empty; send a JSON object");
    check_refused(" \n ", "line 2, column 2: the body is empty; send a JSON object");
    check_refused(
        "{\"active\":true,\n \"é\":1, \"Active\":false}",
        "line 2, column 9: the member \"Active\" is there twice in one object (names have no case)",
    );
    check_refused("{\"a\":1} x", "line 1, column 9: something follows the end of the JSON text");
    check_refused("{\"a\":1}{}", "line 1, column 8: something follows the end of the JSON text");
    check_refused("{\"a\" 1}", "line 1, column 6: expected ':' after a member name");
    check_refused("{\"a\":1,}", "line 1, column 8: expected a member name in double quotes");
    check_refused("{'a':1}", "line 1, column 2: expected a member name in double quotes");
    check_refused("[1,]", "line 1, column 4: expected a JSON value");
    check_refused("[1 2]", "line 1, column 4: expected ',' or ']' in an array");
    check_refused("[", "line 1, column 2: the body ends where a JSON value should be");
    check_refused("[tru]", "line 1, column 2: expected a JSON value");
    check_refused("[\"a", "line 1, column 2: a string that does not end");
    check_refused("\"a\tb\"", "line 1, column 3: a control character in a string; write it as an escape");
    check_refused(r#""\x""#, "line 1, column 3: an escape that JSON does not have");
    check_refused(r#""\u12g4""#, "line 1, column 6: \\u takes four hexadecimal digits");
    let half = "half of a surrogate pair; a character outside the basic plane takes two \\u escapes";
    check_refused(r#""\ud800""#, &format!("line 1, column 4: {half}"));
    check_refused(r#""\ud800\u0041""#, &format!("line 1, column 4: {half}"));
    check_refused(r#""\udc00""#, &format!("line 1, column 4: {half}"));
    check_refused("[01]", "line 1, column 3: a number with a leading zero");
    check_refused("[1.]", "line 1, column 4: expected a digit");
    check_refused("[-]", "line 1, column 3: expected a digit");
    check_refused("[1e999]", "line 1, column 2: a number that is out of range");
    check_refused("[99999999999999999999]", "line 1, column 2: a number that is out of range");
    check_refused(b"{\"a\":\"\xff\"}", "line 1, column 7: the body is not UTF-8");
    check_refused(b"\"\xed\xa0\x80\"", "line 1, column 2: the body is not UTF-8");
    check_refused("\u{feff}{}", "line 1, column 1: expected a JSON value");
}

#[test]
fn nesting_is_bounded() {
    let limits = Limits { depth: 3, ..Limits::default() };
    assert!(Json::parse(b"[[[1]]]", &limits).is_ok());
    assert!(Json::parse(b"[[[]],[[]],{}]", &limits).is_ok());
    let error = Json::parse(b"[[[{}]]]", &limits).unwrap_err();
    assert_eq!(error.detail, "line 1, column 4: the body is nested too deeply");
    let hostile = "[".repeat(1_000_000);
    assert!(Json::parse(hostile.as_bytes(), &Limits::default()).is_err());
}

#[test]
fn a_repeated_name_is_found_in_a_large_object_too() {
    let members: Vec<String> = (0..5000).map(|n| format!("\"k{n}\":{n}")).collect();
    let large = format!("{{{}}}", members.join(","));
    assert_eq!(read(&large).as_object().unwrap().len(), 5000);
    for again in ["K0", "K23", "K24", "K4999"] {
        let text = format!("{{{},\"{again}\":0}}", members.join(","));
        assert!(Json::parse(text.as_bytes(), &Limits::default()).is_err(), "{again}");
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..6)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Json::parse(&bytes, &Limits::default());
    }

    #[test]
    fn nothing_is_read_that_another_reader_refuses(text in r#"[\[\]{}",:0-9a-fntruls\\. eE+-]{0,40}"#) {
        if Json::parse(text.as_bytes(), &Limits::default()).is_ok() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }

    #[test]
    fn what_is_written_is_read_back(value in any_json()) {
        for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            let ours = Json::parse(text.as_bytes(), &Limits::default()).unwrap();
            prop_assert_eq!(serde_json::to_value(&ours).unwrap(), value.clone());
        }
    }
}
