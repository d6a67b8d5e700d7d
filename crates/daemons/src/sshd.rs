//! An SSH server of our own, with logins of its own on this machine.
//!
//! Passwords are the system's: a server that checks them has to run as root, and its logins are system
//! users, made for the test and removed with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::Daemon;
use crate::room::{free_port, program, random_password, wait_for_port};

/// A running sshd with a login `root` by key, and others that tests add. All are removed on drop.
pub struct Sshd {
    daemon: Daemon,
    port: u16,
    host_key: String,
    root_key: String,
    logins: Vec<String>,
    folder: TempDir,
}

impl Sshd {
    /// Starts a server. `options` are lines of sshd_config and come first, so that they win.
    ///
    /// # Errors
    /// When OpenSSH is not installed (the text says how to), we are not root, or it does not start.
    pub fn create(options: &str) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            bail!(
                "an SSH server checks the system's passwords and makes throw-away logins, which takes root: run \
                 these tests as root, as CI does, or leave them out by name"
            );
        }
        let server = program("sshd", "openssh-server")?;
        // OpenSSH's sandbox wants it; packages leave it to the service.
        fs::create_dir_all("/run/sshd")?;
        let folder = tempfile::Builder::new().prefix("latchkey-sshd-").tempdir()?;
        let (host_key, root_key) = (make_key(&folder, "host_key")?, make_key(&folder, "root_key")?);
        fs::write(folder.path().join("root_keys"), &root_key.public)?;
        let port = free_port()?;
        let here = folder.path().display();
        let configuration = format!(
            "{options}\n\
             Port {port}\nListenAddress 127.0.0.1\nHostKey {here}/host_key\nPidFile none\nLogLevel DEBUG1\n\
             UsePAM yes\nPermitRootLogin prohibit-password\nPasswordAuthentication yes\nStrictModes no\n\
             MaxStartups 100\nPerSourcePenalties no\n\
             Match User root\n  AuthorizedKeysFile {here}/root_keys\n"
        );
        // Older servers do not know penalties, and need none turned off.
        let configuration = if knows_penalties(&server)? {
            configuration
        } else {
            configuration.replace("PerSourcePenalties no\n", "")
        };
        fs::write(folder.path().join("sshd_config"), configuration)?;
        let mut starting = Command::new(server);
        starting.arg("-D").arg("-e").arg("-f").arg(folder.path().join("sshd_config"));
        let mut daemon = Daemon::start("sshd", &mut starting, Some(folder.path()))?;
        wait_for_port(&mut daemon, "sshd", port)?;
        Ok(Self {
            daemon,
            port,
            host_key: host_key.public.trim().to_owned(),
            root_key: root_key.private,
            logins: Vec::new(),
            folder,
        })
    }

    /// Adds a login with a fresh name, a home and this password; returns the name.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn add_login(&mut self, password: &str) -> Result<String> {
        let name = format!("lk{}", &random_password()?[..10]);
        let home = self.folder.path().join(&name);
        // The folder is root's alone otherwise.
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755))?;
        run(Command::new("useradd").args(["-m", "-s", "/bin/sh", "-d"]).arg(&home).arg(&name), None)?;
        self.logins.push(name.clone());
        run(&mut Command::new("chpasswd"), Some(&format!("{name}:{password}\n")))?;
        Ok(name)
    }

    /// Lets a login run these commands as root by sudo without a password, as in sudoers.
    ///
    /// # Errors
    /// When sudo is not installed (the text says how to) or does not take the rule.
    pub fn allow_sudo(&self, login: &str, commands: &str) -> Result<()> {
        program("sudo", "sudo")?;
        let rule = self.folder.path().join("sudoers");
        fs::write(&rule, format!("{login} ALL=(root) NOPASSWD: {commands}\n"))?;
        run(Command::new("visudo").arg("-cf").arg(&rule), None)?;
        fs::set_permissions(&rule, fs::Permissions::from_mode(0o440))?;
        fs::copy(&rule, sudoers(login)).context("cannot add a rule to sudoers")?;
        Ok(())
    }

    /// A key pair for tests: private in OpenSSH's format, and the line of `authorized_keys`.
    ///
    /// # Errors
    /// When ssh-keygen fails.
    pub fn new_key(&self) -> Result<KeyPair> {
        make_key(&self.folder, &format!("key-{}", random_password()?))
    }

    /// Lets a login in by this line of `authorized_keys` too.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn authorize(&self, login: &str, line: &str) -> Result<()> {
        let file = self.authorized_keys(login);
        let script = format!(
            "umask 077; mkdir -p {home}/.ssh && cat >>{file} && chown -R {login}: {home}/.ssh",
            home = self.folder.path().join(login).display(),
            file = file.display()
        );
        run(Command::new("sh").args(["-c", &script]), Some(&format!("{}\n", line.trim_end())))?;
        Ok(())
    }

    /// The file that lets a login in by key.
    pub fn authorized_keys(&self, login: &str) -> std::path::PathBuf {
        self.folder.path().join(login).join(".ssh/authorized_keys")
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The public host key.
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// The private key that lets root in.
    pub fn root_key(&self) -> &str {
        &self.root_key
    }

    /// What it has written.
    pub fn log(&self) -> String {
        self.daemon.log().text()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.daemon.kill();
        for login in &self.logins {
            // What it still runs keeps the login from being removed.
            let _ = Command::new("pkill").args(["-KILL", "-u", login]).output();
            let _ = Command::new("userdel").arg("--force").arg(login).output();
            let _ = fs::remove_file(sudoers(login));
        }
    }
}

fn sudoers(login: &str) -> std::path::PathBuf {
    std::path::Path::new("/etc/sudoers.d").join(login)
}

/// A key pair.
pub struct KeyPair {
    /// In OpenSSH's format, without a passphrase.
    pub private: String,
    /// One line.
    pub public: String,
}

fn make_key(folder: &TempDir, name: &str) -> Result<KeyPair> {
    let file = folder.path().join(name);
    run(
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(&file),
        None,
    )?;
    let read = |file: &std::path::Path| fs::read_to_string(file).context("ssh-keygen left no key");
    Ok(KeyPair { private: read(&file)?, public: read(&file.with_extension("pub"))? })
}

fn knows_penalties(server: &std::path::Path) -> Result<bool> {
    let tried = Command::new(server).args(["-t", "-o", "PerSourcePenalties=no"]).output()?;
    Ok(!String::from_utf8_lossy(&tried.stderr).contains("Bad configuration option"))
}

fn run(command: &mut Command, input: Option<&str>) -> Result<Output> {
    use std::io::Write;
    use std::process::Stdio;
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.unwrap_or_default().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output)
}
