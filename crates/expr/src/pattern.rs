//! Regular expressions in .NET's dialect, with a bound on the work that they may cause.

use std::borrow::Cow;

use fancy_regex::{Captures, Regex, RegexBuilder};

/// Steps that a match may take: milliseconds, where a pattern that explodes would take years.
const MAX_STEPS: usize = 200_000;
/// The longest pattern, in bytes.
const MAX_LENGTH: usize = 4_000;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression.
    #[error("{pattern:?} is no regular expression: {reason}")]
    Invalid {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// Matching took too many steps on this text.
    #[error(
        "the pattern takes more than {MAX_STEPS} steps on this text; make it simpler (nested repetitions as (a+)+ explode)"
    )]
    TooHard,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is no regular expression or too long.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        let invalid = |reason: String| PatternError::Invalid { pattern: pattern.to_owned(), reason };
        if pattern.len() > MAX_LENGTH {
            return Err(invalid(format!("it is longer than {MAX_LENGTH} bytes")));
        }
        let built = RegexBuilder::new(&in_our_dialect(pattern))
            .backtrack_limit(MAX_STEPS)
            .delegate_size_limit(1 << 20)
            .build();
        built.map(Self).map_err(|error| invalid(error.to_string()))
    }

    /// Whether it matches anywhere in the text.
    ///
    /// # Errors
    /// [`PatternError::TooHard`].
    pub fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        self.0.is_match(text).map_err(|_| PatternError::TooHard)
    }

    /// Whether a group of this name is in it.
    pub(crate) fn has_group(&self, name: &str) -> bool {
        self.0.capture_names().flatten().any(|found| found == name)
            || name.parse::<usize>().is_ok_and(|number| number < self.0.captures_len())
    }

    /// What the named group holds in the first match.
    pub(crate) fn group_in<'t>(&self, text: &'t str, name: &str) -> Result<Option<&'t str>, PatternError> {
        let found = self.0.captures(text).map_err(|_| PatternError::TooHard)?;
        Ok(found.and_then(|captures| group(&captures, name).map(|(start, end)| &text[start..end])))
    }

    /// Replaces each match, or in each match only the span of a group, by what `replacement` makes of it.
    pub(crate) fn replace<'t>(
        &self,
        text: &'t str,
        group_name: Option<&str>,
        mut replacement: impl FnMut(&Captures<'_, str>, &mut String),
        room: usize,
    ) -> Result<Option<Cow<'t, str>>, PatternError> {
        let mut out = String::new();
        let mut last = 0;
        for found in self.0.captures_iter(text) {
            let captures = found.map_err(|_| PatternError::TooHard)?;
            let span = match group_name {
                Some(name) => group(&captures, name),
                None => captures.get(0).map(|whole| (whole.start(), whole.end())),
            };
            let Some((start, end)) = span.filter(|(start, _)| *start >= last) else { continue };
            out.push_str(&text[last..start]);
            replacement(&captures, &mut out);
            last = end;
            if out.len() > room {
                return Ok(None);
            }
        }
        if last == 0 && out.is_empty() {
            return Ok(Some(Cow::Borrowed(text)));
        }
        out.push_str(&text[last..]);
        Ok((out.len() <= room).then_some(Cow::Owned(out)))
    }
}

fn group(captures: &Captures<'_, str>, name: &str) -> Option<(usize, usize)> {
    let found = captures.name(name).or_else(|| captures.get(name.parse().ok()?))?;
    Some((found.start(), found.end()))
}

/// Writes a replacement as .NET does: `$1`, `${name}`, `$&`, `$0`, `$$`; a group that isn't there stays as text.
pub(crate) fn expand(replacement: &str, captures: &Captures<'_, str>, out: &mut String) {
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, len) = match rest.as_bytes().first() {
            Some(b'$') => {
                out.push('$');
                rest = &rest[1..];
                continue;
            }
            Some(b'&') => ("0", 1),
            Some(b'{') => match rest.find('}') {
                Some(end) => (&rest[1..end], end + 1),
                None => ("", 0),
            },
            _ => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                (&rest[..digits], digits)
            }
        };
        let number = name.parse::<usize>().ok();
        let known = number.map_or_else(|| captures.name(name).is_some(), |n| n < captures.len());
        if len == 0 || !known {
            out.push('$');
            continue;
        }
        let value = number.map_or_else(|| captures.name(name), |n| captures.get(n));
        out.push_str(value.map_or("", |value| value.as_str()));
        rest = &rest[len..];
    }
    out.push_str(rest);
}

/// .NET's `(?'name'…)` and `\Z` mean what `(?<name>…)` and `(?=\n?\z)` mean.
fn in_our_dialect(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Z') => out.push_str("(?=\\n?\\z)"),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            '(' if chars.peek() == Some(&'?') => {
                chars.next();
                if chars.peek() == Some(&'\'') {
                    chars.next();
                    let name: String = chars.by_ref().take_while(|c| *c != '\'').collect();
                    out.push_str(&format!("(?<{name}>"));
                } else {
                    out.push_str("(?");
                }
            }
            c => out.push(c),
        }
    }
    out
}
