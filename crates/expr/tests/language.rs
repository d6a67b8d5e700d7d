//! The language: what is refused and where, what is lazy, and that no input panics or runs long.

use latchkey_expr::{Program, Surroundings, Value, sample};
use proptest::prelude::*;

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, column, words) in [
        ("", 1, "expected a function"),
        ("[city]", 1, "direct mapping"),
        ("\"x\"", 1, "constant mapping"),
        ("12", 1, "constant mapping"),
        ("city", 1, "city(…)"),
        ("[city] = \"Lisbon\"", 1, "within IIF or CBool"),
        ("ToLower([city]", 15, "a comma or )"),
        ("ToLower([city]))", 16, "nothing may follow"),
        ("ToLower([city)", 9, "never closed"),
        ("ToLower(\"city)", 9, "never closed"),
        ("ToLower(“city”)", 9, "straight double quotes"),
        ("ToLower('city')", 9, "straight double quotes"),
        ("Replace([a], , \"\\d\", , \"\", , )", 17, "no escape"),
        ("Tolower([city])", 1, "ToLower is meant"),
        ("Swich([a], \"b\", \"c\", \"d\")", 1, "Switch is meant"),
        ("Frobnicate([a])", 1, "no function Frobnicate"),
        ("ToLower(city)", 9, "[city] for an attribute"),
        ("Append([a] & \"b\", \"c\")", 12, "use Join or Append"),
        ("ToLower([])", 9, "has no name"),
        ("Mid([city], 1)", 1, "takes 3 parameters, not 2"),
        ("Mid([city], one, 2)", 13, "one means nothing here"),
        ("Mid([city], \"one\", 2)", 13, "is a whole number"),
        ("Mid([city], , 2)", 13, "must be given"),
        ("Append([a] = \"b\", \"c\")", 8, "a condition of IIF or CBool"),
        ("Left([a], 99999999999999999999)", 11, "fits 64 bits"),
        ("BitAnd(&HFFFFFFFFFFFFFFFFFF, 1)", 8, "1 to 15 hexadecimal digits"),
        ("ToLower(Ä§)", 10, "means nothing here"),
    ] {
        let error = Program::compile(text).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.message.contains(words), "{text}: {error}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{}[city]{}", "ToLower(".repeat(90), ")".repeat(90));
    assert!(Program::compile(&deep).is_ok());
    let too_deep = format!("{}[city]{}", "ToLower(".repeat(3_000 / 8), ")".repeat(3_000 / 8));
    assert!(Program::compile(&too_deep).unwrap_err().message.contains("deep"));
    let long = format!("ToLower(\"{}\")", "x".repeat(10_000));
    assert!(Program::compile(&long).unwrap_err().message.contains("at most 10000"));
}

#[test]
fn results_that_would_grow_without_end_are_refused() {
    let doubling =
        (0..60).fold("\"a\"".to_owned(), |inner, _| format!("Replace({inner}, \"a\", , , \"aaaa\", , )"));
    let program = Program::compile(&doubling).unwrap();
    let error = program.evaluate(&sample(), &Surroundings::fixed()).unwrap_err();
    assert!(error.message.contains("longer than"), "{error}");
}

#[test]
fn branches_that_are_not_taken_are_not_evaluated() {
    let person = sample();
    for text in [
        r#"IIF([city] = "Lisbon", "yes", Error("never"))"#,
        r#"Switch([city], Error("never"), "Lisbon", "yes", Error("never"), "x")"#,
        r#"Coalesce("yes", Error("never"))"#,
    ] {
        let program = Program::compile(text).unwrap();
        let surroundings = Surroundings::fixed();
        let trace = program.trace(&person, &surroundings);
        assert_eq!(trace.result.unwrap().value, Value::text("yes"), "{text}");
        assert!(trace.steps.iter().all(|step| step.error.is_none()));
    }
}

#[test]
fn a_trace_has_the_value_of_each_step_innermost_first() {
    let text = r#"IIF([city] = "Lisbon", ToUpper(Mid([givenName], 1, 2)), "no")"#;
    let (program, person, surroundings) = (Program::compile(text).unwrap(), sample(), Surroundings::fixed());
    let trace = program.trace(&person, &surroundings);
    let steps: Vec<(&str, String)> = trace
        .steps
        .iter()
        .map(|step| (&text[step.span.start..step.span.end], step.value.as_ref().unwrap().to_string()))
        .collect();
    let expected = [
        ("[city]", "\"Lisbon\""),
        ("[city] = \"Lisbon\"", "true"),
        ("[givenName]", "\"Mira\""),
        ("Mid([givenName], 1, 2)", "\"Mi\""),
        ("ToUpper(Mid([givenName], 1, 2))", "\"MI\""),
        (text, "\"MI\""),
    ];
    assert_eq!(steps, expected.map(|(text, value)| (text, value.to_owned())));
}

#[test]
fn the_attributes_that_are_read_are_known_before() {
    let program =
        Program::compile(r#"Join(" ", [b], [a], ToLower([b]), [emails[type eq "work"].value])"#).unwrap();
    assert_eq!(program.attributes(), ["b", "a", "emails[type eq \"work\"].value"]);
}

#[test]
fn what_logs_may_not_show_and_what_is_left_alone_is_said() {
    let (person, surroundings) = (sample(), Surroundings::fixed());
    let run = |text: &str| {
        let program = Program::compile(text).unwrap();
        let result = program.evaluate(&person, &surroundings).unwrap();
        (result.ignored, result.redacted, result.candidates)
    };
    assert_eq!(run("ToLower([city])"), (false, false, vec![]));
    assert_eq!(run("Redact([employeeId])"), (false, true, vec![]));
    assert_eq!(run("IgnoreFlowIfNullOrEmpty([fax])"), (true, false, vec![]));
    let both = vec!["mira".to_owned(), "m".to_owned()];
    assert_eq!(run(r#"SelectUniqueValue([mailNickname], "mira", "m")"#), (false, false, both));
}

/// Texts that are nearly expressions.
fn nearly() -> impl Strategy<Value = String> {
    let names: Vec<&str> = latchkey_expr::FUNCTIONS.iter().map(|function| function.name).collect();
    let leaf = prop_oneof![
        Just("[city]".to_owned()),
        Just("[fax]".to_owned()),
        Just("[proxyAddresses]".to_owned()),
        Just("[appRoleAssignments]".to_owned()),
        Just(String::new()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[a-z(+*?)\\[\\]|$^.é]{0,12}".prop_map(|text| format!("\"{text}\"")),
        prop::sample::select(vec![
            "\"yyyy-MM-dd\"",
            "\"d\"",
            "vbTextCompare",
            "UTF8",
            "\"2026-01-31\"",
            "&HFF"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 40, 7, move |inner| {
        let call = (prop::sample::select(names.clone()), prop::collection::vec(inner.clone(), 0..8))
            .prop_map(|(name, parameters)| format!("{name}({})", parameters.join(", ")));
        let compare = (inner.clone(), prop::sample::select(vec!["=", "<>", ">", "<="]), inner)
            .prop_map(|(left, operator, right)| format!("CBool({left} {operator} {right})"));
        prop_oneof![4 => call, 1 => compare]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = Program::compile(&text);
    }

    #[test]
    fn no_expression_panics_or_makes_endless_values(text in nearly()) {
        if let Ok(program) = Program::compile(&text) {
            let (person, surroundings) = (sample(), Surroundings::fixed());
            let trace = program.trace(&person, &surroundings);
            if let Ok(result) = trace.result {
                prop_assert!(result.value.to_json().to_string().len() < 1 << 20);
            }
        }
    }

    #[test]
    fn the_same_person_gives_the_same_value(text in nearly()) {
        if let Ok(program) = Program::compile(&text)
            && !text.contains("Guid") && !text.contains("RandomString")
        {
            let (person, surroundings) = (sample(), Surroundings::fixed());
            prop_assert_eq!(program.evaluate(&person, &surroundings), program.evaluate(&person, &surroundings));
        }
    }
}
