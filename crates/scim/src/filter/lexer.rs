//! Words, strings and brackets of a filter, with where they stand.

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// An attribute path, an operator, a keyword or a literal without quotes.
    Word(&'a str),
    /// A string, escapes decoded.
    Text(String),
    /// `(`, `)`, `[` or `]`.
    Mark(char),
    /// A run of what a filter has no use for, such as `==`.
    Other(&'a str),
    /// The end of the text.
    End,
}

/// Why a piece can't be read; what to do about it is in the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadToken {
    pub(super) at: usize,
    pub(super) what: &'static str,
}

/// Reads one piece after another; each byte is looked at once.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next piece and the byte at which it starts.
    pub(super) fn next(&mut self) -> Result<(usize, Token<'a>), BadToken> {
        let rest = &self.text[self.at..];
        let space = rest.len() - rest.trim_start_matches(is_space).len();
        self.at += space;
        let start = self.at;
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else {
            return Ok((start, Token::End));
        };
        match first {
            '(' | ')' | '[' | ']' => {
                self.at += 1;
                Ok((start, Token::Mark(first)))
            }
            '"' => self.string(start),
            _ if is_word(first) => Ok((start, Token::Word(self.run(is_word)))),
            _ => Ok((start, Token::Other(self.run(is_other)))),
        }
    }

    fn run(&mut self, belongs: fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let run = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        self.at += run.len();
        run
    }

    fn string(&mut self, start: usize) -> Result<(usize, Token<'a>), BadToken> {
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'"' => {
                    self.at = end + 1;
                    let quoted = &self.text[start..=end];
                    return match serde_json::from_str(quoted) {
                        Ok(text) => Ok((start, Token::Text(text))),
                        Err(_) => Err(BadToken {
                            at: start,
                            what: "the string has an escape or a control character that JSON does not allow; \
                                   write \\\" for a quote, \\\\ for a backslash and \\n or \\u000a for a line end",
                        }),
                    };
                }
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        Err(BadToken {
            at: start,
            what: "the string has no closing quote (a quote within it is written \\\")",
        })
    }
}

/// What attribute paths, URNs, numbers and keywords are made of.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '$' | '/' | '+' | '%' | '~' | '#')
}

fn is_other(c: char) -> bool {
    !is_word(c) && !is_space(c) && !matches!(c, '(' | ')' | '[' | ']' | '"')
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
