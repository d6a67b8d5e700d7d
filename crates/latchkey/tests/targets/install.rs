//! Installs the providers from PyPI and npm, once, into the target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is installed, and what runs on it. The versions stand in `requirements.txt`, `package.json`
/// and `package-lock.json`, and nowhere else.
const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/targets/servers");

/// The Python that has the providers of PyPI.
pub(crate) fn python() -> PathBuf {
    once("python", &["requirements.txt"], |folder| {
        run(
            Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder),
            "apt-get install python3-venv",
        );
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        let requirements = Path::new(SERVERS).join("requirements.txt");
        run(
            Command::new(folder.join("bin/python")).args(pip).arg(requirements),
            "see that PyPI can be reached",
        );
    })
    .join("bin/python")
}

/// The folder in which Node finds the providers of npm, with the scripts that start them.
pub(crate) fn node() -> PathBuf {
    let files = ["package.json", "package-lock.json", "serve_scimmy_routers.js", "serve_better_auth_scim.js"];
    once("node", &files, |folder| {
        fs::create_dir_all(folder).expect("the target folder can be written");
        for file in files {
            fs::copy(Path::new(SERVERS).join(file), folder.join(file))
                .expect("the target folder can be written");
        }
        let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        run(
            Command::new("npm").args(ci).current_dir(folder),
            "Node.js 20 or newer with npm is needed (`apt-get install nodejs npm`), and npm's registry",
        );
    })
}

/// A script of ours.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(SERVERS).join(name)
}

/// The folder, after `install` has been run on it for what these files hold now. Tests that run side
/// by side wait for one another.
fn once(name: &str, files: &[&str], install: impl FnOnce(&Path)) -> PathBuf {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scim-targets");
    fs::create_dir_all(&base).expect("the target folder can be written");
    let lock = File::create(base.join(format!("{name}.lock"))).expect("the target folder can be written");
    lock.lock().expect("files can be locked");
    let folder = base.join(name);
    let mark = base.join(format!("{name}.installed"));
    let read = |file: &&str| fs::read_to_string(Path::new(SERVERS).join(file)).expect("the file is there");
    let wanted: String = files.iter().map(read).collect();
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return folder;
    }
    install(&folder);
    fs::write(&mark, wanted).expect("the target folder can be written");
    folder
}

fn run(command: &mut Command, advice: &str) {
    let output = command.output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!(
            "{:?} failed: {}{}\n{advice}; or leave these tests out: `cargo xtask test --without interop`",
            command.get_program(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => panic!(
            "{:?} cannot be started: {error}\n{advice}; or leave these tests out: `cargo xtask test --without interop`",
            command.get_program()
        ),
    }
}
