//! The reader behind [`Json::parse`](super::Json::parse): one pass, no recursion past the limit.

use std::collections::HashSet;

use serde_json::Number;

use super::{Json, Object};
use crate::Error;
use crate::name::same;

/// Above this many members a set finds a repeated name faster than looking through the list,
/// and an object of many thousand members can't cost quadratic time.
const FEW_MEMBERS: usize = 24;

pub(super) fn text(bytes: &[u8], depth: usize) -> Result<Json, Error> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            return Err(refuse(valid, valid.len(), "the body is not UTF-8"));
        }
    };
    let mut reader = Reader { text, bytes, at: 0, depth_left: depth };
    reader.skip_space();
    if reader.peek().is_none() {
        return Err(reader.wrong("the body is empty; send a JSON object"));
    }
    let value = reader.value()?;
    reader.skip_space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.wrong("something follows the end of the JSON text")),
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_left: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Json, Error> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.wrong("expected a JSON value")),
            None => Err(self.wrong("the body ends where a JSON value should be")),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Json, Error>) -> Result<Json, Error> {
        if self.depth_left == 0 {
            return Err(self.wrong("the body is nested too deeply"));
        }
        self.depth_left -= 1;
        self.at += 1;
        let value = read(self);
        self.depth_left += 1;
        value
    }

    fn object(&mut self) -> Result<Json, Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut many = HashSet::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Json::Object(Object(members)));
        }
        loop {
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a member name in double quotes"));
            }
            let name = self.string()?;
            if is_there(&members, &mut many, &name) {
                let what = format!("the member {name:?} is there twice in one object (names have no case)");
                return Err(refuse(self.text, start, &what));
            }
            self.skip_space();
            if !self.take(b':') {
                return Err(self.wrong("expected ':' after a member name"));
            }
            self.skip_space();
            let value = self.value()?;
            members.push((name, value));
            self.skip_space();
            if self.take(b'}') {
                return Ok(Json::Object(Object(members)));
            }
            if !self.take(b',') {
                return Err(self.wrong("expected ',' or '}' in an object"));
            }
            self.skip_space();
        }
    }

    fn array(&mut self) -> Result<Json, Error> {
        let mut values = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Json::Array(values));
        }
        loop {
            values.push(self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Json::Array(values));
            }
            if !self.take(b',') {
                return Err(self.wrong("expected ',' or ']' in an array"));
            }
            self.skip_space();
        }
    }

    fn string(&mut self) -> Result<String, Error> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        let mut plain = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    out.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    out.push(self.escape()?);
                    plain = self.at;
                }
                Some(..0x20) => {
                    return Err(self.wrong("a control character in a string; write it as an escape"));
                }
                Some(_) => self.at += 1,
                None => return Err(refuse(self.text, start, "a string that does not end")),
            }
        }
    }

    /// The character behind a backslash that has been read.
    fn escape(&mut self) -> Result<char, Error> {
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.wrong("an escape that JSON does not have")),
        };
        self.at += 1;
        Ok(character)
    }

    /// The character behind `\u`; one outside the basic plane is a pair of surrogates.
    fn unicode(&mut self) -> Result<char, Error> {
        let start = self.at;
        let lone = "half of a surrogate pair; a character outside the basic plane takes two \\u escapes";
        let first = self.four_hex()?;
        let code = match first {
            0xD800..0xDC00 => {
                if !(self.take(b'\\') && self.take(b'u')) {
                    return Err(refuse(self.text, start, lone));
                }
                let second = self.four_hex()?;
                if !(0xDC00..0xE000).contains(&second) {
                    return Err(refuse(self.text, start, lone));
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(|| refuse(self.text, start, lone))
    }

    fn four_hex(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.wrong("\\u takes four hexadecimal digits"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Json, Error> {
        let start = self.at;
        self.take(b'-');
        if self.take(b'0') {
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.wrong("a number with a leading zero"));
            }
        } else {
            self.digits()?;
        }
        let mut whole = true;
        if self.take(b'.') {
            whole = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            whole = false;
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        let number = if whole {
            // Integers that don't fit would turn into a nearby fraction without anybody noticing.
            text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
        } else {
            text.parse::<f64>().ok().and_then(Number::from_f64)
        };
        match number {
            Some(number) => Ok(Json::Number(number)),
            None => Err(refuse(self.text, start, "a number that is out of range")),
        }
    }

    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.wrong("expected a digit")) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, Error> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.wrong("expected a JSON value"))
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_it = self.peek() == Some(byte);
        self.at += usize::from(is_it);
        is_it
    }

    fn wrong(&self, what: &str) -> Error {
        refuse(self.text, self.at, what)
    }
}

/// Whether the name is taken; notes it in the set once the object has grown.
fn is_there(members: &[(String, Json)], many: &mut HashSet<String>, name: &str) -> bool {
    if members.len() < FEW_MEMBERS {
        return members.iter().any(|(n, _)| same(n, name));
    }
    if many.is_empty() {
        many.extend(members.iter().map(|(n, _)| n.to_ascii_lowercase()));
    }
    !many.insert(name.to_ascii_lowercase())
}

/// Line and column count from 1; a column is a character.
fn refuse(text: &str, at: usize, what: &str) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error::invalid_syntax(format!("line {line}, column {column}: {what}"))
}
