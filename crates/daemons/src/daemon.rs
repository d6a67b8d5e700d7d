//! A child process that never outlives who started it.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How much of a daemon's log is kept; the oldest part goes first.
const LOG_KEPT: usize = 512 * 1024;

/// Ends the daemon's group, and removes its folder, once the pipe to the starter closes. A test that is
/// itself killed runs no destructors; this does their work. QUIT first: PostgreSQL then stops its own
/// children, which live in groups of their own.
const GUARD: &str = r#"
trap '' INT TERM QUIT HUP
cat >/dev/null
kill -s QUIT -- "-$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ $tries -lt 30 ]; do sleep 0.1; tries=$((tries + 1)); done
[ -z "$2" ] || rm -rf -- "$2"
kill -s KILL -- "-$1" 2>/dev/null
"#;

/// A running child in a process group of its own, with its output captured. Killed on drop, and also when
/// the process that started it dies.
pub struct Daemon {
    name: String,
    child: Child,
    guard: Child,
    log: LogTail,
}

impl Daemon {
    /// Starts `command`. `folder`, if given, is removed should the starter die without cleaning up.
    pub fn start(name: &str, command: &mut Command, folder: Option<&Path>) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|e| {
                io::Error::new(e.kind(), format!("cannot start {:?}: {e}", command.get_program()))
            })?;
        let log = LogTail::default();
        log.follow(child.stdout.take(), true);
        log.follow(child.stderr.take(), false);
        let group = child.id();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &group.to_string()])
            .arg(folder.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(i32::try_from(group).map_err(io::Error::other)?)
            .spawn();
        match guard {
            Ok(guard) => Ok(Self { name: name.to_owned(), child, guard, log }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    pub fn log(&self) -> &LogTail {
        &self.log
    }

    /// Its exit, if it has ended by itself.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal to the daemon alone.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(pid(&self.child), signal);
    }

    /// Asks it to end (`SIGTERM`).
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends `signal` and waits for the exit; kills when `patience` runs out.
    ///
    /// # Errors
    /// When the daemon had to be killed.
    pub fn stop(&mut self, signal: Signal, patience: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        self.signal(signal);
        loop {
            if let Some(status) = self.exited() {
                self.kill();
                return Ok(status);
            }
            if Instant::now() > deadline {
                self.kill();
                anyhow::bail!("{} did not stop within {patience:?}; killed\n{}", self.name, self.log);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills the whole group at once (`SIGKILL`) and waits for its end.
    pub fn kill(&mut self) {
        // The guard is a member of the group, so the group's number cannot have gone to somebody else.
        if self.guard.try_wait().is_ok_and(|exit| exit.is_none()) {
            let _ = kill_process_group(pid(&self.child), Signal::KILL);
        }
        let _ = self.child.wait();
        let _ = self.guard.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A child's id as signals take it.
fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// The last part of what a daemon wrote. Cheap to clone.
#[derive(Clone, Default)]
pub struct LogTail(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    text: String,
    /// Streams that may still bring something.
    open: usize,
    /// The first lines of standard output, where a program says to programs that it is ready.
    lines: Vec<String>,
}

impl LogTail {
    /// The log as text.
    pub fn text(&self) -> String {
        self.written().text.clone()
    }

    /// Waits until everything that an ended process wrote has been read; not for long, because a process
    /// that it started may hold the streams open.
    pub fn settle(&self) {
        let deadline = Instant::now() + Duration::from_secs(1);
        while self.written().open > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What `find` makes of the first line of standard output that it knows.
    pub fn find_line<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.written().lines.iter().find_map(|line| find(line))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn follow(&self, stream: Option<impl Read + Send + 'static>, keep_lines: bool) {
        let Some(stream) = stream else { return };
        let log = self.clone();
        log.written().open += 1;
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                log.push(&String::from_utf8_lossy(&line), keep_lines);
                line.clear();
            }
            log.written().open -= 1;
        });
    }

    fn push(&self, line: &str, keep_line: bool) {
        let mut written = self.written();
        written.text.push_str(line);
        if written.text.len() > LOG_KEPT {
            let cut = written.text.floor_char_boundary(written.text.len() - LOG_KEPT / 2);
            written.text = written.text.split_off(cut);
        }
        if keep_line && written.lines.len() < 100 {
            written.lines.push(line.trim_end().to_owned());
        }
    }
}

impl fmt::Display for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written().text)
    }
}
