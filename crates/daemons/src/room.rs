//! Where a daemon of our own lives: its port, its user, its password, its programs.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// So that others on the machine cannot log in to a server that runs as us.
pub(crate) fn random_password() -> Result<String> {
    let mut bytes = [0; 16];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The user and group to run a daemon as when we are root: the one of its package, else nobody.
pub(crate) fn unprivileged(package: &str) -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |wanted: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            match fields[..] {
                [name, _, uid, gid, ..] if name == wanted => Some((uid.parse().ok()?, gid.parse().ok()?)),
                _ => None,
            }
        })
    };
    find(package).or_else(|| find("nobody")).unwrap_or((65534, 65534))
}

/// A program in `PATH` or where packages put daemons.
pub(crate) fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(
            ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/libexec", "/usr/lib/openldap"].map(PathBuf::from),
        )
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| {
            format!(
                "{name} is not on this machine. Install it: `apt-get install {package}` on Debian and Ubuntu"
            )
        })
}

/// Debian's packages that bring the targets which tests start, as far as they are not on this machine.
pub fn missing_packages() -> Vec<&'static str> {
    [
        ("mariadbd", "mariadb-server"),
        ("slapd", "slapd"),
        ("sshd", "openssh-server"),
        ("ssh", "openssh-client"),
        ("pkill", "procps"),
        ("sudo", "sudo"),
    ]
    .into_iter()
    .filter(|(name, package)| program(name, package).is_err())
    .map(|(_, package)| package)
    .collect()
}

/// Gives a folder to who the daemon runs as.
pub(crate) fn give(path: &Path, owner: Option<(u32, u32)>) -> Result<()> {
    if let Some((uid, gid)) = owner {
        std::os::unix::fs::chown(path, Some(uid), Some(gid))
            .with_context(|| format!("cannot give {} away", path.display()))?;
    }
    Ok(())
}

/// Waits until the daemon takes connections on this port of this machine.
pub(crate) fn wait_for_port(daemon: &mut crate::Daemon, name: &str, port: u16) -> Result<()> {
    let patience = std::time::Duration::from_secs(60);
    let deadline = std::time::Instant::now() + patience;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Some(status) = daemon.exited() {
            daemon.log().settle();
            anyhow::bail!("{name} ended with {status} before it was ready\n{}", daemon.log());
        }
        if std::time::Instant::now() > deadline {
            anyhow::bail!("{name} was not ready within {patience:?}\n{}", daemon.log());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Ok(())
}
