//! From text to tokens.

use crate::error::{CompileError, Span};
use crate::syntax::Operator;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Name(String),
    Attribute(String),
    Text(String),
    Number(i64),
    Operator(Operator),
    Open,
    Close,
    Comma,
    End,
}

impl Token {
    /// As an error names it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("the word {name}"),
            Self::Attribute(name) => format!("the attribute [{name}]"),
            Self::Text(_) => "a text in quotes".to_owned(),
            Self::Number(number) => format!("the number {number}"),
            Self::Operator(_) => "a comparison".to_owned(),
            Self::Open => "(".to_owned(),
            Self::Close => ")".to_owned(),
            Self::Comma => "a comma".to_owned(),
            Self::End => "the end of the text".to_owned(),
        }
    }
}

/// All tokens of a text, the last of them [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, CompileError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::new();
    loop {
        let (token, span) = lexer.next()?;
        let end = token == Token::End;
        found.push((token, span));
        if end {
            return Ok(found);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Result<(Token, Span), CompileError> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            return Ok((Token::End, Span::new(start, start)));
        };
        let token = match first {
            '(' => self.take(1, Token::Open),
            ')' => self.take(1, Token::Close),
            ',' => self.take(1, Token::Comma),
            '[' => self.attribute()?,
            '"' => self.quoted()?,
            '=' => self.take(1, Token::Operator(Operator::Equal)),
            '<' | '>' => self.comparison(),
            '&' => self.hexadecimal()?,
            '-' | '0'..='9' => self.number()?,
            c if c.is_alphabetic() || c == '_' => self.name(),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\'' => {
                return Err(self.wrong(
                    start,
                    first.len_utf8(),
                    "texts stand in straight double quotes: \"…\"",
                ));
            }
            other => {
                let message = format!(
                    "{other:?} means nothing here; an expression is made of functions, [attributes], \"texts\" and numbers"
                );
                return Err(self.wrong(start, other.len_utf8(), message));
            }
        };
        Ok((token, Span::new(start, self.at)))
    }

    fn take(&mut self, bytes: usize, token: Token) -> Token {
        self.at += bytes;
        token
    }

    fn wrong(&self, start: usize, len: usize, message: impl std::fmt::Display) -> CompileError {
        CompileError::at(self.text, Span::new(start, start + len), message)
    }

    fn comparison(&mut self) -> Token {
        for (text, operator) in [
            ("<>", Operator::NotEqual),
            (">=", Operator::GreaterOrEqual),
            ("<=", Operator::LessOrEqual),
            (">", Operator::Greater),
        ] {
            if self.rest().starts_with(text) {
                return self.take(text.len(), Token::Operator(operator));
            }
        }
        self.take(1, Token::Operator(Operator::Less))
    }

    /// `[name]`, where brackets within, of a SCIM path, are balanced.
    fn attribute(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        let mut depth = 0_usize;
        for (offset, c) in self.rest().char_indices() {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let name = self.rest()[1..offset].trim().to_owned();
                self.at += offset + 1;
                if name.is_empty() {
                    return Err(self.wrong(start, 2, "the attribute has no name; write [name]"));
                }
                return Ok(Token::Attribute(name));
            }
        }
        Err(self.wrong(start, 1, "this bracket is never closed; an attribute is written [name]"))
    }

    fn quoted(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += offset + 1;
                    return Ok(Token::Text(text));
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    Some((_, other)) => {
                        let message = format!(
                            "\\{other} is no escape; within quotes write \\\\ for a backslash and \\\" for a quote (the pattern \\d is written \"\\\\d\")"
                        );
                        return Err(self.wrong(start + offset, 1 + other.len_utf8(), message));
                    }
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(self.wrong(start, 1, "this quote is never closed"))
    }

    fn hexadecimal(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        let Some(digits) = self.rest().strip_prefix("&H").or_else(|| self.rest().strip_prefix("&h")) else {
            return Err(self.wrong(
                start,
                1,
                "& joins no texts here: use Join or Append; a hexadecimal number is written &HFF",
            ));
        };
        let len = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        let number = i64::from_str_radix(&digits[..len], 16)
            .map_err(|_| self.wrong(start, 2 + len, "&H is followed by 1 to 15 hexadecimal digits"))?;
        self.at += 2 + len;
        Ok(Token::Number(number))
    }

    fn number(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        let sign = usize::from(self.rest().starts_with('-'));
        let len = sign + self.rest()[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest()[..len].parse().map_err(|_| {
            self.wrong(start, len.max(1), "a number is written in digits, as 12 or -3, and fits 64 bits")
        })?;
        self.at += len;
        Ok(Token::Number(number))
    }

    fn name(&mut self) -> Token {
        let rest = self.rest();
        let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = rest[..len].to_owned();
        self.at += len;
        Token::Name(name)
    }
}
