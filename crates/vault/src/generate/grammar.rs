//! The `passwordrules` grammar, as sites write it and as Apple's list of quirks has it.
//!
//! `minlength: 8; maxlength: 20; required: lower; required: upper, digit; allowed: [-_.]; max-consecutive: 2;`
//!
//! Several `required` must all hold; within one, any of the classes will do. What is allowed is
//! what `allowed` and `required` name; if neither does, all printable ASCII.

use super::class::Class;
use super::rules::Rules;

/// What in a rules text is not understood. The rules are public, so it is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrammarError {
    /// No `name: value`.
    #[error("`{text}` is no rule: write it as `name: value`, with `;` between rules")]
    NoColon {
        /// What stands there.
        text: String,
    },
    /// A name that the grammar does not have.
    #[error(
        "there is no rule `{name}`: there are minlength, maxlength, required, allowed and max-consecutive"
    )]
    UnknownRule {
        /// The name.
        name: String,
    },
    /// A value that is no number, or none that makes sense.
    #[error("`{rule}: {value}` must be a whole number from 1 to {}", Rules::LONGEST)]
    Number {
        /// The rule.
        rule: &'static str,
        /// Its value.
        value: String,
    },
    /// A name that is no class.
    #[error(
        "there is no class `{name}`: there are lower, upper, digit, special, ascii-printable, unicode and [characters]"
    )]
    UnknownClass {
        /// The name.
        name: String,
    },
    /// `required:` or `allowed:` with nothing behind.
    #[error("`{rule}` names no class")]
    NoClass {
        /// The rule.
        rule: &'static str,
    },
    /// A `[` without its `]`.
    #[error("`{text}` has no closing `]`")]
    Unclosed {
        /// From the bracket on.
        text: String,
    },
    /// Characters in brackets that cannot stand there.
    #[error("`{text}` must hold printable ASCII characters, `-` only as the first and `]` only as the last")]
    Brackets {
        /// The brackets.
        text: String,
    },
    /// More of them than any site has.
    #[error("there are more than {} different `required` rules", Rules::MOST_REQUIRED)]
    TooManyRequired,
    /// What follows a class and is no comma.
    #[error("there must be `,` or `;` before `{text}`")]
    Trailing {
        /// What follows.
        text: String,
    },
}

/// Reads a rules text into `rules`, which holds the defaults that the text does not speak of.
pub(super) fn read(text: &str, rules: &mut Rules) -> Result<(), GrammarError> {
    let mut rest = text.trim_start_matches(blank_or(';'));
    let mut allowed = Class::EMPTY;
    let (mut least, mut most, mut in_a_row) = (None, None, None);
    let mut required = Vec::new();
    while !rest.is_empty() {
        let (name, after) = split_name(rest)?;
        rest = match name.to_ascii_lowercase().as_str() {
            "minlength" => number("minlength", after, |n| least = least.max(Some(n)))?,
            "maxlength" => number("maxlength", after, |n| most = Some(most.map_or(n, |m: u32| m.min(n))))?,
            "max-consecutive" => {
                number("max-consecutive", after, |n| in_a_row = Some(in_a_row.map_or(n, |m: u32| m.min(n))))?
            }
            "required" => {
                let (class, rest) = classes("required", after)?;
                if !required.contains(&class) {
                    required.push(class);
                }
                if required.len() > Rules::MOST_REQUIRED {
                    return Err(GrammarError::TooManyRequired);
                }
                rest
            }
            "allowed" => {
                let (class, rest) = classes("allowed", after)?;
                allowed = allowed.or(class);
                rest
            }
            _ => return Err(GrammarError::UnknownRule { name: name.to_owned() }),
        };
        rest = rest.trim_start_matches(blank_or(';'));
    }
    let named = required.iter().fold(allowed, |all, class| all.or(*class));
    rules.set(least, most, in_a_row, required, if named.is_empty() { Class::PRINTABLE } else { named });
    Ok(())
}

fn split_name(text: &str) -> Result<(&str, &str), GrammarError> {
    let rule = text.split_once(';').map_or(text, |(rule, _)| rule);
    let (name, _) =
        rule.split_once(':').ok_or_else(|| GrammarError::NoColon { text: rule.trim().to_owned() })?;
    Ok((name.trim(), text[name.len() + 1..].trim_start()))
}

fn number<'a>(rule: &'static str, text: &'a str, mut take: impl FnMut(u32)) -> Result<&'a str, GrammarError> {
    let (value, rest) = text.split_once(';').unwrap_or((text, ""));
    let value = value.trim();
    let digits = !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit());
    let parsed = value.parse().ok().filter(|n| digits && (1..=Rules::LONGEST).contains(n));
    take(parsed.ok_or_else(|| GrammarError::Number { rule, value: value.to_owned() })?);
    Ok(rest)
}

/// Classes with commas between, up to the `;`. Brackets may hold both.
fn classes<'a>(rule: &'static str, mut text: &'a str) -> Result<(Class, &'a str), GrammarError> {
    let mut all = Class::EMPTY;
    loop {
        let (class, rest) = match text.strip_prefix('[') {
            Some(_) => brackets(text)?,
            None => named(rule, text)?,
        };
        all = all.or(class);
        let rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => text = more.trim_start(),
            None if rest.is_empty() || rest.starts_with(';') => return Ok((all, rest)),
            None => return Err(GrammarError::Trailing { text: rest.to_owned() }),
        }
    }
}

fn named<'a>(rule: &'static str, text: &'a str) -> Result<(Class, &'a str), GrammarError> {
    let end = text.find([',', ';', '[']).unwrap_or(text.len());
    let class = match text[..end].trim().to_ascii_lowercase().as_str() {
        "lower" => Class::LOWER,
        "upper" => Class::UPPER,
        "digit" => Class::DIGIT,
        "special" => Class::SPECIAL,
        "ascii-printable" | "unicode" => Class::PRINTABLE,
        "" => return Err(GrammarError::NoClass { rule }),
        name => return Err(GrammarError::UnknownClass { name: name.to_owned() }),
    };
    Ok((class, &text[end..]))
}

/// `]` ends the brackets, unless another follows at once: then it is the last of the characters.
fn brackets(text: &str) -> Result<(Class, &str), GrammarError> {
    let first = text.find(']').ok_or_else(|| GrammarError::Unclosed { text: text.to_owned() })?;
    let end = if text[first + 1..].starts_with(']') { first + 1 } else { first };
    let (inside, whole) = (&text[1..end], &text[..=end]);
    let misplaced = inside.char_indices().any(|(at, c)| c == '-' && at > 0);
    let class = Class::of(inside).filter(|class| !class.is_empty() && !misplaced);
    Ok((class.ok_or_else(|| GrammarError::Brackets { text: whole.to_owned() })?, &text[end + 1..]))
}

fn blank_or(mark: char) -> impl Fn(char) -> bool {
    move |c| c == mark || c.is_whitespace()
}
