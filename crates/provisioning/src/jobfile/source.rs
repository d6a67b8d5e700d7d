//! `[source]`: where people and groups are read.

use super::fields::Fields;

/// Where a secret is found; never in the file itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretFrom {
    /// In a file, whose last line break doesn't count.
    File(String),
    /// In an environment variable.
    Environment(String),
    /// In the vault, with the job, under this name.
    Kept(&'static str),
}

/// How files of people and groups are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Rows, with the attributes' names in the first (RFC 4180).
    Csv,
    /// A list of objects.
    Json,
}

/// A directory to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// CSV or JSON files, beside the job file unless a folder is named.
    Files {
        /// How they are written.
        format: FileFormat,
        /// The folder.
        folder: Option<String>,
        /// The people.
        users: String,
        /// The groups with their members.
        groups: Option<String>,
        /// More members: one row each, with its group.
        memberships: Option<String>,
    },
    /// A directory that speaks LDAP, or Active Directory.
    Ldap {
        /// Whether it is Active Directory.
        active_directory: bool,
        /// As `ldaps://directory.example`.
        url: String,
        /// Whom to sign in as.
        bind_dn: String,
        /// Its password.
        password: SecretFrom,
        /// Below which entry people and groups lie.
        base: String,
        /// Which entries are people.
        user_filter: Option<String>,
        /// Which entries are groups.
        group_filter: Option<String>,
        /// The group that is given the application, and its direct members with it.
        assigned_group: Option<String>,
        /// Which entries are given the application.
        assigned_filter: Option<String>,
        /// The authorities of its certificate, if this machine does not trust it.
        ca_file: Option<String>,
    },
    /// Microsoft Graph.
    Graph {
        /// The tenant's id or domain.
        tenant: String,
        /// The application's id.
        client_id: String,
        /// Its secret.
        client_secret: SecretFrom,
        /// The application whose assignments count; all people without one.
        assigned_to: Option<String>,
        /// Where Graph is, for national clouds and tests.
        graph_url: Option<String>,
        /// Where tokens come from, for national clouds and tests.
        login_url: Option<String>,
    },
    /// A SCIM provider.
    Scim {
        /// Its base.
        url: String,
        /// Its token.
        token: SecretFrom,
        /// Whoever has this entitlement is given the application.
        assigned_entitlement: Option<String>,
        /// The authorities of its certificate, if this machine does not trust it.
        ca_file: Option<String>,
    },
    /// Latchkey's own directory.
    Embedded {
        /// Whose directory, by the workspace's name; the only one without it, and its own for a job of a
        /// workspace.
        workspace: Option<String>,
        /// The application whose assignments count; those to any without one.
        application: Option<String>,
    },
}

impl Directory {
    /// Where the secret is that the source is shown, if it takes one.
    pub const fn secret(&self) -> Option<&SecretFrom> {
        match self {
            Self::Files { .. } | Self::Embedded { .. } => None,
            Self::Ldap { password, .. } => Some(password),
            Self::Graph { client_secret, .. } => Some(client_secret),
            Self::Scim { token, .. } => Some(token),
        }
    }
}

#[derive(Clone, Copy)]
enum Word {
    Files(FileFormat),
    Ldap,
    ActiveDirectory,
    Graph,
    Scim,
    Embedded,
}

const WORDS: &[(&str, Word)] = &[
    ("csv", Word::Files(FileFormat::Csv)),
    ("json", Word::Files(FileFormat::Json)),
    ("ldap", Word::Ldap),
    ("active_directory", Word::ActiveDirectory),
    ("graph", Word::Graph),
    ("scim", Word::Scim),
    ("embedded", Word::Embedded),
];

pub(super) fn read(fields: Fields<'_>) -> Option<Directory> {
    if !fields.has("kind") {
        fields.need_text("kind", "csv, json, ldap, active_directory, graph, scim or embedded");
        return None;
    }
    let word = fields.word("kind", WORDS)?;
    let owned = |text: &str| text.to_owned();
    if fields.is_kept() && matches!(word, Word::Files(_)) {
        fields.say(
            "kind",
            "a job of a workspace reads no files of the server: bring them into the workspace's own directory (kind = \"embedded\"), or run the job at the command line",
        );
    }
    let directory = match word {
        Word::Files(format) => files(&fields, format),
        Word::Ldap | Word::ActiveDirectory => ldap(&fields, matches!(word, Word::ActiveDirectory)),
        Word::Graph => {
            let tenant = fields.need_text("tenant", "the tenant's id or domain").map(owned);
            let client_id = fields.need_text("client_id", "the application's id").map(owned);
            let client_secret = secret(&fields, "client_secret_file", "client_secret_env");
            let assigned_to = fields.text("assigned_to").map(owned);
            let (graph_url, login_url) = (url(&fields, "graph_url", false), url(&fields, "login_url", false));
            tenant.zip(client_id).zip(client_secret).map(|((tenant, client_id), client_secret)| {
                Directory::Graph { tenant, client_id, client_secret, assigned_to, graph_url, login_url }
            })
        }
        Word::Scim => {
            let (url, token) = (url(&fields, "url", true), secret(&fields, "token_file", "token_env"));
            let assigned_entitlement = fields.text("assigned_entitlement").map(owned);
            let ca_file = fields.local("ca_file");
            url.zip(token).map(|(url, token)| Directory::Scim { url, token, assigned_entitlement, ca_file })
        }
        Word::Embedded => Some(Directory::Embedded {
            workspace: whose(&fields),
            application: fields.text("application").map(owned),
        }),
    };
    fields.finish();
    directory
}

/// A job of a workspace reads its own.
fn whose(fields: &Fields<'_>) -> Option<String> {
    let found = fields.text("workspace").map(str::to_owned);
    if found.is_some() && fields.is_kept() {
        fields.say("workspace", "a job of a workspace reads the workspace's own directory; leave it out");
    }
    found
}

fn files(fields: &Fields<'_>, format: FileFormat) -> Option<Directory> {
    let owned = |text: &str| text.to_owned();
    let users = fields.need_text("users", "the file of people, as \"people.csv\"").map(owned);
    let (folder, groups) = (fields.text("folder").map(owned), fields.text("groups").map(owned));
    let memberships = fields.text("memberships").map(owned);
    if memberships.is_some() && groups.is_none() {
        fields.say("memberships", "it says who is in which group, so name the file of groups too, in groups");
    }
    users.map(|users| Directory::Files { format, folder, users, groups, memberships })
}

fn ldap(fields: &Fields<'_>, active_directory: bool) -> Option<Directory> {
    let owned = |text: &str| text.to_owned();
    let url = fields.need_text("url", "where the directory is, as ldaps://directory.example").map(owned);
    if let Some(wrong) =
        url.as_ref().filter(|url| !url.starts_with("ldap://") && !url.starts_with("ldaps://"))
    {
        fields.say("url", format!("found {wrong:?}, but it begins with ldaps:// (or ldap:// for StartTLS)"));
    }
    let bind_dn = fields.need_text("bind_dn", "whom to sign in as, as cn=reader,dc=example").map(owned);
    let base = fields.need_text("base", "below which entry people and groups lie, as dc=example").map(owned);
    let password = secret(fields, "password_file", "password_env");
    let (user_filter, group_filter) = (filter(fields, "user_filter"), filter(fields, "group_filter"));
    let (assigned_group, assigned_filter) =
        (fields.text("assigned_group").map(owned), filter(fields, "assigned_filter"));
    if assigned_group.is_some() && assigned_filter.is_some() {
        fields.say("assigned_filter", "assigned_group is given too; keep one of them");
    }
    let ca_file = fields.local("ca_file");
    Some(Directory::Ldap {
        active_directory,
        url: url?,
        bind_dn: bind_dn?,
        password: password?,
        base: base?,
        user_filter,
        group_filter,
        assigned_group,
        assigned_filter,
        ca_file,
    })
}

/// A filter of LDAP (RFC 4515), as far as its brackets go; the directory knows the rest.
fn filter(fields: &Fields<'_>, key: &'static str) -> Option<String> {
    let text = fields.text(key)?;
    let closes = text.matches('(').count() == text.matches(')').count();
    if !text.starts_with('(') || !text.ends_with(')') || !closes {
        fields
            .say(key, format!("found {text:?}, but a filter in brackets is needed, as (objectClass=person)"));
        return None;
    }
    Some(text.to_owned())
}

/// Exactly one of a file and an environment variable; of a job of a workspace neither.
fn secret(fields: &Fields<'_>, file: &'static str, environment: &'static str) -> Option<SecretFrom> {
    secret_named(fields, (file, environment), "SourceSecret")
}

/// The same, kept under this name.
pub(super) fn secret_named(
    fields: &Fields<'_>,
    (file, environment): (&'static str, &'static str),
    kept: &'static str,
) -> Option<SecretFrom> {
    if fields.is_kept() {
        for key in [file, environment] {
            if fields.text(key).is_some() {
                let message =
                    format!("a job of a workspace keeps its secrets in the vault: put it there as {kept}");
                fields.say(key, message);
            }
        }
        return Some(SecretFrom::Kept(kept));
    }
    match (fields.text(file), fields.text(environment)) {
        (Some(file), None) => Some(SecretFrom::File(file.to_owned())),
        (None, Some(name)) => Some(SecretFrom::Environment(name.to_owned())),
        (Some(_), Some(_)) => {
            fields.say(environment, format!("{file} is given too; keep one of them"));
            None
        }
        (None, None) => {
            fields.say(file, format!("it is missing: name the file that holds the secret, or its environment variable in {environment}"));
            None
        }
    }
}

/// A URL; secrets travel over https, or over http on this machine alone.
pub(super) fn url(fields: &Fields<'_>, key: &'static str, needed: bool) -> Option<String> {
    let text = if needed {
        fields.need_text(key, "a URL, as https://app.example/scim/v2")?
    } else {
        fields.text(key)?
    };
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| !rest.is_empty() && !rest.contains([' ', '#'])) else {
        fields.say(key, format!("found {text:?}, but a URL is needed, as https://app.example/scim/v2"));
        return None;
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if text.starts_with("http://") && !["localhost", "127.0.0.1", "[::1]"].contains(&name) {
        fields.say(
            key,
            format!(
                "found {text:?}, but a secret is sent there: use https:// (http:// is for this machine alone)"
            ),
        );
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}
