//! An LDAP directory of our own: OpenLDAP's slapd with password policies.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::Daemon;
use crate::room::{free_port, give, program, random_password, unprivileged, wait_for_port};

/// The directory's root entry.
pub const BASE: &str = "dc=corp,dc=example";
/// The entry that may write others' passwords, and is bound by the policy.
pub const ROTATOR: &str = "cn=rotator,dc=corp,dc=example";

/// A running slapd. Killed and removed on drop.
pub struct Slapd {
    daemon: Daemon,
    port: u16,
    tls_port: u16,
    password: String,
    _folder: TempDir,
}

impl Slapd {
    /// Makes a directory that holds `people` (their `uid` and password, under `ou=people`) and a policy: at
    /// least 12 characters, a history of 3, locked after 5 failed logins. `certificate` and `key` are PEM.
    ///
    /// # Errors
    /// When slapd is not installed (the text says how to) or does not start (the text has its log).
    pub fn create(people: &[(&str, &str)], certificate: &str, key: &str) -> Result<Self> {
        Self::start(&policy_entries(people), POLICY, certificate, key)
    }

    /// Makes a directory that holds what `ldif` says below [`BASE`], where [`ROTATOR`] may write all
    /// and read as much as it likes. With `syncs` it offers content synchronization (RFC 4533), and
    /// remembers the last so many changes for it.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn of_people(ldif: &str, syncs: Option<usize>, certificate: &str, key: &str) -> Result<Self> {
        let remembers = syncs.filter(|changes| *changes > 0);
        let remembers =
            remembers.map(|changes| format!("syncprov-sessionlog {changes}\n")).unwrap_or_default();
        let overlay = syncs.map(|_| format!("overlay syncprov\n{remembers}")).unwrap_or_default();
        let ldif = policy_entries(&[]) + ldif;
        let limits = format!("limits dn.exact=\"{ROTATOR}\" size=unlimited\n");
        Self::start(
            &ldif,
            &format!("{limits}index entryUUID,entryCSN,modifyTimestamp eq\n{POLICY}{overlay}"),
            certificate,
            key,
        )
    }

    fn start(ldif: &str, database: &str, certificate: &str, key: &str) -> Result<Self> {
        let (server, add) = (program("slapd", "slapd")?, program("slapadd", "slapd")?);
        let runs_as = rustix::process::geteuid().is_root().then(|| unprivileged("openldap"));
        let folder = tempfile::Builder::new().prefix("latchkey-slapd-").tempdir()?;
        let place = |name: &str| folder.path().join(name);
        fs::create_dir(place("data"))?;
        let password = random_password()?;
        let ldif = format!("{}{ldif}", root_entries(&password));
        for (name, text) in [
            ("cert.pem", certificate.to_owned()),
            ("key.pem", key.to_owned()),
            ("slapd.conf", configuration(folder.path(), database)?),
            ("people.ldif", ldif),
        ] {
            fs::write(place(name), text)?;
            give(&place(name), runs_as)?;
        }
        give(folder.path(), runs_as)?;
        give(&place("data"), runs_as)?;
        let command = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(folder.path()).arg("-f").arg(place("slapd.conf"));
            if let Some((uid, gid)) = runs_as {
                command.uid(uid).gid(gid);
            }
            command
        };
        let added = command(&add)
            .args(["-q", "-l"])
            .arg(place("people.ldif"))
            .output()
            .context("cannot run slapadd")?;
        if !added.status.success() {
            bail!("slapadd failed:\n{}", String::from_utf8_lossy(&added.stderr));
        }
        let (port, tls_port) = (free_port()?, free_port()?);
        let urls = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}");
        let mut starting = command(&server);
        // With a level it stays in the foreground and writes each operation to standard error.
        starting.args(["-h", &urls, "-d", "256"]);
        let mut daemon = Daemon::start("slapd", &mut starting, Some(folder.path()))?;
        wait_for_port(&mut daemon, "slapd", port)?;
        wait_for_port(&mut daemon, "slapd", tls_port)?;
        Ok(Self { daemon, port, tls_port, password, _folder: folder })
    }

    /// Its port on 127.0.0.1 for `ldap://`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its port on 127.0.0.1 for `ldaps://`.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The password of [`ROTATOR`].
    pub fn password(&self) -> &str {
        &self.password
    }

    /// What it has written.
    pub fn log(&self) -> String {
        self.daemon.log().text()
    }
}

fn configuration(folder: &Path, database: &str) -> Result<String> {
    let modules = ["/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap"];
    let modules =
        modules.iter().find(|path| Path::new(path).is_dir()).context("slapd has no folder of modules")?;
    let schemas = ["/etc/ldap/schema", "/etc/openldap/schema"];
    let schemas =
        schemas.iter().find(|path| Path::new(path).is_dir()).context("slapd has no folder of schemas")?;
    let folder = folder.display();
    Ok(format!(
        r#"include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
moduleload syncprov
pidfile {folder}/pid
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "{BASE}"
rootdn "cn=root,{BASE}"
directory {folder}/data
access to attrs=userPassword by dn="{ROTATOR}" write by self =wx by anonymous auth by * none
access to * by dn="{ROTATOR}" write by self write by * read
{database}"#
    ))
}

/// Passwords are held to a policy.
const POLICY: &str = "overlay ppolicy
ppolicy_default \"cn=policy,dc=corp,dc=example\"
ppolicy_hash_cleartext
ppolicy_use_lockout
";

fn root_entries(password: &str) -> String {
    format!(
        "dn: {BASE}\nobjectClass: domain\ndc: corp\n\n\
         dn: {ROTATOR}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: rotator\n\
         userPassword: {password}\n\n"
    )
}

fn policy_entries(people: &[(&str, &str)]) -> String {
    let mut text = format!(
        "dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: cn=policy,{BASE}\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: policy\n\
         pwdAttribute: userPassword\npwdCheckQuality: 2\npwdMinLength: 12\npwdInHistory: 3\npwdLockout: TRUE\n\
         pwdMaxFailure: 5\npwdAllowUserChange: TRUE\npwdSafeModify: FALSE\n\n"
    );
    for (uid, password) in people {
        text.push_str(&format!(
            "dn: uid={},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
             userPassword: {password}\n\n",
            uid.replace(',', "\\,")
        ));
    }
    text
}
