//! Links and paths in documents.

use std::path::{Component, Path, PathBuf};

use super::Files;

/// The documents that speak of the source by its paths.
const MAPS: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];

pub(super) fn faults(files: &Files) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in files.with_extension("md") {
        let folder = path.parent().unwrap_or(Path::new(""));
        for (line, text) in outside_fences(text) {
            for target in targets(text) {
                if let Some(why) = broken(files, path, folder, target) {
                    faults.push(format!("{}:{line}: {target}: {why}", path.display()));
                }
            }
            if MAPS.iter().any(|map| Path::new(map) == path) {
                for named in paths(text) {
                    // Rooms are spoken of by their short names: `store/src` lies in `crates`.
                    let found = files.has(Path::new(named)) || files.has(&Path::new("crates").join(named));
                    if !found {
                        faults.push(format!("{}:{line}: `{named}` does not exist", path.display()));
                    }
                }
            }
        }
    }
    faults
}

/// The numbered lines that are prose.
fn outside_fences(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        (!inside && !fence).then_some((at + 1, line))
    })
}

/// The targets of `[text](target)` and `![text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, _)| {
        let rest = &line[at + 2..];
        let target = &rest[..rest.find(')')?];
        // A title may follow in quotes.
        target.split_whitespace().next()
    })
}

fn broken(files: &Files, document: &Path, folder: &Path, target: &str) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { document.to_owned() } else { normal(&folder.join(file))? };
    if !files.has(&path) {
        return Some("there is no such file");
    }
    let text = files.text(&path)?;
    let headings: Vec<String> =
        outside_fences(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| slug(line)).collect();
    match anchor {
        Some(anchor)
            if path.extension().is_some_and(|e| e == "md") && !headings.iter().any(|h| h == anchor) =>
        {
            Some("there is no such heading")
        }
        _ => None,
    }
}

/// The path without `.` and `..`. One that leaves the repository is not ours to check.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => out.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}

/// The anchor that a heading gets: lower case, punctuation gone, spaces as hyphens.
fn slug(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
        .collect()
}

/// What stands in backticks and reads as a path in this repository.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter_map(|code| {
        let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        let last = code.rsplit('/').next().unwrap_or(code);
        let file =
            [".rs", ".md", ".toml", ".sql", ".py", ".csv", ".json"].iter().any(|end| last.ends_with(end));
        let media_type = code.starts_with("application/") || code.starts_with("text/");
        let outside = code.starts_with('/') || code.starts_with("..");
        (plain && (file || code.contains('/')) && !media_type && !outside && code != "/")
            .then(|| code.trim_end_matches('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::files;
    use super::*;

    /// Checks what is said of `ARCHITECTURE.md` with this text, beside a few files.
    fn check(text: &str, expected: &[&str]) {
        let others =
            [("docs/a.md", "# First: the `plan`\n"), ("crates/store/src/lib.rs", ""), ("README.md", "")];
        let mut all = vec![("ARCHITECTURE.md", text)];
        all.extend(others);
        assert_eq!(faults(&files(&all)), expected);
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        check(
            "[a](docs/a.md) [b](docs/a.md#first-the-plan) [c](docs) [d](https://x.y/z) [e](#here)\n# Here",
            &[],
        );
        check("```\n[not](a-link)\n```", &[]);
    }

    #[test]
    fn links_that_lead_nowhere_are_faults() {
        check("[a](docs/b.md)", &["ARCHITECTURE.md:1: docs/b.md: there is no such file"]);
        check("\n[a](docs/a.md#second)", &["ARCHITECTURE.md:2: docs/a.md#second: there is no such heading"]);
        check("[a](#there)\n# Here", &["ARCHITECTURE.md:1: #there: there is no such heading"]);
    }

    #[test]
    fn a_path_in_a_map_of_the_source_exists() {
        check("`crates/store`, `store/src/lib.rs`, `README.md`, `/v1/api`, `application/json`, `a b/c`", &[]);
        check("`store/src/gone.rs`", &["ARCHITECTURE.md:1: `store/src/gone.rs` does not exist"]);
    }
}
