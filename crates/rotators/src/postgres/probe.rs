//! What an admin should know of a server and a role before passwords are changed there.

use latchkey_rotation::{Class, Failure};
use tokio_postgres::Row;

use super::session::Target;

/// One row: what the server is, what we may do, what the role is.
pub(super) const LOOK: &str = "select \
    pg_catalog.current_setting('server_version_num')::int4 as version, \
    pg_catalog.pg_is_in_recovery() as standby, \
    pg_catalog.inet_server_port() as port, \
    me.rolsuper as super, \
    me.rolcreaterole as createrole, \
    pg_catalog.pg_has_role(me.oid, 'pg_signal_backend', 'USAGE') as signals, \
    r.oid is not null as found, \
    r.oid = me.oid as is_me, \
    r.rolcanlogin as can_login, \
    r.rolconnlimit as connections, \
    r.rolsuper as role_super, \
    r.rolreplication as role_replication, \
    r.oid is not null and pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION') as role_admin, \
    r.oid is not null and pg_catalog.pg_has_role(me.oid, r.oid, 'USAGE') as role_member, \
    r.rolvaliduntil < pg_catalog.now() as expired, \
    r.rolvaliduntil < pg_catalog.now() + '30 days'::interval as expires_soon, \
    r.rolvaliduntil::text as valid_until \
    from pg_catalog.pg_roles me left join pg_catalog.pg_roles r on r.rolname = $1 \
    where me.rolname = current_user";

/// What was found, as columns of [`LOOK`].
pub(super) struct Found<'a> {
    pub(super) target: &'a Target,
    pub(super) admin: &'a str,
    pub(super) username: &'a str,
    pub(super) row: &'a Row,
}

impl Found<'_> {
    fn is(&self, column: &str) -> bool {
        self.row.try_get::<_, Option<bool>>(column).ok().flatten().unwrap_or(false)
    }

    fn number(&self, column: &str) -> Option<i32> {
        self.row.try_get::<_, Option<i32>>(column).ok().flatten()
    }

    /// What makes every change fail.
    pub(super) fn obstacle(&self) -> Option<Failure> {
        let Self { target, username, .. } = self;
        let says = if self.number("version").is_some_and(|version| version < 100_000) {
            format!("{target} is older than PostgreSQL 10 and knows no SCRAM; upgrade it")
        } else if self.is("standby") {
            format!("{target} is a standby, which takes no changes; name the primary")
        } else if !self.is("found") {
            format!("{target} has no role {username:?}; check the account's login name (case counts)")
        } else if !self.may_change() {
            self.missing_right()
        } else {
            return None;
        };
        Some(Failure::not_applied(Class::NeedsPerson, says))
    }

    fn may_change(&self) -> bool {
        if self.is("super") || self.is("is_me") {
            return true;
        }
        // PostgreSQL 16 made CREATEROLE count for roles that one administers, and only for those.
        let createrole = if self.number("version").is_some_and(|version| version >= 160_000) {
            self.is("createrole") && self.is("role_admin")
        } else {
            self.is("createrole") && !self.is("role_replication")
        };
        createrole && !self.is("role_super")
    }

    fn missing_right(&self) -> String {
        let Self { target, admin, username, .. } = self;
        let what = if self.is("role_super") {
            format!("{username:?} is a superuser, whose password only a superuser may change")
        } else if self.number("version").is_some_and(|version| version >= 160_000) {
            format!("{admin:?} needs CREATEROLE and `GRANT \"{username}\" TO \"{admin}\" WITH ADMIN OPTION`")
        } else if self.is("role_replication") {
            format!("{username:?} is a replication role, whose password only a superuser may change")
        } else {
            format!("{admin:?} needs CREATEROLE")
        };
        format!("{target}: {admin:?} may not change the password of {username:?}: {what}")
    }

    /// What does not stop a change, but should be known.
    pub(super) fn warnings(&self) -> Vec<String> {
        let username = self.username;
        let mut warnings = Vec::new();
        if !self.is("can_login") || self.number("connections") == Some(0) {
            warnings.push(format!(
                "{username:?} may not log in (NOLOGIN or CONNECTION LIMIT 0), so no password can be proved"
            ));
        }
        let until: Option<String> = self.row.try_get("valid_until").ok().flatten();
        let until = until.unwrap_or_default();
        if self.is("expired") {
            warnings.push(format!(
                "the password of {username:?} was VALID UNTIL {until}: the server refuses every password until \
                 that is moved (ALTER ROLE … VALID UNTIL 'infinity')"
            ));
        } else if self.is("expires_soon") {
            warnings.push(format!(
                "the password of {username:?} is VALID UNTIL {until}, whichever it is; a change does not move that"
            ));
        }
        if self.number("port") != Some(i32::from(self.target.port)) && !self.target.host.starts_with('/') {
            let port = self
                .number("port")
                .map_or_else(|| "a local socket".to_owned(), |port| format!("port {port}"));
            warnings.push(format!(
                "the server itself listens on {port}: a pooler or forwarder stands in between. A pooler may keep \
                 letting the old password in; name the server's own address"
            ));
        }
        let signals = self.is("super")
            || (!self.is("role_super") && (self.is("signals") || self.is("role_member") || self.is("is_me")));
        if !signals {
            warnings.push(format!(
                "{:?} may not end the sessions of {username:?}: GRANT pg_signal_backend TO \"{}\" (a superuser's \
                 sessions need a superuser)",
                self.admin, self.admin
            ));
        }
        warnings
    }
}
