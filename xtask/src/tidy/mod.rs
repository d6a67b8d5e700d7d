//! What a compiler does not see: sizes, leftover marks, links, pairs of files.

mod links;
mod migrations;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run;

pub(crate) const HELP: &str = "\
Checks that
  - no source file is longer than 800 lines (reasons for exceptions: xtask/src/tidy/source.rs),
  - no mark of unfinished work is left,
  - each path that ARCHITECTURE.md or CONTRIBUTING.md names in `code` exists,
  - each link between documents has a target,
  - each migration exists for both databases, numbered without a gap.
";

pub(crate) fn run(_: &[String]) -> Result<()> {
    let root = run::root();
    let files = Files::read(&root)?;
    let mut faults = source::faults(&files);
    faults.extend(links::faults(&files));
    faults.extend(migrations::faults(&files));
    if !faults.is_empty() {
        bail!("{} to tidy up:\n  {}", faults.len(), faults.join("\n  "));
    }
    println!("tidy: {} files", files.0.len());
    Ok(())
}

/// The repository's text files by path from the root, and their content.
struct Files(Vec<(PathBuf, String)>);

impl Files {
    /// Everything but what git does not keep.
    fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
                let path = entry?.path();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if path.is_dir() {
                    if !["target", ".git", ".dev", "corpus", "artifacts", "node_modules"].contains(&name) {
                        folders.push(path);
                    }
                } else if let Ok(text) = fs::read_to_string(&path) {
                    files.push((path.strip_prefix(root)?.to_owned(), text));
                }
            }
        }
        files.sort();
        Ok(Self(files))
    }

    fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&Path, &str)> {
        let files = self.0.iter().filter(move |(path, _)| path.extension().is_some_and(|e| e == extension));
        files.map(|(path, text)| (path.as_path(), text.as_str()))
    }

    /// Whether there is a file or a folder at this path from the root.
    fn has(&self, path: &Path) -> bool {
        self.0.iter().any(|(file, _)| file.starts_with(path))
    }

    fn text(&self, path: &Path) -> Option<&str> {
        self.0.iter().find(|(file, _)| file == path).map(|(_, text)| text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        run(&[]).unwrap();
    }

    /// A repository with these files.
    pub(super) fn files(files: &[(&str, &str)]) -> Files {
        Files(files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect())
    }
}
