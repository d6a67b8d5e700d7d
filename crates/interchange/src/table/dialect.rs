//! What the columns of each program's tables mean, as data.

use crate::format::Format;

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    Name,
    Url,
    /// Several, between any of these.
    Urls(&'static [char]),
    Username,
    Password,
    Totp,
    Notes,
    SshKey,
    /// A path of folders, with this between them.
    Folder(char),
    /// Further fields, each a line `name: value`.
    Lines,
    /// Further fields as a JSON object.
    Object,
    /// What kind of item it is.
    Kind,
    /// Says something that matters to its program alone, as whether it is a favourite.
    Unused,
}

/// How one program writes a table.
pub(super) struct Dialect {
    pub(super) format: Format,
    /// Columns that tell it from all dialects after it in the list, and that it cannot be read without.
    marks: &'static [&'static str],
    columns: &'static [(&'static str, Column)],
}

impl Dialect {
    pub(super) fn wrote(&self, header: &[String]) -> bool {
        self.marks.iter().all(|mark| header.iter().any(|name| name == mark))
    }

    pub(super) const fn needs(&self) -> &'static [&'static str] {
        self.marks
    }

    pub(super) fn column(&self, name: &str) -> Option<Column> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
    }
}

use Column::{Folder, Kind, Lines, Name, Notes, Object, Password, SshKey, Totp, Unused, Url, Urls, Username};

/// In the order in which they are tried.
pub(super) const DIALECTS: &[Dialect] = &[
    Dialect {
        format: Format::LatchkeyCsv,
        marks: &["name", "password", "ssh_key", "collection"],
        columns: &[
            ("name", Name),
            ("urls", Urls(&['\n', '\r'])),
            ("username", Username),
            ("password", Password),
            ("totp", Totp),
            ("notes", Notes),
            ("ssh_key", SshKey),
            ("collection", Folder('/')),
            ("fields", Object),
        ],
    },
    Dialect {
        format: Format::BitwardenCsv,
        marks: &["type", "name", "login_username", "login_password"],
        columns: &[
            ("folder", Folder('/')),
            ("collections", Folder('/')),
            ("favorite", Unused),
            ("reprompt", Unused),
            ("archiveddate", Unused),
            ("type", Kind),
            ("name", Name),
            ("notes", Notes),
            ("fields", Lines),
            ("login_uri", Urls(&[','])),
            ("login_username", Username),
            ("login_password", Password),
            ("login_totp", Totp),
        ],
    },
    Dialect {
        format: Format::LastPassCsv,
        marks: &["url", "username", "password", "extra", "name", "grouping"],
        columns: &[
            ("url", Url),
            ("username", Username),
            ("password", Password),
            ("totp", Totp),
            ("extra", Notes),
            ("name", Name),
            ("grouping", Folder('\\')),
            ("fav", Unused),
        ],
    },
    Dialect {
        format: Format::KeePassCsv,
        marks: &["group", "title", "username", "password"],
        columns: &[
            ("group", Folder('/')),
            ("title", Name),
            ("username", Username),
            ("password", Password),
            ("url", Url),
            ("notes", Notes),
            ("totp", Totp),
            ("icon", Unused),
            ("last modified", Unused),
            ("created", Unused),
        ],
    },
    Dialect {
        format: Format::OnePasswordCsv,
        marks: &["title", "username", "password"],
        columns: &[
            ("title", Name),
            ("url", Url),
            ("urls", Urls(&[',', ' ', '\n'])),
            ("website", Url),
            ("username", Username),
            ("password", Password),
            ("otpauth", Totp),
            ("one-time password", Totp),
            ("notes", Notes),
            ("vault", Folder('/')),
            ("favorite", Unused),
            ("archived", Unused),
            ("type", Kind),
        ],
    },
    Dialect {
        format: Format::ChromeCsv,
        marks: &["name", "url", "username", "password"],
        columns: &[
            ("name", Name),
            ("url", Url),
            ("username", Username),
            ("password", Password),
            ("note", Notes),
            ("notes", Notes),
        ],
    },
];
