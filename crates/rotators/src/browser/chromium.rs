//! A Chromium of one job: found on PATH, with a profile of its own that goes with it, spoken to
//! over a pipe that no other process can reach.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getuid, kill_process_group, test_kill_process_group};
use tempfile::TempDir;
use tokio::process::{ChildStdin, ChildStdout};

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
/// What is kept of Chromium's complaints, for the case that it does not start.
const COMPLAINTS: usize = 4 << 10;

/// Why there is no browser.
#[derive(Debug, thiserror::Error)]
pub(super) enum LaunchError {
    #[error(
        "no Chromium on PATH (looked for {}); install it, as with: apt-get install chromium, or name it in `chromium`",
        NAMES.join(", ")
    )]
    NotFound,
    #[error("{} is no program that can be started: {source}", path.display())]
    Start { path: PathBuf, source: io::Error },
    #[error("no folder for a browser profile can be made in {}: {source}", folder.display())]
    Profile { folder: PathBuf, source: io::Error },
}

/// Finds Chromium in the folders of a PATH.
pub(super) fn find(path: &OsStr) -> Result<PathBuf, LaunchError> {
    std::env::split_paths(path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|file| file.is_file())
        .ok_or(LaunchError::NotFound)
}

/// Whether Chromium must do without its sandbox: it has none for root.
pub(super) fn is_root() -> bool {
    getuid().is_root()
}

/// The process and its profile. Both end when it is dropped.
pub(super) struct Chromium {
    running: Option<Running>,
    complaints: Arc<Mutex<Vec<u8>>>,
}

struct Running {
    child: Child,
    group: Pid,
    profile: TempDir,
}

/// The two ends of the pipe that DevTools are spoken over.
pub(super) struct Pipe {
    pub(super) to: ChildStdin,
    pub(super) from: ChildStdout,
}

impl Chromium {
    /// Starts one. `resolver` is Chromium's own rule for which name goes to which address.
    pub(super) fn launch(program: &Path, path: &OsStr, resolver: &str) -> Result<(Self, Pipe), LaunchError> {
        let temp = std::env::temp_dir();
        let profile = tempfile::Builder::new()
            .prefix("latchkey-browser-")
            .tempdir_in(&temp)
            .and_then(|folder| prefer(folder.path()).map(|()| folder))
            .map_err(|source| LaunchError::Profile { folder: temp, source })?;
        let started = |source| LaunchError::Start { path: program.to_owned(), source };
        // The shell gives Chromium the pipe as descriptors 3 and 4, where it wants it, and becomes it.
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(program)
            .args(flags(profile.path(), resolver))
            .env_clear()
            .env("PATH", path)
            .env("HOME", profile.path())
            .env("TMPDIR", profile.path())
            .env("LANG", "C.UTF-8")
            .current_dir(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().map_err(started)?;
        let group = Pid::from_child(&child);
        let complaints = Arc::new(Mutex::new(Vec::new()));
        if let Some(stderr) = child.stderr.take() {
            let kept = Arc::clone(&complaints);
            std::thread::spawn(move || keep(stderr, &kept));
        }
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let chromium = Self { running: Some(Running { child, group, profile }), complaints };
        match (to, from) {
            (Some(to), Some(from)) => {
                let to = ChildStdin::from_std(to).map_err(started)?;
                let from = ChildStdout::from_std(from).map_err(started)?;
                Ok((chromium, Pipe { to, from }))
            }
            _ => Err(started(io::Error::from(io::ErrorKind::BrokenPipe))),
        }
    }

    /// The last that Chromium said on its error output: about itself, since pages cannot write there.
    pub(super) fn complaint(&self) -> String {
        let kept = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).lines().last().unwrap_or_default().trim().to_owned()
    }

    /// Ends it and removes its profile, and waits for both.
    pub(super) async fn close(mut self) {
        if let Some(running) = self.running.take() {
            // Fails only when the runtime ends, and then `Drop` has done the same.
            let _ = tokio::task::spawn_blocking(move || running.end()).await;
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            std::thread::spawn(move || running.end());
        }
    }
}

impl Running {
    fn end(mut self) {
        // All of the group, so that no helper goes on writing into the profile.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        let until = Instant::now() + Duration::from_secs(5);
        while test_kill_process_group(self.group).is_ok() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let folder = self.profile.path().to_owned();
        if let Err(error) = self.profile.close() {
            tracing::warn!(
                folder = %folder.display(),
                error = &error as &dyn std::error::Error,
                "a browser's profile could not be removed; it holds no password, and can be deleted"
            );
        }
    }
}

fn keep(mut stderr: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 1 << 10];
    while let Ok(count) = stderr.read(&mut chunk) {
        if count == 0 {
            break;
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < COMPLAINTS {
            kept.extend_from_slice(&chunk[..count]);
        }
    }
}

/// Settings that no flag sets: no passwords are saved, and none are offered to be.
fn prefer(profile: &Path) -> io::Result<()> {
    let folder = profile.join("Default");
    std::fs::create_dir(&folder)?;
    let settings = serde_json::json!({
        "credentials_enable_service": false,
        "credentials_enable_autosignin": false,
        "profile": { "password_manager_enabled": false, "password_manager_leak_detection": false },
        "autofill": { "profile_enabled": false, "credit_card_enabled": false },
        "safebrowsing": { "enabled": false },
        "net": { "network_prediction_options": 2 },
    });
    std::fs::write(folder.join("Preferences"), settings.to_string())
}

fn flags(profile: &Path, resolver: &str) -> Vec<std::ffi::OsString> {
    let mut user_data = std::ffi::OsString::from("--user-data-dir=");
    user_data.push(profile);
    let mut flags: Vec<std::ffi::OsString> = [
        "--headless=new",
        "--remote-debugging-pipe",
        // Nothing of a page is written to disk.
        "--incognito",
        "--disk-cache-dir=/dev/null",
        "--no-first-run",
        "--no-default-browser-check",
        "--password-store=basic",
        "--disable-background-networking",
        "--disable-breakpad",
        "--disable-client-side-phishing-detection",
        "--disable-component-extensions-with-background-pages",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-dev-shm-usage",
        "--disable-domain-reliability",
        "--disable-extensions",
        "--disable-field-trial-config",
        "--disable-gpu",
        "--disable-quic",
        "--disable-sync",
        "--disable-features=AutofillServerCommunication,MediaRouter,OptimizationHints,Translate,PasswordLeakDetection",
        "--deny-permission-prompts",
        "--dns-prefetch-disable",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--metrics-recording-only",
        "--mute-audio",
        "--no-pings",
        "--no-proxy-server",
        "--window-size=1280,1024",
    ]
    .into_iter()
    .map(Into::into)
    .collect();
    flags.push(format!("--host-resolver-rules={resolver}").into());
    flags.push(user_data);
    if is_root() {
        flags.push("--no-sandbox".into());
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test has no binary that reads the PATH for it")]
    fn launched() -> (Chromium, Pipe, Pid, PathBuf) {
        let path = std::env::var("PATH").expect("a PATH");
        let program = find(path.as_ref()).expect("Chromium is installed");
        let (chromium, pipe) = Chromium::launch(&program, path.as_ref(), "MAP * ~NOTFOUND").expect("started");
        let running = chromium.running.as_ref().expect("running");
        let (group, profile) = (running.group, running.profile.path().to_owned());
        assert!(profile.is_dir() && test_kill_process_group(group).is_ok());
        (chromium, pipe, group, profile)
    }

    #[tokio::test]
    async fn closed_it_leaves_neither_processes_nor_a_profile() {
        let (chromium, _pipe, _, profile) = launched();
        chromium.close().await;
        assert!(!profile.exists());
    }

    #[tokio::test]
    async fn dropped_it_leaves_no_profile_either() {
        let (chromium, pipe, _, profile) = launched();
        drop((chromium, pipe));
        let until = Instant::now() + Duration::from_secs(60);
        while profile.exists() {
            assert!(Instant::now() < until, "the profile is still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
