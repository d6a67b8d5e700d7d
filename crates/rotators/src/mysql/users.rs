//! The rows of one user name, one for each host that it may come from, and the statements over them.

use latchkey_kernel::Entropy;
use latchkey_rotation::{Class, Failure};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::hash::Plugin;
use super::session::{Fault, Session, Target};

/// Which server it is, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) version: String,
    pub(super) mariadb: bool,
    /// Keeps the old password beside the new one if it is asked to (MySQL 8.0.14).
    pub(super) retains: bool,
}

impl Server {
    /// From `select version()`.
    pub(super) fn from_version(version: &str) -> Self {
        let mariadb = version.contains("MariaDB");
        let plain = version.strip_prefix("5.5.5-").unwrap_or(version);
        let digits: String = plain.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let mut numbers = digits.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        let number = (next(), next(), next());
        Self { mariadb, retains: !mariadb && number >= (8, 0, 14), version: digits }
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", if self.mariadb { "MariaDB" } else { "MySQL" }, self.version)
    }
}

/// One row of the user table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) host: String,
    pub(super) plugin: Plugin,
}

/// How the new password is written into the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// As what the server keeps of it, computed here: no log can hold the password.
    #[default]
    Hashed,
    /// As it is, for servers whose rules check passwords and refuse to take them hashed
    /// (`strict_password_validation`). The session's own general log is turned off first.
    Plain,
}

/// The rows of a user name that are to be changed: those of `hosts`, or all.
pub(super) async fn find(
    session: &mut Session,
    server: &Server,
    target: &Target,
    username: &str,
    hosts: Option<&[String]>,
) -> Result<Vec<User>, Failure> {
    const MARIADB: &str = "select cast(host as char), \
        cast(coalesce(json_value(priv, '$.plugin'), '') as char), \
        coalesce(json_exists(priv, '$.auth_or'), 0) \
        from mysql.global_priv where user = ? and coalesce(json_value(priv, '$.is_role'), 0) = 0 order by host";
    const MYSQL: &str =
        "select cast(host as char), cast(plugin as char), 0 from mysql.user where user = ? order by host";
    let needs_person = |says: String| Failure::not_applied(Class::NeedsPerson, says);
    let sql = if server.mariadb { MARIADB } else { MYSQL };
    let rows: Vec<(String, String, i64)> =
        session.rows(sql, (username,)).await.map_err(|fault| match fault.code() {
            Some(1142 | 1143 | 1044) => needs_person(format!(
                "{target}: the admin login may not look up {username:?}: GRANT SELECT ON mysql.* to it"
            )),
            _ => Failure::not_applied(
                Class::Transient,
                format!("{target}: {username:?} could not be looked up: {}", fault.words([])),
            ),
        })?;
    if let Some(missing) =
        hosts.unwrap_or_default().iter().find(|host| !rows.iter().any(|row| row.0 == **host))
    {
        return Err(needs_person(format!(
            "{target} has no user {username:?} for the host {missing:?}; check `hosts` and the account's login name"
        )));
    }
    let mut users = Vec::new();
    for (host, plugin, several) in rows {
        if hosts.is_some_and(|hosts| !hosts.contains(&host)) {
            continue;
        }
        let known = Plugin::from_word(&plugin).ok_or_else(|| {
            needs_person(format!(
                "{target}: {username:?}@{host:?} logs in by {plugin}, which keeps no password that could be changed \
                 here; give it mysql_native_password or caching_sha2_password, or name the other `hosts`"
            ))
        })?;
        if several != 0 {
            return Err(needs_person(format!(
                "{target}: {username:?}@{host:?} may log in in several ways (… OR …), of which a change would leave \
                 one; leave one there, or name the other `hosts`"
            )));
        }
        users.push(User { host, plugin: known });
    }
    if users.is_empty() {
        return Err(needs_person(format!(
            "{target} has no user {username:?}; check the account's login name (case counts)"
        )));
    }
    Ok(users)
}

/// A login's change of its own password, for which it needs no right. MySQL takes it only as it is.
pub(super) fn set_own(
    server: &Server,
    new: &SecretString,
    sent: Sent,
    entropy: &dyn Entropy,
) -> Option<Zeroizing<String>> {
    let new = new.expose_secret();
    match (sent, server.mariadb) {
        (Sent::Hashed, true) => {
            Some(Zeroizing::new(format!("SET PASSWORD = '{}'", *Plugin::Native.stored(new, entropy))))
        }
        (Sent::Hashed, false) => None,
        (Sent::Plain, true) => Some(Zeroizing::new(format!("SET PASSWORD = PASSWORD({})", literal(new)))),
        (Sent::Plain, false) => {
            Some(Zeroizing::new(format!("ALTER USER USER() IDENTIFIED BY {}", literal(new))))
        }
    }
}

/// The statements that change all rows: one, so that they change together where the server can do that.
/// MariaDB's replication log would hold an `ALTER USER` with a password as it is, and holds the hash of a
/// `SET PASSWORD`, which is for one row.
pub(super) fn alter(
    server: &Server,
    username: &str,
    users: &[User],
    new: &SecretString,
    sent: Sent,
    entropy: &dyn Entropy,
) -> Vec<Zeroizing<String>> {
    let name = |host: &str| format!("{}@{}", literal(username), literal(host));
    let plain = || Zeroizing::new(literal(new.expose_secret()));
    if server.mariadb && sent == Sent::Plain {
        let set = |user: &User| format!("SET PASSWORD FOR {} = PASSWORD({})", name(&user.host), *plain());
        return users.iter().map(|user| Zeroizing::new(set(user))).collect();
    }
    let retain = if server.retains { " RETAIN CURRENT PASSWORD" } else { "" };
    let mut sql = Zeroizing::new(String::from("ALTER USER "));
    for (at, User { host, plugin }) in users.iter().enumerate() {
        if at > 0 {
            sql.push_str(", ");
        }
        sql.push_str(&name(host));
        match sent {
            Sent::Plain => {
                sql.push_str(" IDENTIFIED BY ");
                sql.push_str(&plain());
            }
            Sent::Hashed => {
                let (with, by) = if server.mariadb { ("VIA", "USING") } else { ("WITH", "AS") };
                let stored = plugin.stored(new.expose_secret(), entropy);
                sql.push_str(&format!(" IDENTIFIED {with} {} {by} '{}'", plugin.as_str(), *stored));
            }
        }
        sql.push_str(retain);
    }
    vec![sql]
}

/// Forgets the passwords that were kept beside the new ones.
pub(super) async fn discard(session: &mut Session, username: &str, users: &[User]) -> Result<(), Fault> {
    let each: Vec<String> = users
        .iter()
        .map(|user| format!("{}@{} DISCARD OLD PASSWORD", literal(username), literal(&user.host)))
        .collect();
    session.execute(&format!("ALTER USER {}", each.join(", "))).await
}

/// A string as SQL takes it; the session's `sql_mode` is empty, so that a backslash escapes.
pub(super) fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            '\0' => quoted.push_str("\\0"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchkey_kernel::SeededEntropy;

    fn users() -> Vec<User> {
        vec![
            User { host: "%".to_owned(), plugin: Plugin::Native },
            User { host: "10.0.%".to_owned(), plugin: Plugin::CachingSha2 },
        ]
    }

    #[test]
    fn versions_tell_what_a_server_can_do() {
        for (version, name, retains) in [
            ("8.0.36", "MySQL 8.0.36", true),
            ("8.0.13-log", "MySQL 8.0.13", false),
            ("8.4.0", "MySQL 8.4.0", true),
            ("5.7.44", "MySQL 5.7.44", false),
            ("10.11.6-MariaDB-0+deb12u1", "MariaDB 10.11.6", false),
            ("5.5.5-10.6.1-MariaDB", "MariaDB 10.6.1", false),
        ] {
            let server = Server::from_version(version);
            assert_eq!((server.name().as_str(), server.retains), (name, retains), "{version}");
        }
    }

    #[test]
    fn mysql_keeps_the_old_password_until_it_is_discarded_and_gets_hashes_only() {
        let server = Server::from_version("8.0.36");
        let new = SecretString::from("canary");
        let statements = alter(&server, "o'app\\", &users(), &new, Sent::Hashed, &SeededEntropy::new(1));
        let [sql] = statements.as_slice() else { panic!("{} statements", statements.len()) };
        assert!(!sql.contains("canary"));
        assert!(
            sql.starts_with(r"ALTER USER 'o\'app\\'@'%' IDENTIFIED WITH mysql_native_password AS '*"),
            "{}",
            **sql
        );
        assert!(sql.contains("@'10.0.%' IDENTIFIED WITH caching_sha2_password AS '$A$005$"), "{}", **sql);
        assert_eq!(sql.matches("' RETAIN CURRENT PASSWORD").count(), 2, "{}", **sql);
    }

    #[test]
    fn mariadb_has_its_own_words_and_no_second_password() {
        let server = Server::from_version("10.11.6-MariaDB");
        let new = SecretString::from("c'a\\n");
        let sql = alter(&server, "app", &users()[..1], &new, Sent::Hashed, &SeededEntropy::new(1));
        let sql = &sql[0];
        assert!(
            sql.starts_with("ALTER USER 'app'@'%' IDENTIFIED VIA mysql_native_password USING '*"),
            "{}",
            **sql
        );
        assert!(!sql.contains("RETAIN"));
        let plain = alter(&server, "app", &users(), &new, Sent::Plain, &SeededEntropy::new(1));
        let plain: Vec<&str> = plain.iter().map(|sql| sql.as_str()).collect();
        let expected = [
            r"SET PASSWORD FOR 'app'@'%' = PASSWORD('c\'a\\n')",
            r"SET PASSWORD FOR 'app'@'10.0.%' = PASSWORD('c\'a\\n')",
        ];
        assert_eq!(plain, expected);
    }
}
