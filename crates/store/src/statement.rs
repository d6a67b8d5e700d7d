//! Statements: SQL written once, in a portable subset, with a name.
//!
//! The text is PostgreSQL's. For SQLite it is rewritten by five rules, and by nothing else:
//! - `$n` becomes `?n`, because SQLite numbers `$n` by first appearance and would swap values;
//! - `= any($n)`, which takes a list of ids, becomes `in (…)` over `json_each`;
//! - the row locks `for share`, `for update` and `skip locked` go, since the writer is alone;
//! - `strpos(` becomes `instr(`;
//! - of JSON in text, `::json` goes, and `uuid(`, which takes an id without dashes, becomes `unhex(`.

use std::borrow::Cow;
use std::sync::OnceLock;

/// One statement.
#[derive(Debug)]
pub(crate) struct Stmt {
    /// For errors, logs and tests.
    pub(crate) name: &'static str,
    sql: &'static str,
    sqlite: OnceLock<String>,
    expecting: OnceLock<String>,
}

impl Stmt {
    pub(crate) const fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sql, sqlite: OnceLock::new(), expecting: OnceLock::new() }
    }

    pub(crate) const fn postgres(&self) -> &str {
        self.sql
    }

    /// The text for a commit: with an expectation, one that fails when it touches no row.
    pub(crate) fn postgres_of(&self, expecting: bool) -> &str {
        if !expecting {
            return self.sql;
        }
        self.expecting.get_or_init(|| {
            let returning = if self.sql.starts_with("select") { "" } else { " returning 1" };
            format!("with hit as ({}{returning}) select latchkey_expect(count(*)) from hit", self.sql)
        })
    }

    pub(crate) fn sqlite(&self) -> &str {
        self.sqlite.get_or_init(|| for_sqlite(self.sql).into_owned())
    }
}

/// The text of a read: written once, or put together from parts.
pub(crate) enum Text {
    Written(&'static Stmt),
    Made {
        name: &'static str,
        sql: String,
        /// Worth preparing and keeping: there are few of its shape. Others could be without number,
        /// because clients choose the shape.
        keep: bool,
    },
}

impl Text {
    /// For errors.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Written(stmt) => stmt.name,
            Self::Made { name, .. } => name,
        }
    }

    pub(crate) fn sqlite(&self) -> Cow<'_, str> {
        match self {
            Self::Written(stmt) => Cow::Borrowed(stmt.sqlite()),
            Self::Made { sql, .. } => for_sqlite(sql),
        }
    }

    pub(crate) fn postgres(&self) -> &str {
        match self {
            Self::Written(stmt) => stmt.postgres(),
            Self::Made { sql, .. } => sql,
        }
    }

    pub(crate) const fn keeps(&self) -> bool {
        match self {
            Self::Written(_) => true,
            Self::Made { keep, .. } => *keep,
        }
    }
}

/// The text for SQLite.
pub(crate) fn for_sqlite(sql: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let (before, number) = (&rest[..at], &rest[at + 1..at + 1 + digits]);
        rest = &rest[at + 1 + digits..];
        if let Some(left) = before.strip_suffix("= any(") {
            out.push_str(left);
            out.push_str("in (select unhex(value) from json_each(?");
            out.push_str(number);
            out.push(')');
        } else {
            out.push_str(before);
            out.push('?');
            out.push_str(number);
        }
    }
    out.push_str(rest);
    for lock in [" for update skip locked", " for update", " for share"] {
        if out.contains(lock) {
            out = out.replace(lock, "");
        }
    }
    for (theirs, ours) in [("strpos(", "instr("), ("::json", ""), (" uuid(", " unhex(")] {
        if out.contains(theirs) {
            out = out.replace(theirs, ours);
        }
    }
    Cow::Owned(out)
}

/// Declares statements and lists them, so that a test prepares every one on both databases.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub(crate) static $name: $crate::statement::Stmt = $crate::statement::Stmt::new(stringify!($name), $sql);)*
        #[cfg(test)]
        pub(crate) static STATEMENTS: &[&$crate::statement::Stmt] = &[$(&$name),*];
    };
}
pub(crate) use statements;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_keep_their_numbers_on_sqlite() {
        assert_eq!(for_sqlite("select a where b = $2 and a = $1"), "select a where b = ?2 and a = ?1");
        assert_eq!(
            for_sqlite("select 1 where id = any($12) and x = $1 limit 2 for update skip locked"),
            "select 1 where id in (select unhex(value) from json_each(?12)) and x = ?1 limit 2"
        );
        assert_eq!(for_sqlite("select strpos(a, $1) for share"), "select instr(a, ?1)");
        assert_eq!(for_sqlite("select uuid(a::json ->> 'id')"), "select unhex(a ->> 'id')");
    }
}
