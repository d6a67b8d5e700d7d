//! Backups are of a live system, restore into either database, and hold back nothing: a drill.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod drill;
mod refusals;
mod transfer;

use std::path::Path;
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_latchkey");

/// Runs a command apart from any server: its data is what the arguments say.
fn run(args: &[&str]) -> (bool, String) {
    let mut command = Command::new(BINARY);
    for name in ["LATCHKEY_DATA", "LATCHKEY_KEY_SOURCE", "DATABASE_URL"] {
        command.env_remove(name);
    }
    let output = command.args(args).output().expect("the program starts");
    let said = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned()).concat();
    (output.status.success(), said)
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("test paths are text")
}

/// A folder with the keys of a data folder, and nothing else.
fn folder_with_keys(data: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    std::fs::create_dir(&keys).expect("a folder");
    for entry in std::fs::read_dir(data.join("keys")).expect("the keys").flatten() {
        std::fs::copy(entry.path(), keys.join(entry.file_name())).expect("a copy");
    }
    folder
}
