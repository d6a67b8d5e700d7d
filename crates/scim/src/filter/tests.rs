use proptest::prelude::*;

use super::{Filter, Literal, Op, Test, Then, matches, parse, resolve};
use crate::path::{AttrPath, PatchPath};
use crate::schema::{GROUP_TYPE, USER_TYPE};
use crate::{Complex, Limits, Name, Resource, ScimType, Value};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn read(text: &str) -> Filter {
    parse(text, &Limits::default()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The error of parsing or, if that succeeds, of resolving.
fn refusal(text: &str) -> (ScimType, String) {
    let limits = Limits::default();
    let error = match parse(text, &limits).and_then(|f| resolve(&f, &USER_TYPE)) {
        Err(error) => error,
        Ok(resolved) => panic!("{text} is read as {resolved:?}"),
    };
    assert_eq!(error.status, 400, "{text}");
    (error.scim_type.unwrap(), error.detail)
}

#[test]
fn filters_print_in_one_way() {
    let cases = [
        ("userName eq \"ida\"", "userName eq \"ida\""),
        ("userName EQ \"ida\"", "userName eq \"ida\""),
        ("  title   Pr ", "title pr"),
        ("a eq 1 or b eq 2 and c eq 3", "a eq 1 or b eq 2 and c eq 3"),
        ("(a eq 1 or b eq 2) and c eq 3", "(a eq 1 or b eq 2) and c eq 3"),
        ("a eq 1 or (b eq 2 and c eq 3)", "a eq 1 or b eq 2 and c eq 3"),
        ("((a eq 1))", "a eq 1"),
        ("a pr AND (b pr And c pr)", "a pr and (b pr and c pr)"),
        ("not(a pr)", "not (a pr)"),
        ("NOT (not (a pr)) and b pr", "not (not (a pr)) and b pr"),
        ("not (a pr or b pr)", "not (a pr or b pr)"),
        ("emails[type eq \"work\" and value co \"@x\"]", "emails[type eq \"work\" and value co \"@x\"]"),
        ("emails[ type eq \"work\" ].value eq \"x\"", "emails[type eq \"work\"].value eq \"x\""),
        ("emails[type eq \"work\"] eq \"x\" and a pr", "emails[type eq \"work\"] eq \"x\" and a pr"),
        ("emails[type eq \"work\"].value pr", "emails[type eq \"work\"].value pr"),
        ("emails[not (type eq \"work\")]", "emails[not (type eq \"work\")]"),
        ("urn:a:2.0:User:name.x sw \"J\"", "urn:a:2.0:User:name.x sw \"J\""),
        ("active eq TRUE", "active eq true"),
        ("x eq null", "x eq null"),
        ("x gt -1.5e3", "x gt -1500.0"),
        ("x eq \"a\\u00e9\\\"\\\\\\n\"", "x eq \"aé\\\"\\\\\\n\""),
        ("members.$ref eq \"u\"", "members.$ref eq \"u\""),
        // keywords are keywords only where one is due
        ("not pr", "not pr"),
        ("and eq 1 and or pr", "and eq 1 and or pr"),
        ("(a pr)and(b pr)", "a pr and b pr"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).to_string(), expected, "{text}");
    }
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    let Filter::Or(terms) = read("a pr and b pr or not (c pr) and d pr") else { panic!() };
    let [Filter::And(left), Filter::And(right)] = terms.as_slice() else { panic!() };
    assert_eq!((left.len(), right.len()), (2, 2));
    assert!(matches!(right[0], Filter::Not(_)));
}

#[test]
fn a_broken_filter_says_where_what_and_how() {
    let cases = [
        ("", "column 1: expected an attribute"),
        ("userName", "column 9: expected an operator"),
        (
            "userName = \"x\"",
            "column 10: expected an operator: eq, ne, co, sw, ew, gt, ge, lt, le or pr, found \"=\"; write eq",
        ),
        ("é eq 1", "column 1: expected an attribute"),
        ("userName eq", "column 12: expected a value"),
        ("userName eq ida", "column 13: expected a value: text in double quotes"),
        ("userName eq 'ida'", "straight double quotes"),
        ("userName eq \"ida", "column 13: the string has no closing quote"),
        ("userName eq \"\\x\"", "column 13: the string has an escape"),
        ("userName eq \"\\ud800\"", "column 13: the string has an escape"),
        ("userName eq 01", "expected a value"),
        ("userName eq 1e999", "expected a value"),
        ("(title pr", "column 10: expected \"and\", \"or\" or the \")\" that closes the bracket at column 1"),
        ("title pr)", "column 9: expected \"and\", \"or\" or the end of the filter, found \")\""),
        ("title pr title pr", "column 10: expected \"and\""),
        ("title pr and", "column 13: expected an attribute"),
        ("\"title\" pr", "without quotes"),
        ("!(title pr)", "write not (…)"),
        ("emails[type eq \"work\"", "the \"]\" that closes the bracket at column 7"),
        ("emails[emails[value pr]]", "brackets don't stand within brackets"),
        ("emails.value[type pr]", "brackets follow an attribute"),
        ("emails[type pr].a.b eq 1", "one sub-attribute after the dot"),
        ("emails[type pr].value", "expected an operator"),
        ("a.b.c eq 1", "one dot at most"),
        ("1a eq 1", "a name starts with a letter"),
        ("x:userName eq 1", "URN"),
    ];
    for (text, expected) in cases {
        let (kind, detail) = refusal(text);
        assert_eq!(kind, ScimType::InvalidFilter, "{text}");
        assert!(detail.contains(expected), "{text}: {detail}");
    }
}

#[test]
fn no_error_repeats_a_value() {
    for text in [
        "password eq hunter2",
        "password eq 'hunter2'",
        "password eq \"hunter2",
        "password eq \"hunter2\" \"x",
    ] {
        assert!(!refusal(text).1.contains("hunter2"), "{text}");
    }
}

#[test]
fn length_terms_and_nesting_are_bounded() {
    let limits = Limits { filter_length: 60, filter_terms: 3, filter_depth: 2, ..Limits::default() };
    let fits = |text: &str| parse(text, &limits).map_err(|e| e.detail);
    assert!(fits("a pr and a pr and a pr").is_ok());
    assert!(fits("a pr and a pr and a pr and a pr").unwrap_err().contains("more than 3 comparisons"));
    assert!(fits("((a pr))").is_ok());
    assert!(fits("(((a pr)))").unwrap_err().contains("deeper than 2 levels"));
    assert!(fits("not (not (not (a pr)))").unwrap_err().contains("deeper"));
    assert!(fits("((a[b pr]))").unwrap_err().contains("deeper"));
    assert!(fits(&format!("a eq \"{}\"", "x".repeat(60))).unwrap_err().contains("60 are read at most"));
}

#[test]
fn a_million_parentheses_end_at_once() {
    let limits = Limits { filter_length: usize::MAX, ..Limits::default() };
    assert!(parse(&"(".repeat(1_000_000), &limits).is_err());
    assert!(parse(&"not(".repeat(1_000_000), &limits).is_err());
    assert!(parse(&"a pr and ".repeat(1_000_000), &limits).is_err());
}

/// `emails` and the like as a list of objects of strings; `primary` is a boolean.
fn list(entries: &[&[(&str, &str)]]) -> Value {
    Value::List(entries.iter().map(|entry| Value::Complex(complex(entry))).collect())
}

fn complex(parts: &[(&str, &str)]) -> Complex {
    let mut complex = Complex::new();
    for (name, text) in parts {
        let value =
            if *name == "primary" { Value::Bool(*text == "true") } else { Value::String((*text).into()) };
        complex.set(name, value);
    }
    complex
}

fn ida() -> Resource {
    let mut resource = Resource::default();
    let core = &mut resource.core;
    core.set("id", Value::String("A1".into()));
    core.set("externalId", Value::String("Ext-7".into()));
    core.set("userName", Value::String("Ida@Corp.example".into()));
    core.set("nickName", Value::String(String::new()));
    core.set("active", Value::Bool(true));
    core.set("name", Value::Complex(complex(&[("familyName", "Holm"), ("givenName", "Ida")])));
    core.set(
        "emails",
        list(&[
            &[("type", "work"), ("value", "ida@corp.example"), ("primary", "true")],
            &[("type", "home"), ("value", "ida@home.example")],
        ]),
    );
    core.set(
        "meta",
        Value::Complex(complex(&[("created", "2026-03-01T12:00:00.5Z"), ("resourceType", "User")])),
    );
    let mut extension = complex(&[("department", "Ops")]);
    extension.set("manager", Value::Complex(complex(&[("value", "M1")])));
    resource.extensions.push((ENTERPRISE.into(), extension));
    resource
}

fn holds(text: &str) -> bool {
    let resolved = resolve(&read(text), &USER_TYPE).unwrap_or_else(|e| panic!("{text}: {e}"));
    matches(&resolved, &ida())
}

#[test]
fn filters_match_as_the_reading_says() {
    let cases = [
        ("userName eq \"ida@corp.EXAMPLE\"", true),
        ("USERNAME eq \"ida@corp.example\"", true),
        ("userName ne \"ida@corp.EXAMPLE\"", false),
        ("userName sw \"IDA\"", true),
        ("userName ew \"example\"", true),
        ("userName co \"CORP\"", true),
        ("userName co \"corpx\"", false),
        ("userName gt \"ida\"", true),
        ("userName lt \"ida\"", false),
        ("userName ge \"ida@corp.example\"", true),
        ("userName le \"ida@corp.example\"", true),
        // exact
        ("externalId eq \"Ext-7\"", true),
        ("externalId eq \"ext-7\"", false),
        ("id eq \"a1\"", false),
        ("id eq \"A1\"", true),
        // pr
        ("userName pr", true),
        ("title pr", false),
        ("nickName pr", false),
        ("name pr", true),
        ("name.middleName pr", false),
        ("emails pr", true),
        ("emails.display pr", false),
        ("phoneNumbers pr", false),
        ("active pr", true),
        // absent
        ("title eq \"x\"", false),
        ("title ne \"x\"", false),
        ("not (title eq \"x\")", true),
        ("not (title ne \"x\")", true),
        ("title eq null", true),
        ("title ne null", false),
        ("userName eq null", false),
        ("userName ne null", true),
        ("emails eq null", false),
        // any value, and the same value
        ("emails co \"home.\"", true),
        ("emails.type eq \"WORK\"", true),
        ("emails.type ne \"work\"", true),
        ("emails.type eq \"work\" and emails.value co \"home\"", true),
        ("emails[type eq \"work\" and value co \"home\"]", false),
        ("emails[type eq \"work\" and value co \"corp\"]", true),
        ("emails[type eq \"work\"].value eq \"ida@corp.example\"", true),
        ("emails[type eq \"home\"].value eq \"ida@corp.example\"", false),
        ("emails[type eq \"work\"] eq \"ida@corp.example\"", true),
        ("emails[type eq \"work\" or type eq \"home\"].value sw \"ida@home\"", true),
        ("emails[type eq \"other\"]", false),
        ("emails[not (primary eq true)].type eq \"home\"", true),
        ("emails[primary eq \"True\"].type eq \"work\"", true),
        ("emails[display eq null and type eq \"home\"]", true),
        // booleans
        ("active eq true", true),
        ("active eq \"True\"", true),
        ("active eq \"FALSE\"", false),
        ("active ne false", true),
        // another type
        ("userName eq 5", false),
        ("userName ne 5", false),
        ("active eq \"yes\"", false),
        ("active eq 1", false),
        // dates by instant
        ("meta.created eq \"2026-03-01T14:00:00.500+02:00\"", true),
        ("meta.created gt \"2026-03-01T12:00:00Z\"", true),
        ("meta.created lt \"2026-03-01T12:00:00\"", false),
        ("meta.resourceType eq \"User\"", true),
        ("meta.resourceType eq \"user\"", false),
        ("meta.lastModified pr", false),
        // URNs
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"ida\"", true),
        ("urn:ietf:params:scim:schemas:core:2.0:user:name.familyName eq \"holm\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"ops\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department eq \"ops\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"M1\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"m1\"", false),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter pr", false),
        // schemas
        ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", true),
        ("schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"", true),
        ("schemas eq \"urn:x:y\"", false),
        ("schemas pr", true),
        ("schemas eq null", false),
        // logic
        ("title pr or userName pr and active eq false", false),
        ("(title pr or userName pr) and active eq true", true),
        ("not (title pr or active eq false)", true),
        ("groups eq \"G1\"", false),
    ];
    for (text, expected) in cases {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn what_can_not_be_served_is_refused() {
    let cases = [
        ("shoeSize eq 1", "a User has no attribute \"shoeSize\""),
        ("userNam eq \"x\"", "did you mean userName?"),
        (
            "department eq \"x\"",
            "write urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        ),
        ("name.first eq \"x\"", "name has no sub-attribute \"first\"; it has formatted, familyName"),
        ("userName.x eq \"x\"", "userName has no sub-attributes"),
        ("userName[value eq \"x\"]", "no sub-attributes to filter by"),
        ("emails[kind eq \"x\"]", "emails has no sub-attribute \"kind\""),
        ("emails[emails.type eq \"x\"]", "stand alone"),
        ("urn:x:1.0:User:a eq 1", "has no schema"),
        ("urn:ietf:params:scim:schemas:core:2.0:User pr", "name one of its attributes"),
        ("active gt true", "a boolean, which does not compare by gt"),
        ("active co \"t\"", "a boolean"),
        ("emails.primary le true", "a boolean"),
        ("x509Certificates.value gt \"AA==\"", "binary"),
        ("meta.created sw \"2026\"", "a date, which does not compare by sw"),
        ("meta.created gt \"soon\"", "2026-03-01T12:00:00Z"),
        ("name eq \"Ida\"", "compare one of them: formatted"),
        ("addresses eq \"x\"", "compare one of them"),
        ("title gt null", "null compares by eq and ne only"),
    ];
    for (text, expected) in cases {
        let (kind, detail) = refusal(text);
        assert_eq!(kind, ScimType::InvalidFilter, "{text}");
        assert!(detail.contains(expected), "{text}: {detail}");
    }
    for text in ["password eq \"x\"", "PASSWORD pr", "active eq true or password sw \"a\""] {
        assert_eq!(refusal(text).0, ScimType::Sensitive, "{text}");
    }
}

#[test]
fn members_of_a_group_are_asked_by_value() {
    let resolved = resolve(&read("id eq \"g\" and members eq \"u\""), &GROUP_TYPE).unwrap();
    let super::Resolved::And(terms) = resolved else { panic!() };
    let super::Resolved::Is(target, super::Check::Compare(Op::Eq, super::Typed::Exact(id))) = &terms[1]
    else {
        panic!("{terms:?}")
    };
    assert_eq!((target.to_string().as_str(), id.as_str()), ("members.value", "u"));
}

#[test]
fn paths_are_read_and_printed() {
    let limits = Limits::default();
    for text in [
        "name.familyName",
        "emails[type eq \"work\"].value",
        "emails[type eq \"work\"]",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        "urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq \"a]b\"].value",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    ] {
        assert_eq!(PatchPath::parse(text, &limits).unwrap().to_string(), text);
    }
    for (text, kind, expected) in [
        ("", ScimType::InvalidPath, "column 1: expected an attribute"),
        ("a b", ScimType::InvalidPath, "column 3: expected \"[\" or the end"),
        ("emails[type eq \"x\"].value x", ScimType::InvalidPath, "or the end of the path"),
        ("emails[type eq \"x\"] \"", ScimType::InvalidPath, "no closing quote"),
        ("emails[type = \"x\"]", ScimType::InvalidFilter, "path, column 13"),
        ("emails[]", ScimType::InvalidFilter, "column 8: expected an attribute"),
        ("emails[type eq \"x\"", ScimType::InvalidFilter, "closes the bracket"),
        ("a..b", ScimType::InvalidPath, "one dot"),
    ] {
        let error = PatchPath::parse(text, &limits).unwrap_err();
        assert_eq!(error.scim_type, Some(kind), "{text}: {error}");
        assert!(error.detail.contains(expected), "{text}: {error}");
    }
}

fn a_name() -> impl Strategy<Value = Name> {
    prop_oneof!["[a-zA-Z][a-zA-Z0-9_-]{0,6}", Just("$ref".into()), Just("not".into()), Just("or".into())]
        .prop_map(|name| Name::new(&name))
}

fn a_path() -> impl Strategy<Value = AttrPath> {
    (prop::option::of("urn:[a-z]{1,4}:2\\.0:[a-zA-Z]{1,4}"), a_name(), prop::option::of(a_name()))
        .prop_map(|(urn, name, sub)| AttrPath { urn: urn.map(|u| Name::new(&u)), name, sub })
}

fn a_test() -> impl Strategy<Value = Test> {
    let literal = prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(|n| Literal::Number(n.into())),
        any::<u64>().prop_map(|n| Literal::Number(n.into())),
        any::<f64>().prop_filter_map("finite", |n| serde_json::Number::from_f64(n).map(Literal::Number)),
        any::<String>().prop_map(Literal::String),
    ];
    let op = prop::sample::select(Op::ALL.to_vec());
    prop_oneof![Just(Test::Present), (op, literal).prop_map(|(op, literal)| Test::Compare(op, literal))]
}

fn a_filter(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|f| Filter::Not(Box::new(f))),
        ]
    })
    .boxed()
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let is = (a_path(), a_test()).prop_map(|(path, test)| Filter::Is(path, test)).boxed();
    let then = (prop::option::of(a_name()), a_test()).prop_map(|(sub, test)| Then { sub, test });
    let values = (a_path(), a_filter(is.clone()), prop::option::of(then)).prop_map(|(path, filter, then)| {
        Filter::Values { path: AttrPath { sub: None, ..path }, filter: Box::new(filter), then }
    });
    a_filter(prop_oneof![3 => is, 1 => values].boxed())
}

proptest! {
    #[test]
    fn a_printed_filter_reads_as_itself(filter in any_filter()) {
        let limits = Limits { filter_length: usize::MAX, ..Limits::default() };
        let text = filter.to_string();
        prop_assert_eq!(parse(&text, &limits).map_err(|e| format!("{text}: {e}")), Ok(filter));
    }

    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        let _ = parse(&text, &Limits::default());
        let _ = PatchPath::parse(&text, &Limits::default());
    }

    #[test]
    fn what_looks_like_a_filter_is_read_or_refused(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "emails", "userName", "active", "[", "]", "(", ")", "not", "not (", "and", "or", "eq", "pr", "gt",
            "\"x\"", "\"", "true", "null", "1", ".value", "type", "\\", "é", "members", "password", ":", "urn:a:b",
        ]), 0..14),
    ) {
        let text = pieces.join(" ");
        if let Ok(filter) = parse(&text, &Limits::default()) {
            prop_assert_eq!(&parse(&filter.to_string(), &Limits::default()).unwrap(), &filter);
            if let Ok(resolved) = resolve(&filter, &USER_TYPE) {
                let _ = matches(&resolved, &ida());
            }
        }
    }

    /// De Morgan holds, as the logic is plain.
    #[test]
    fn not_of_or_is_and_of_nots(a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let terms = ["title pr", "title ne \"x\"", "userName pr", "active eq false", "emails.type ne \"work\""];
        let (a, b) = (a.get(&terms), b.get(&terms));
        prop_assert_eq!(holds(&format!("not ({a} or {b})")), holds(&format!("not ({a}) and not ({b})")));
    }
}
