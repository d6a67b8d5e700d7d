use std::collections::BTreeMap;

use latchkey_kernel::SeededEntropy;
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::count::Counted;
use super::*;

fn made(rules: &str, seed: u64) -> (String, f64) {
    let rules = Rules::parse(rules).unwrap();
    let made = generate(&rules, &SeededEntropy::new(seed)).unwrap();
    assert!(rules.allow(made.password.expose_secret()), "{:?}", made.password.expose_secret());
    (made.password.expose_secret().to_owned(), made.bits)
}

#[test]
fn by_default_24_characters_of_four_classes_without_look_alikes() {
    for seed in 0..200 {
        let made = generate(&Rules::default(), &SeededEntropy::new(seed)).unwrap();
        let password = made.password.expose_secret();
        assert_eq!(password.len(), 24);
        assert!(made.bits > 120.0);
        assert!(Rules::default().allow(password), "{password}");
        assert!(!password.contains(['0', 'O', 'o', '1', 'l', 'I', '|', ' ']), "{password}");
        assert!(!password.starts_with(['-', '=', '@', '+']), "{password}");
    }
}

#[test]
fn a_small_alphabet_is_made_up_for_by_length_as_far_as_the_site_goes() {
    let (pin, bits) = made("maxlength: 6; minlength: 6; required: digit", 1);
    assert_eq!((pin.len(), bits.round()), (6, (6.0 * 10_f64.log2()).round()));
    let (digits, bits) = made("allowed: digit", 1);
    assert!(digits.len() > 24 && digits.len() <= 64 && bits >= 120.0, "{digits} {bits}");
    let (two, _) = made("allowed: [ab]", 1);
    assert_eq!(two.len(), 64);
    assert_eq!(made("minlength: 100", 1).0.len(), 100);
}

#[test]
fn a_weak_password_is_made_stronger_by_look_alikes() {
    let short = Rules::parse("maxlength: 8; allowed: ascii-printable").unwrap();
    let plan = short.plan().unwrap();
    assert!(plan.bits > (94_f64.log2() * 8.0) - 0.5);
}

#[test]
fn the_safe_profile_holds_nothing_that_a_shell_or_a_quoted_text_reads() {
    let rules = Rules::default().for_profile(Profile::SafeAscii);
    for seed in 0..200 {
        let made = generate(&rules, &SeededEntropy::new(seed)).unwrap();
        let password = made.password.expose_secret();
        assert!(!password.contains(|c| "'\"\\$`!&|;<>(){}[]*?#~%^ ".contains(c)), "{password}");
        assert!(made.bits > 120.0);
    }
}

#[test]
fn the_grammar_is_read_as_sites_write_it() {
    for (text, in_them, not_in_them) in [
        ("allowed: [-]]; required: lower", "-]", "A0"),
        ("allowed:[];,:-]", "", ""),
        (" ;; MinLength:8 ; REQUIRED: Upper,digit;", "A0", "a-"),
        ("allowed: [a,;b]", "a,;b", "c"),
        ("required: [!#$]", "!#$", "a"),
        ("minlength: 8", "aA0- ~", "\u{7f}"),
        ("allowed: unicode", "aA0- ~", ""),
        ("", "aA0-", ""),
    ] {
        let Ok(rules) = Rules::parse(text) else {
            assert_eq!(text, "allowed:[];,:-]", "`]` ends the brackets, and so does not stand first");
            continue;
        };
        let shown = format!("{rules:?}");
        let allowed = rules.allowed();
        assert!(in_them.bytes().all(|c| allowed.has(c)), "{text}: {shown}");
        assert!(!not_in_them.bytes().any(|c| allowed.has(c)), "{text}: {shown}");
    }
}

#[test]
fn several_required_must_all_hold_and_one_holds_by_any_of_its_classes() {
    let both = Rules::parse("required: upper; required: digit").unwrap();
    assert!(both.allow("A0") && !both.allow("AA") && !both.allow("00"));
    let either = Rules::parse("required: upper, digit").unwrap();
    assert!(either.allow("AA") && either.allow("00") && !either.allow("a"));
    let runs = Rules::parse("max-consecutive: 2; maxlength: 4; minlength: 3; max-consecutive: 3").unwrap();
    assert!(runs.allow("aaba") && !runs.allow("aaab") && !runs.allow("aa") && !runs.allow("abcde"));
}

#[test]
fn what_is_not_of_the_grammar_is_quoted() {
    for (text, quoted) in [
        ("minlength 8", "`minlength 8` is no rule"),
        ("minlenght: 8", "no rule `minlenght`"),
        ("minlength: eight", "`minlength: eight`"),
        ("maxlength: 0", "from 1 to 128"),
        ("maxlength: +8", "`maxlength: +8`"),
        ("maxlength: 99999999999", "`maxlength: 99999999999`"),
        ("required: letters", "no class `letters`"),
        ("required: ;", "`required` names no class"),
        ("allowed: lower,", "`allowed` names no class"),
        ("allowed: [abc", "`[abc` has no closing"),
        ("allowed: []", "`[]` must hold"),
        ("allowed: [a-z]", "`[a-z]` must hold"),
        ("allowed: [\u{e4}]", "must hold printable ASCII"),
        ("allowed: [ab] upper", "before `upper`"),
        (
            "required:[a];required:[b];required:[c];required:[d];required:[e];required:[f];required:[g];required:[h];required:[i]",
            "more than 8",
        ),
    ] {
        let error = Rules::parse(text).unwrap_err().to_string();
        assert!(error.contains(quoted), "{text}: {error}");
    }
}

#[test]
fn rules_that_no_password_satisfies_are_named_in_pairs() {
    for (text, profile, one, other) in [
        ("minlength: 9; maxlength: 8", Profile::Printable, "minlength: 9", "maxlength: 8"),
        (
            "required: lower; required: upper; required: digit; maxlength: 2",
            Profile::Printable,
            "required: lower; required: upper; required: digit",
            "maxlength: 2",
        ),
        (
            "allowed: [a]; minlength: 3; max-consecutive: 2",
            Profile::Printable,
            "allowed: [a]",
            "two characters",
        ),
        ("allowed: [-=]", Profile::Printable, "allowed: [-=]", "never begins with"),
        ("required: [$&]; allowed: lower", Profile::SafeAscii, "required: [$&]", "profile: safe_ascii"),
        ("allowed: [$&]", Profile::SafeAscii, "allowed: [$&]", "profile: safe_ascii"),
    ] {
        let rules = Rules::parse(text).unwrap().for_profile(profile);
        let error = generate(&rules, &SeededEntropy::new(1)).unwrap_err();
        assert_eq!(error.one, one, "{text}");
        assert!(error.other.contains(other), "{text}: {error}");
    }
}

#[test]
fn v1_debug_does_not_show_the_password() {
    let made = generate(&Rules::default(), &SeededEntropy::new(1)).unwrap();
    assert!(!format!("{made:?}").contains(made.password.expose_secret()));
}

/// Every password of one rule, and how often each was drawn: the spread is what chance allows.
#[test]
fn each_password_is_as_likely_as_any_other() {
    let required = [Class::of("ab").unwrap(), Class::of("bc").unwrap()];
    let counted = Counted::new(3, Class::of("abc-").unwrap(), &required, 2, Class::of("-").unwrap());
    let entropy = SeededEntropy::new(11);
    let mut seen = BTreeMap::<String, u32>::new();
    let draws = 40_000;
    for _ in 0..draws {
        *seen.entry(counted.draw(3, &entropy).expose_secret().to_owned()).or_default() += 1;
    }
    let count = counted.bits(3).exp2().round();
    assert_eq!(seen.len() as f64, count);
    let expected = f64::from(draws) / count;
    let spread: f64 = seen.values().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
    // Chi-square with about 30 degrees of freedom: beyond 80 by chance once in some hundred thousand.
    assert!(spread < 80.0, "{spread} over {count} passwords");
}

proptest! {
    /// Against counting by hand, over alphabets small enough for it.
    #[test]
    fn the_count_is_that_of_all_passwords_that_satisfy_the_rules(
        length in 1_usize..=5,
        required in proptest::collection::vec("[abc-]{1,3}", 0..3),
        run in 1_u32..=5,
    ) {
        let alphabet = b"abc-";
        let classes = required.iter().map(|text| Class::of(text).unwrap()).collect::<Vec<_>>();
        let fits = |word: &[u8]| {
            word[0] != b'-'
                && classes.iter().all(|class| word.iter().any(|c| class.has(*c)))
                && word.chunk_by(|a, b| a == b).all(|run_of| run_of.len() <= run as usize)
        };
        let words = (0..4_usize.pow(length as u32)).filter(|number| {
            let word = (0..length).map(|at| alphabet[number / 4_usize.pow(at as u32) % 4]).collect::<Vec<_>>();
            fits(&word)
        });
        let counted =
            Counted::new(length as u32, Class::of("abc-").unwrap(), &classes, run, Class::of("-").unwrap());
        prop_assert_eq!(counted.bits(length).exp2().round(), words.count() as f64);
    }

    #[test]
    fn what_is_generated_satisfies_whatever_rules_were_read(
        least in proptest::option::of(1_u32..40),
        most in proptest::option::of(1_u32..80),
        run in proptest::option::of(1_u32..5),
        required in proptest::collection::vec(class(), 0..5),
        allowed in proptest::collection::vec(class(), 0..3),
        safe: bool,
        seed: u64,
    ) {
        let mut text = String::new();
        for (name, value) in [("minlength", least), ("maxlength", most), ("max-consecutive", run)] {
            if let Some(value) = value {
                text += &format!("{name}: {value}; ");
            }
        }
        required.iter().for_each(|class| text += &format!("required: {class}; "));
        if !allowed.is_empty() {
            text += &format!("allowed: {}", allowed.join(", "));
        }
        let profile = if safe { Profile::SafeAscii } else { Profile::Printable };
        let rules = Rules::parse(&text).unwrap().for_profile(profile);
        match generate(&rules, &SeededEntropy::new(seed)) {
            Ok(made) => {
                let password = made.password.expose_secret();
                prop_assert!(rules.allow(password), "{} gave {}", text, password);
                prop_assert!(!password.starts_with(['-', '=', '@', '+']));
                let longest = (password.len() as f64) * 95_f64.log2();
                prop_assert!(made.bits > 0.0 && made.bits <= longest);
            }
            Err(error) => {
                let short = most.is_some_and(|most| least.is_some_and(|least| least > most) || (most as usize) < required.len());
                prop_assert!(short || safe || error.other.contains("choose from"), "{}: {}", text, error);
            }
        }
    }

    #[test]
    fn a_class_written_is_the_class_read(bits in proptest::collection::vec(0x20_u8..0x7f, 1..40)) {
        let class = Class::of(std::str::from_utf8(&bits).unwrap()).unwrap();
        prop_assert_eq!(Rules::parse(&format!("allowed: {class}")).unwrap().allowed(), class);
    }

    #[test]
    fn any_text_is_read_without_panic(text: String, tail in "[a-z:;,\\[\\]\\- 0-9]{0,40}") {
        let _ = Rules::parse(&text);
        let _ = Rules::parse(&format!("required: {tail}"));
    }
}

fn class() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec!["lower", "upper", "digit", "special", "ascii-printable", "unicode"])
            .prop_map(str::to_owned),
        "\\[-?[a-e0-3!#.~]{2,6}\\]".prop_map(|text| text),
    ]
}
