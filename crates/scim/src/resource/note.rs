//! What a request was understood as, where that is not what it says letter by letter.

use std::fmt;

/// One sentence for the flight recorder: what was ignored, or understood otherwise. Names
/// attributes, never values, so that it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// A note with this sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
