//! Each migration exists for both databases.

use std::collections::BTreeSet;
use std::path::Path;

use super::Files;

const FOLDER: &str = "crates/store/migrations";

pub(super) fn faults(files: &Files) -> Vec<String> {
    let [sqlite, postgres] = ["sqlite", "postgres"].map(|database| {
        let folder = Path::new(FOLDER).join(database);
        let names = files.with_extension("sql").filter(|(path, _)| path.parent() == Some(&folder));
        names.filter_map(|(path, _)| Some(path.file_name()?.to_str()?.to_owned())).collect::<BTreeSet<_>>()
    });
    let mut faults = Vec::new();
    for (there, missing, other) in [("sqlite", &postgres, &sqlite), ("postgres", &sqlite, &postgres)] {
        for name in other.difference(missing) {
            faults.push(format!("{FOLDER}/{there}/{name} has no counterpart for the other database"));
        }
    }
    for (at, name) in sqlite.union(&postgres).enumerate() {
        let number = format!("{:04}_", at + 1);
        if !name.starts_with(&number) {
            faults.push(format!("{FOLDER}: {name} should be number {number}"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::tests::files;
    use super::*;

    /// Checks what is said of migrations at these paths.
    fn check(paths: &[&str], expected: &[&str]) {
        let paths: Vec<String> = paths.iter().map(|path| format!("{FOLDER}/{path}")).collect();
        let all: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
        assert_eq!(faults(&files(&all)), expected);
    }

    #[test]
    fn migrations_come_in_pairs_without_gaps() {
        check(&["sqlite/0001_a.sql", "postgres/0001_a.sql", "sqlite/0002_b.sql", "postgres/0002_b.sql"], &[]);
        check(
            &["sqlite/0001_a.sql"],
            &["crates/store/migrations/sqlite/0001_a.sql has no counterpart for the other database"],
        );
        check(
            &["sqlite/0001_a.sql", "postgres/0001_a.sql", "sqlite/0003_b.sql", "postgres/0003_b.sql"],
            &["crates/store/migrations: 0003_b.sql should be number 0002_"],
        );
    }
}
