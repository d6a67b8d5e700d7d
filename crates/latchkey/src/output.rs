//! What commands answer: words for people, or JSON for machines.

use serde::Serialize;

/// How a command answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// The answer, on standard output: `value` for machines, `words` for people.
    pub(crate) fn answer(self, value: &impl Serialize, words: impl FnOnce() -> String) {
        if self.json {
            let line = serde_json::to_string(value).expect("answers have string keys only");
            anstream::println!("{line}");
        } else {
            anstream::println!("{}", words());
        }
    }

    /// What goes with an answer, for people only, on standard error.
    pub(crate) fn remark(self, words: impl std::fmt::Display) {
        if !self.json {
            anstream::eprintln!("{words}");
        }
    }

    /// A failure: the sentence and its causes.
    pub(crate) fn failure(self, error: &anyhow::Error) {
        if self.json {
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            let line = serde_json::json!({ "error": chain.join(": ") });
            anstream::println!("{line}");
        }
        anstream::eprintln!("latchkey: {error:#}");
    }
}

/// Columns padded to their widest cell, two spaces between.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        rows.iter().map(|row| row[at].chars().count()).chain([head[at].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(head.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["a".to_owned(), "long one".to_owned()], vec!["bcd".to_owned(), "x".to_owned()]];
        assert_eq!(table(&["N", "What"], &rows), "N    What\na    long one\nbcd  x");
    }
}
