use super::*;
use crate::{Expected, Pattern, Program, Surroundings, Value};

#[test]
fn functions_are_sorted_and_each_spelling_is_taken_once() {
    let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    let mut all: Vec<&str> = FUNCTIONS
        .iter()
        .flat_map(|function| [function.name].into_iter().chain(function.aliases.iter().copied()))
        .collect();
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn each_function_has_five_examples_that_use_it_and_a_help() {
    for function in FUNCTIONS {
        assert!(function.help.ends_with('.'), "{}", function.name);
        assert!(function.examples.len() >= 5, "{} has {}", function.name, function.examples.len());
        let spellings = || [function.name].into_iter().chain(function.aliases.iter().copied());
        for example in function.examples {
            assert!(
                spellings().any(|name| example.text.contains(name)),
                "{}: {}",
                function.name,
                example.text
            );
        }
    }
}

#[test]
fn every_example_gives_what_it_says() {
    let person = sample();
    let surroundings = Surroundings::fixed();
    for (text, gives) in FUNCTIONS.iter().flat_map(|function| function.examples).map(|e| (e.text, e.gives)) {
        let program = match Program::compile(text) {
            Ok(program) => program,
            Err(error) => {
                let Expected::Fails(words) = gives else { panic!("{text}: {error}") };
                assert!(error.to_string().contains(words), "{text}: {error}");
                continue;
            }
        };
        let result = program.evaluate(&person, &surroundings).map(|evaluated| evaluated.value);
        match (gives, result) {
            (Expected::Text(wanted), Ok(value)) => {
                assert!(!matches!(&value, Value::List(_)), "{text} gives several values");
                assert_eq!(value.into_text().as_deref(), Some(wanted), "{text}");
            }
            (Expected::Null, Ok(value)) => assert!(value.is_null(), "{text} gives {value:?}"),
            (Expected::List(wanted), Ok(value)) => {
                let found: Vec<_> = value.into_list().into_iter().filter_map(Value::into_text).collect();
                assert_eq!(found, wanted, "{text}");
            }
            (Expected::Matches(pattern), Ok(value)) => {
                let found = value.into_text().unwrap_or_default();
                assert!(Pattern::compile(pattern).unwrap().is_match(&found).unwrap(), "{text} gives {found}");
            }
            (Expected::Fails(words), Err(error)) => {
                assert!(error.to_string().contains(words), "{text}: {error}")
            }
            (wanted, found) => panic!("{text}: wanted {wanted:?}, found {found:?}"),
        }
    }
}
