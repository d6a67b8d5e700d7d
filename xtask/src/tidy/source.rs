//! Sizes of files, and marks of unfinished work.

use std::path::Path;

use super::Files;

/// A file longer than this has more than one reason to change.
const LONGEST: usize = 800;

/// The exceptions, each with its reason.
const MAY_BE_LONGER: &[(&str, &str)] = &[];

pub(super) fn faults(files: &Files) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in files.with_extension("rs") {
        let lines = text.lines().count();
        if lines > LONGEST && !MAY_BE_LONGER.iter().any(|(excused, _)| Path::new(excused) == path) {
            faults.push(format!("{}: {lines} lines; split it by reason to change", path.display()));
        }
    }
    for (path, _) in MAY_BE_LONGER {
        if files.text(Path::new(path)).is_none_or(|text| text.lines().count() <= LONGEST) {
            faults.push(format!("xtask/src/tidy/source.rs: {path} needs no exception any more"));
        }
    }
    // Put together here, so that this file does not find itself.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["todo", "!"], ["unimplemented", "!"]]
        .map(|mark| mark.concat());
    for extension in ["rs", "md", "toml", "sql", "py", "sh"] {
        for (path, text) in files.with_extension(extension) {
            for (at, line) in text.lines().enumerate() {
                if let Some(mark) = marks.iter().find(|mark| has_word(line, mark)) {
                    faults.push(format!("{}:{}: {mark}", path.display(), at + 1));
                }
            }
        }
    }
    faults
}

/// Whether `word` stands in `line` by itself.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_word) && !line[at + word.len()..].starts_with(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::files;
    use super::*;

    #[test]
    fn a_file_that_is_too_long_and_a_leftover_mark_are_faults() {
        let long = "//\n".repeat(801);
        let mark = ["let a = 1; // TO", "DO\nlet TO", "DOS = 2;"].concat();
        let found = faults(&files(&[("a.rs", &long), ("b.rs", &mark), ("c.rs", &"//\n".repeat(800))]));
        assert_eq!(
            found,
            ["a.rs: 801 lines; split it by reason to change".to_owned(), ["b.rs:1: TO", "DO"].concat()]
        );
    }
}
