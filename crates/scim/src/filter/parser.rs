//! From text to a filter or a PATCH path, in one pass.

use serde_json::Number;

use super::ast::{Filter, Literal, Op, Test, Then};
use super::lexer::{BadToken, Lexer, Token};
use crate::path::{AttrPath, Excerpt, PatchPath, is_name};
use crate::{Error, Limits, Name};

/// Reads a filter.
///
/// # Errors
/// 400 `invalidFilter` that says where it broke, what was expected and what to write.
pub fn parse(text: &str, limits: &Limits) -> Result<Filter, Error> {
    let read = || {
        let mut parser = Parser::new(text, limits)?;
        let filter = parser.or_expr(0)?;
        parser.expect_end("\"and\", \"or\" or the end of the filter")?;
        Ok(filter)
    };
    read().map_err(|fault: Fault| fault.into_filter_error("filter"))
}

/// Reads the path of a PATCH operation (RFC 7644 §3.5.2): `attribute`, `attribute[filter]` or
/// `attribute[filter].sub`.
pub(crate) fn parse_path(text: &str, limits: &Limits) -> Result<PatchPath, Fault> {
    let mut parser = Parser::new(text, limits)?;
    let (at, token) = parser.take()?;
    let Token::Word(word) = token else {
        return Err(parser.fault(at, "expected an attribute such as emails[type eq \"work\"].value"));
    };
    let attribute = parser.attribute(at, word)?;
    if parser.peek.1 != Token::Mark('[') {
        parser.expect_end("\"[\" or the end of the path")?;
        return Ok(PatchPath { attribute, filter: None, sub: None });
    }
    let filter = Some(parser.bracket(at, &attribute, 0)?);
    let sub = parser.sub_after_bracket()?;
    parser.expect_end("a sub-attribute such as \".value\" or the end of the path")?;
    Ok(PatchPath { attribute, filter, sub })
}

/// Where and why a text can't be read.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Counted in characters from 1, as people do.
    column: usize,
    what: String,
    in_brackets: bool,
}

impl Fault {
    fn into_filter_error(self, subject: &str) -> Error {
        Error::invalid_filter(format!("{subject}, column {}: {}", self.column, self.what))
    }

    pub(crate) fn into_path_error(self) -> Error {
        if self.in_brackets {
            return self.into_filter_error("path");
        }
        Error::invalid_path(format!("path, column {}: {}", self.column, self.what))
    }
}

const OPERATORS: &str = "an operator: eq, ne, co, sw, ew, gt, ge, lt, le or pr";

struct Parser<'a> {
    text: &'a str,
    limits: &'a Limits,
    lexer: Lexer<'a>,
    peek: (usize, Token<'a>),
    terms: usize,
    in_brackets: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: &'a Limits) -> Result<Self, Fault> {
        let mut parser = Self {
            text,
            limits,
            lexer: Lexer::new(text),
            peek: (0, Token::End),
            terms: 0,
            in_brackets: false,
        };
        if text.len() > limits.filter_length {
            let most = limits.filter_length;
            return Err(parser.fault(0, format!("it is {} bytes long; {most} are read at most", text.len())));
        }
        parser.take()?;
        Ok(parser)
    }

    /// The next token; the one after it becomes `peek`.
    fn take(&mut self) -> Result<(usize, Token<'a>), Fault> {
        let next = self.lexer.next().map_err(|BadToken { at, what }| self.fault(at, what))?;
        Ok(std::mem::replace(&mut self.peek, next))
    }

    fn fault(&self, at: usize, what: impl Into<String>) -> Fault {
        let column = self.text[..at].chars().count() + 1;
        Fault { column, what: what.into(), in_brackets: self.in_brackets }
    }

    fn expect_end(&mut self, expected: &str) -> Result<(), Fault> {
        match &self.peek {
            (_, Token::End) => Ok(()),
            (at, token) => Err(self.fault(*at, format!("expected {expected}, found {}", shown(token)))),
        }
    }

    /// The loosest level: `not` binds tighter than `and`, `and` tighter than `or`
    /// (RFC 7644 §3.4.2.2), so each level calls the next tighter one.
    fn or_expr(&mut self, depth: usize) -> Result<Filter, Fault> {
        self.joined("or", depth, Self::and_expr, Filter::Or)
    }

    fn and_expr(&mut self, depth: usize) -> Result<Filter, Fault> {
        self.joined("and", depth, Self::term, Filter::And)
    }

    fn joined(
        &mut self,
        word: &str,
        depth: usize,
        tighter: fn(&mut Self, usize) -> Result<Filter, Fault>,
        join: fn(Vec<Filter>) -> Filter,
    ) -> Result<Filter, Fault> {
        let first = tighter(self, depth)?;
        let mut terms = Vec::new();
        while matches!(self.peek.1, Token::Word(w) if w.eq_ignore_ascii_case(word)) {
            self.take()?;
            terms.push(tighter(self, depth)?);
        }
        if terms.is_empty() {
            return Ok(first);
        }
        terms.insert(0, first);
        Ok(join(terms))
    }

    fn term(&mut self, depth: usize) -> Result<Filter, Fault> {
        let (at, token) = self.take()?;
        match token {
            Token::Mark('(') => self.group(at, depth),
            // `not(` as the ABNF prints it, `not (` as its examples do.
            Token::Word(word) if word.eq_ignore_ascii_case("not") && self.peek.1 == Token::Mark('(') => {
                let (at, _) = self.take()?;
                Ok(Filter::Not(Box::new(self.group(at, depth)?)))
            }
            Token::Word(word) => {
                let path = self.attribute(at, word)?;
                if self.peek.1 == Token::Mark('[') {
                    return self.values(at, path, depth);
                }
                let test = self.test()?;
                Ok(Filter::Is(path, test))
            }
            other => {
                let hint = match other {
                    Token::Text(_) => "; names of attributes stand without quotes",
                    Token::Other("!") => "; write not (…) for \"!\"",
                    _ => "",
                };
                let found = shown(&other);
                Err(self.fault(at, format!("expected an attribute, \"not (\" or \"(\", found {found}{hint}")))
            }
        }
    }

    /// What follows an opening parenthesis, which stands at `at`.
    fn group(&mut self, at: usize, depth: usize) -> Result<Filter, Fault> {
        let depth = self.deeper(at, depth)?;
        let inner = self.or_expr(depth)?;
        self.close(')', at)?;
        Ok(inner)
    }

    fn values(&mut self, at: usize, path: AttrPath, depth: usize) -> Result<Filter, Fault> {
        let filter = Box::new(self.bracket(at, &path, depth)?);
        let sub = self.sub_after_bracket()?;
        let asked = matches!(self.peek.1, Token::Word(w) if Op::named(w).is_some() || is_pr(w));
        let then = if sub.is_some() || asked { Some(Then { sub, test: self.test()? }) } else { None };
        Ok(Filter::Values { path, filter, then })
    }

    /// `[filter]`; the attribute before it stands at `at`.
    fn bracket(&mut self, at: usize, path: &AttrPath, depth: usize) -> Result<Filter, Fault> {
        if self.in_brackets {
            return Err(self.fault(at, "brackets don't stand within brackets"));
        }
        if path.sub.is_some() {
            return Err(self.fault(at, "brackets follow an attribute, not a sub-attribute"));
        }
        let (open, _) = self.take()?;
        let depth = self.deeper(open, depth)?;
        self.in_brackets = true;
        let filter = self.or_expr(depth)?;
        // The token after `]` is outside already, so a fault in reading it must not be blamed on the filter.
        self.in_brackets = self.peek.1 != Token::Mark(']');
        self.close(']', open)?;
        Ok(filter)
    }

    fn sub_after_bracket(&mut self) -> Result<Option<Name>, Fault> {
        let (at, Token::Word(word)) = self.peek else { return Ok(None) };
        let Some(sub) = word.strip_prefix('.') else { return Ok(None) };
        if !is_name(sub) {
            return Err(self.fault(at, "expected the name of one sub-attribute after the dot"));
        }
        self.take()?;
        Ok(Some(Name::new(sub)))
    }

    fn deeper(&self, at: usize, depth: usize) -> Result<usize, Fault> {
        if depth >= self.limits.filter_depth {
            return Err(self.fault(at, format!("it nests deeper than {} levels", self.limits.filter_depth)));
        }
        Ok(depth + 1)
    }

    fn close(&mut self, mark: char, opened: usize) -> Result<(), Fault> {
        if self.peek.1 == Token::Mark(mark) {
            self.take()?;
            return Ok(());
        }
        let column = self.fault(opened, "").column;
        let found = shown(&self.peek.1);
        let what = format!(
            "expected \"and\", \"or\" or the \"{mark}\" that closes the bracket at column {column}, found {found}"
        );
        Err(self.fault(self.peek.0, what))
    }

    fn attribute(&self, at: usize, word: &str) -> Result<AttrPath, Fault> {
        AttrPath::read(word)
            .map_err(|why| self.fault(at, format!("{:?} is not an attribute path: {why}", Excerpt(word))))
    }

    fn test(&mut self) -> Result<Test, Fault> {
        let (at, token) = self.take()?;
        self.terms += 1;
        if self.terms > self.limits.filter_terms {
            let most = self.limits.filter_terms;
            return Err(
                self.fault(at, format!("it has more than {most} comparisons; ask in several requests"))
            );
        }
        match token {
            Token::Word(word) if is_pr(word) => Ok(Test::Present),
            Token::Word(word) if Op::named(word).is_some() => {
                let op = Op::named(word).unwrap_or(Op::Eq);
                Ok(Test::Compare(op, self.literal()?))
            }
            // The column points at the operator, not at the attribute: people mistype `=` for `eq`.
            other => {
                let hint = hint_for_operator(&other).map(|h| format!("; {h}")).unwrap_or_default();
                Err(self.fault(at, format!("expected {OPERATORS}, found {}{hint}", shown(&other))))
            }
        }
    }

    /// A value. What is found in its place is never repeated in the error: it may be private.
    fn literal(&mut self) -> Result<Literal, Fault> {
        let (at, token) = self.take()?;
        match token {
            Token::Text(text) => Ok(Literal::String(text)),
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Ok(Literal::Bool(true)),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Ok(Literal::Bool(false)),
            Token::Word(word) if word.eq_ignore_ascii_case("null") => Ok(Literal::Null),
            Token::Word(word) => number(word).map(Literal::Number).ok_or_else(|| {
                self.fault(at, "expected a value: text in double quotes, a number, true, false or null")
            }),
            Token::Other(other) if other.starts_with(['\'', '‘', '’', '“', '”', '`']) => {
                Err(self.fault(at, "expected a value; text stands in straight double quotes, as \"ida\""))
            }
            Token::End => {
                Err(self.fault(at, "expected a value after the operator, found the end of the text"))
            }
            _ => {
                Err(self.fault(at, "expected a value: text in double quotes, a number, true, false or null"))
            }
        }
    }
}

/// A JSON number. Its shape is serde_json's to judge, but a fraction is read by the standard
/// library, which rounds to the nearest where serde_json may miss it by one.
fn number(word: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(word).ok()?;
    if number.is_f64() { Number::from_f64(word.parse().ok()?) } else { Some(number) }
}

fn is_pr(word: &str) -> bool {
    word.eq_ignore_ascii_case("pr")
}

fn shown(token: &Token<'_>) -> String {
    match token {
        Token::Word(word) | Token::Other(word) => format!("{:?}", Excerpt(word)),
        Token::Text(_) => "a string".to_owned(),
        Token::Mark(mark) => format!("\"{mark}\""),
        Token::End => "the end of the text".to_owned(),
    }
}

fn hint_for_operator(token: &Token<'_>) -> Option<&'static str> {
    let (Token::Other(word) | Token::Word(word)) = token else { return None };
    Some(match word.to_ascii_lowercase().as_str() {
        "=" | "==" | "===" | "is" | "equals" => "write eq for equality",
        "!=" | "<>" | "neq" => "write ne for inequality",
        ">" => "write gt",
        "<" => "write lt",
        ">=" | "=>" | "gte" => "write ge",
        "<=" | "=<" | "lte" => "write le",
        "like" | "contains" | "~" => "write co for \"contains\"",
        "startswith" => "write sw for \"starts with\"",
        "endswith" => "write ew for \"ends with\"",
        "exists" | "present" => "write pr for \"has a value\"",
        "in" => "write one eq per value, joined by or",
        "not" => "write not (attribute op value)",
        _ => return None,
    })
}
