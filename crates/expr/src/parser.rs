//! From tokens to the tree.

use crate::error::{CompileError, Span};
use crate::lexer::{Token, tokens};
use crate::syntax::{Node, NodeKind};

/// The longest text that is taken, in characters.
pub(crate) const MAX_CHARACTERS: usize = 10_000;
/// The deepest nesting; far beyond what a person writes, and within every thread's stack.
const MAX_DEPTH: usize = 100;

/// Parses a text to a tree, whatever stands at its root.
pub(crate) fn parse(text: &str) -> Result<Node, CompileError> {
    let characters = text.chars().count();
    if characters > MAX_CHARACTERS {
        let message =
            format!("the expression has {characters} characters; at most {MAX_CHARACTERS} are allowed");
        return Err(CompileError::at(text, Span::new(0, text.len()), message));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0 };
    let node = parser.comparison(0)?;
    match parser.peek() {
        Token::End => Ok(node),
        other => {
            Err(parser.unexpected(&format!("nothing may follow here, but there is {}", other.describe())))
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token, Span)>,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    /// The last token is the end, and nobody goes past it.
    fn advance(&mut self) -> (Token, Span) {
        let taken = self.tokens[self.at].clone();
        if taken.0 != Token::End {
            self.at += 1;
        }
        taken
    }

    fn unexpected(&self, message: &str) -> CompileError {
        CompileError::at(self.text, self.span(), message)
    }

    fn comparison(&mut self, depth: usize) -> Result<Node, CompileError> {
        let left = self.single(depth)?;
        let Token::Operator(operator) = *self.peek() else { return Ok(left) };
        self.advance();
        let right = self.single(depth)?;
        if matches!(self.peek(), Token::Operator(_)) {
            return Err(self.unexpected("one comparison at a time; nest IIF for AND and OR"));
        }
        let span = left.span.to(right.span);
        Ok(Node { span, kind: NodeKind::Compare { operator, left: left.into(), right: right.into() } })
    }

    fn single(&mut self, depth: usize) -> Result<Node, CompileError> {
        if depth > MAX_DEPTH {
            return Err(self.unexpected(&format!("functions are nested more than {MAX_DEPTH} deep here")));
        }
        let found = self.peek().describe();
        let (token, span) = self.advance();
        let kind = match token {
            Token::Attribute(name) => NodeKind::Attribute { name },
            Token::Text(text) => NodeKind::Text { text },
            Token::Number(number) => NodeKind::Number { number },
            Token::Name(name) if *self.peek() == Token::Open => return self.call(name, span, depth),
            Token::Name(word) => NodeKind::Word { word },
            Token::Operator(_) | Token::Open | Token::Close | Token::Comma | Token::End => {
                let message =
                    format!("expected a function, an [attribute], a \"text\" or a number, found {found}");
                return Err(CompileError::at(self.text, span, message));
            }
        };
        Ok(Node { span, kind })
    }

    fn call(&mut self, name: String, start: Span, depth: usize) -> Result<Node, CompileError> {
        self.advance();
        let mut parameters = Vec::new();
        let end = loop {
            match self.peek() {
                Token::Close => {
                    // `f()` has none; `f(a, )` has a second one that was left out.
                    if !parameters.is_empty() {
                        parameters.push(Node { span: self.span(), kind: NodeKind::Omitted });
                    }
                    break self.advance().1;
                }
                Token::Comma => {
                    parameters.push(Node { span: self.span(), kind: NodeKind::Omitted });
                    self.advance();
                    continue;
                }
                _ => parameters.push(self.comparison(depth + 1)?),
            }
            match self.peek() {
                Token::Comma => {
                    self.advance();
                }
                Token::Close => break self.advance().1,
                other => {
                    let message = format!(
                        "expected a comma or ) after a parameter of {name}, found {}",
                        other.describe()
                    );
                    return Err(self.unexpected(&message));
                }
            }
        };
        Ok(Node { span: start.to(end), kind: NodeKind::Call { name, parameters } })
    }
}
