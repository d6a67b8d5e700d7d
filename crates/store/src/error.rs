//! What goes wrong with a database, and what a commit may find.

use std::error::Error as StdError;

/// The database failed, or holds what it cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or the connection broke; whether a commit under way was made is unknown.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// A statement failed, for a reason that is not the caller's.
    #[error("the database statement `{statement}` failed")]
    Statement {
        /// The statement's name.
        statement: &'static str,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A row doesn't read: a defect, or a row that was changed by hand.
    #[error("a stored row does not read: column {column} holds {found}")]
    Damaged {
        /// Which column of the answer.
        column: usize,
        /// What stands there.
        found: String,
    },
    /// The database was made by a newer program.
    #[error(
        "the database has schema {found}, and this program knows schemas up to {known}; \
         start the newer program that made it, or restore a backup from before"
    )]
    SchemaTooNew {
        /// The database's.
        found: i64,
        /// The newest that we know.
        known: i64,
    },
    /// A migration that was made isn't the one that we know under this number.
    #[error("the database was migrated by another version of `{name}`; it is not one of this program's")]
    SchemaForeign {
        /// The migration.
        name: String,
    },
    /// The file or the URL is no database that can be opened.
    #[error("cannot open the database {place}")]
    Open {
        /// Which one, without its password.
        place: String,
        /// Why.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
    /// The queue for writing is full; nothing was done.
    #[error("too many changes are waiting to be written")]
    Busy,
}

/// Why a [`crate::Store::commit`] was not made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The queue for writing is full; nothing was done.
    #[error("too many changes are waiting to be written")]
    Busy,
    /// What the decision rested on doesn't hold; nothing was done.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The database failed.
    #[error("{0}")]
    Store(#[source] StoreError),
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            other => Self::Store(other),
        }
    }
}

/// Which expectation of a change set failed; nothing of it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// A key is taken.
    #[error("{0} is taken")]
    Unique(UniqueKey),
    /// The row has another version or state than the one read, or is gone. Also what a
    /// serialisation failure or a deadlock comes to: load and decide again.
    #[error("the {what} has changed meanwhile")]
    Moved {
        /// The kind of row.
        what: &'static str,
    },
    /// A row that must exist doesn't.
    #[error("the {what} is not there")]
    Missing {
        /// The kind of row that was to be changed, or that refers to one which isn't there.
        what: &'static str,
    },
    /// The row cannot go while others lie in it.
    #[error("the {what} is in use")]
    InUse {
        /// The kind of row.
        what: &'static str,
    },
}

macro_rules! unique_keys {
    ($($(#[$doc:meta])* $name:ident: $constraint:literal, $column:literal, $said:literal;)*) => {
        /// A key that is taken once.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum UniqueKey {
            $($(#[$doc])* $name,)*
            /// The id of a row, which is a defect or a double sending.
            Id,
        }

        impl UniqueKey {
            /// PostgreSQL names the constraint.
            pub(crate) fn of_constraint(name: &str) -> Self {
                match name { $($constraint => Self::$name,)* _ => Self::Id }
            }

            /// SQLite lists the columns as `table.column, …`; the last one tells.
            pub(crate) fn of_columns(columns: &str) -> Self {
                $(if columns.ends_with($column) { return Self::$name; })*
                Self::Id
            }
        }

        impl std::fmt::Display for UniqueKey {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$name => $said,)* Self::Id => "the id" })
            }
        }
    };
}

unique_keys! {
    /// A workspace's name, on the installation.
    WorkspaceName: "workspace_name_key", "workspace.name_key", "the name of the workspace";
    /// A `userName`, among the members that are not deleted.
    MemberUserName: "member_user_name_key", "member.user_name_key", "the user name";
    /// A team's `displayName`.
    TeamDisplayName: "team_display_name_key", "team.display_name_key", "the name of the team";
    /// A token's hash, on the installation.
    TokenHash: "token_hash", "token.hash", "the token";
    /// A connector's name.
    ConnectorName: "connector_name", "connector.name", "the name of the connector";
    /// There is a rotation for this cause.
    RotationCause: "rotation_job_cause", "rotation_job.cause", "the cause of the rotation";
    /// There is a rotation of this account that is not over.
    RotationOfAccount: "rotation_job_account", "rotation_job.account_id", "the account's rotation";
    /// There is an open task for this rotation.
    TaskOfRotation: "manual_task_open", "manual_task.rotation_id", "the rotation's task";
    /// An account has one password.
    SecretPassword: "secret_password", "secret.account_id", "the account's password";
    /// A secret has one pending, one current and one previous version.
    SecretState: "secret_version_state", "secret_version.state", "the state of this secret's version";
    /// A recovery code is used once.
    BurnedCode: "burned_code_pkey", "burned_code.number", "the recovery code";
    /// A name in a workspace's own directory, among the present of a kind.
    EmbeddedName: "embedded_object_name", "embedded_object.name_key", "the name";
    /// An external id in a workspace's own directory.
    EmbeddedExternalId: "embedded_object_external", "embedded_object.external_id", "the external id";
    /// A provisioning job's name.
    JobName: "provisioning_job_name", "provisioning_job.name", "the name of the job";
    /// There is a case for this member and epoch.
    CaseOfEpoch: "offboarding_case_epoch", "offboarding_case.epoch", "the offboarding of this member";
}
