//! All that is wrong with the files, told at once.

use std::fmt::Display;

use latchkey_provisioning::feed::{SourceError, SourceErrorKind};

/// So many are shown; who has more repairs these first.
const SHOWN: usize = 50;

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    shown: Vec<String>,
    count: usize,
}

impl Faults {
    pub(super) fn say(&mut self, file: &str, place: impl Display, column: Option<&str>, message: &str) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            let column = column.map(|name| format!(", column {name:?}")).unwrap_or_default();
            self.shown.push(format!("{file}, {place}{column}: {message}"));
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Nothing is taken from files of which a part is wrong: who is in that part would seem to have left.
    pub(super) fn check(self) -> Result<(), SourceError> {
        match self.count {
            0 => Ok(()),
            1 => Err(SourceError::new(SourceErrorKind::Malformed, self.shown.concat())),
            count => {
                let shown = self.shown.join("\n  ");
                let more = match count - self.shown.len() {
                    0 => String::new(),
                    more => format!("\n  and {more} more"),
                };
                let message = format!("{count} places in the files are wrong:\n  {shown}{more}");
                Err(SourceError::new(SourceErrorKind::Malformed, message))
            }
        }
    }
}
