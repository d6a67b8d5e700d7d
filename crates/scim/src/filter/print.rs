//! Filters as text again: `parse(print(f)) == f`.

use std::fmt::{self, Display, Formatter};

use super::ast::{Filter, Literal, Op, Test};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            // `or` binds loosest, and a group of the same operator was written with parentheses.
            Self::And(terms) => joined(f, terms, " and ", |t| matches!(t, Self::And(_) | Self::Or(_))),
            Self::Or(terms) => joined(f, terms, " or ", |t| matches!(t, Self::Or(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Is(path, test) => write!(f, "{path} {test}"),
            Self::Values { path, filter, then } => {
                write!(f, "{path}[{filter}]")?;
                let Some(then) = then else { return Ok(()) };
                if let Some(sub) = &then.sub {
                    write!(f, ".{sub}")?;
                }
                write!(f, " {}", then.test)
            }
        }
    }
}

fn joined(f: &mut Formatter<'_>, terms: &[Filter], word: &str, group: fn(&Filter) -> bool) -> fmt::Result {
    for (i, term) in terms.iter().enumerate() {
        if i > 0 {
            f.write_str(word)?;
        }
        if group(term) {
            write!(f, "({term})")?;
        } else {
            write!(f, "{term}")?;
        }
    }
    Ok(())
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present => f.write_str("pr"),
            Self::Compare(op, literal) => write!(f, "{op} {literal}"),
        }
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            // The quoting of JSON is the filter's own (RFC 7644 §3.4.2.2).
            Self::String(s) => write!(f, "{}", serde_json::Value::from(s.as_str())),
        }
    }
}
