//! Scope filters: each operator, with what is absent, empty, of the wrong kind, and of the wrong case.

use latchkey_provisioning::{Clause, Group, Operator, Scope};
use serde_json::{Map, Value as Json, json};

fn person() -> Map<String, Json> {
    match json!({
        "city": "Lisbon", "empty": "", "level": 514, "levelText": "42", "enabled": true, "off": "False",
        "tags": ["red", "green"], "none": null,
    }) {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

#[test]
fn each_operator_holds_when_it_should() {
    for (attribute, operator, value, holds) in [
        ("city", "EQUALS", Some("Lisbon"), true),
        ("city", "EQUALS", Some("lisbon"), false),
        ("level", "EQUALS", Some("514"), true),
        ("city", "NOT EQUALS", Some("lisbon"), true),
        ("city", "NOT EQUALS", Some("Lisbon"), false),
        ("enabled", "IS TRUE", None, true),
        ("off", "IS TRUE", None, false),
        ("off", "IS FALSE", None, true),
        ("city", "IS FALSE", None, false),
        ("none", "IS NULL", None, true),
        ("empty", "IS NULL", None, true),
        ("city", "IS NULL", None, false),
        ("city", "IS NOT NULL", None, true),
        ("city", "REGEX MATCH", Some("is"), true),
        ("city", "REGEX MATCH", Some("^is"), false),
        ("city", "REGEX MATCH", Some("LIS"), false),
        ("city", "REGEX MATCH", Some("(?i)LIS"), true),
        ("city", "REGEX MATCH", Some("^(?!Porto).*$"), true),
        ("city", "NOT REGEX MATCH", Some("^P"), true),
        ("city", "NOT REGEX MATCH", Some("^L"), false),
        ("levelText", "Greater_Than", Some("41"), true),
        ("levelText", "Greater_Than", Some("42"), false),
        ("levelText", "Greater_Than_OR_EQUALS", Some("42"), true),
        ("city", "Greater_Than", Some("1"), false),
        ("city", "Includes", Some("sbo"), true),
        ("city", "Includes", Some("SBO"), false),
        ("city", "ENDS_WITH", Some("bon"), true),
        ("level", "&", Some("2"), true),
        ("level", "&", Some("1"), false),
        ("city", "&", Some("Porto Lisbon Faro"), true),
        ("city", "&", Some("Porto"), false),
        ("level", "!&", Some("1"), true),
        ("tags", "EQUALS", Some("red"), true),
        ("tags", "EQUALS", Some("green"), false),
        ("tags", "IsMemberOf", Some("green"), true),
        ("tags", "IsMemberOf", Some("blue"), false),
    ] {
        let clause = Clause::new(attribute, Operator::parse(operator).unwrap(), value).unwrap();
        assert_eq!(clause.holds(&person()), holds, "{clause}");
    }
}

#[test]
fn what_is_absent_or_empty_passes_nothing_but_is_null() {
    for operator in Operator::ALL {
        let value = if operator.is_unary() { None } else { Some("1") };
        for attribute in ["absent", "none", "empty"] {
            let clause = Clause::new(attribute, *operator, value).unwrap();
            assert_eq!(clause.holds(&person()), *operator == Operator::IsNull, "{clause}");
        }
    }
}

#[test]
fn clauses_of_a_group_hold_together_and_one_group_is_enough() {
    let clause =
        |attribute: &str, value: &str| Clause::new(attribute, Operator::Equals, Some(value)).unwrap();
    let group = |title: &str, clauses| Group { title: title.to_owned(), clauses };
    let both = group("both", vec![clause("city", "Lisbon"), clause("level", "1")]);
    let other = group("other", vec![clause("levelText", "42")]);
    assert!(Scope::default().evaluate(&person()).0);
    assert!(!Scope { groups: vec![both.clone()] }.evaluate(&person()).0);
    let (passes, results) = Scope { groups: vec![both, other] }.evaluate(&person());
    assert!(passes);
    let shown: Vec<_> = results.iter().map(|r| (r.group.as_str(), r.clause.as_str(), r.holds)).collect();
    let expected = [
        ("both", "city EQUALS Lisbon", true),
        ("both", "level EQUALS 1", false),
        ("other", "levelText EQUALS 42", true),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn operators_have_their_spellings_and_say_what_is_wrong() {
    for operator in Operator::ALL {
        assert_eq!(Operator::parse(operator.as_str()), Ok(*operator));
        assert_eq!(Operator::parse(&operator.as_str().to_lowercase().replace('_', " ")), Ok(*operator));
    }
    assert!(Operator::parse("LIKE").unwrap_err().to_string().contains("there are EQUALS, NOT EQUALS"));
    let wrong = |operator, value| Clause::new("a", operator, value).unwrap_err().to_string();
    assert_eq!(wrong(Operator::IsNull, Some("x")), "IS NULL takes no value");
    assert_eq!(wrong(Operator::Equals, None), "EQUALS needs a value");
    assert_eq!(
        wrong(Operator::GreaterThan, Some("x")),
        "Greater_Than compares whole numbers, and \"x\" is none"
    );
    assert!(wrong(Operator::RegexMatch, Some("(")).contains("no regular expression"));
}
