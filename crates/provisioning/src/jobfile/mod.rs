//! A provisioning job as a file: `provision.toml`.
//!
//! Every mistake is found in one reading, each with its line, its field, what was found and what is
//! allowed. Nothing is read but the text: files and secrets that it names are opened by others.

mod check;
mod fields;
mod mappings;
mod source;
mod target;
mod written;

use std::cell::RefCell;
use std::time::Duration;

pub use check::{Checked, check};
pub use fields::Problem;
pub use source::{Directory, FileFormat, SecretFrom};
pub use target::{Credential, Dialect, TargetConfig};
pub use written::{quoted, section};

use check::Section;
use fields::{Fields, File};
use toml::de::DeTable;

use crate::entry::Kind;
use crate::feed::Wanted;
use crate::lint::{self, Warning};
use crate::mapping::ObjectMapping;

/// A job: what is read, where it is written, what flows and when.
#[derive(Debug)]
pub struct JobFile {
    /// What people call it.
    pub name: String,
    /// How long after the end of a cycle the next begins; `None` runs only when told to.
    pub schedule: Option<Duration>,
    /// Whether all objects are taken, or those alone that are assigned.
    pub sync_all: bool,
    /// How many users and groups one cycle may disable or delete without a person's word (P3).
    pub deletion_limit: Option<usize>,
    /// Whether objects that leave the scope are left as they are.
    pub skip_out_of_scope_deletions: bool,
    /// Whether members of nested groups count as members.
    pub expand_nested_groups: bool,
    /// What `DefaultDomain()` gives.
    pub default_domain: String,
    /// Who is told by mail when the job needs somebody.
    pub notify: Vec<String>,
    /// Which URL is told the same.
    pub webhook: Option<String>,
    /// Where it reads.
    pub source: Directory,
    /// Where it writes.
    pub target: TargetConfig,
    /// How people are provisioned; `None` leaves them out.
    pub users: Option<ObjectMapping>,
    /// How groups are provisioned; `None` leaves them out.
    pub groups: Option<ObjectMapping>,
}

impl JobFile {
    /// How objects of this kind are provisioned, if they are.
    pub fn mapping(&self, kind: Kind) -> Option<&ObjectMapping> {
        match kind {
            Kind::User => self.users.as_ref(),
            Kind::Group => self.groups.as_ref(),
        }
    }

    /// What of the source is needed.
    pub fn wanted(&self) -> Wanted {
        let names = |mapping: &ObjectMapping| {
            mapping.source_attributes().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        Wanted { users: self.users.as_ref().map(names), groups: self.groups.as_ref().map(names) }
    }
}

/// Reads a job.
///
/// # Errors
/// Every mistake in the text, in the order of its lines.
pub fn parse(text: &str) -> Result<JobFile, Vec<Problem>> {
    parse_as(text, false)
}

/// Reads a job of a workspace: its secrets are kept in the vault, and it names no file and no
/// environment variable, for these are the server's.
///
/// # Errors
/// As [`parse`].
pub fn parse_kept(text: &str) -> Result<JobFile, Vec<Problem>> {
    parse_as(text, true)
}

fn parse_as(text: &str, kept: bool) -> Result<JobFile, Vec<Problem>> {
    let file = File { text, problems: RefCell::default(), kept };
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        file.say(&span, "", format!("this is no TOML: {}", error.message()));
        file.problems.take()
    })?;
    let job = read(table.get_ref(), &file);
    let mut problems = file.problems.take();
    problems.sort_by_key(|problem| problem.line);
    match job {
        Some(job) if problems.is_empty() => Ok(job),
        _ => Err(problems),
    }
}

fn read<'f>(table: &'f DeTable<'f>, file: &'f File<'f>) -> Option<JobFile> {
    let root = Fields::new(file, table, 0..0, String::new());
    let whole = || 0..0;
    let section = |key: &'static str, what: &str| {
        if !root.has(key) {
            file.say(&whole(), key, format!("the section is missing: {what}"));
        }
        root.table(key)
    };
    let job = section("job", "give the job a name, as [job] with name = \"People\"");
    let from = section("source", "say where people are read, as [source] with kind = \"csv\"");
    let to = section("target", "say where they are written, as [target] with url = \"https://…\"");
    let users = root.table("users").and_then(|fields| mappings::read(fields, Kind::User));
    let groups = root.table("groups").and_then(|fields| mappings::read(fields, Kind::Group));
    if !root.has("users") && !root.has("groups") {
        file.say(
            &whole(),
            "users",
            "neither users nor groups are mapped; add [users] with mappings = \"default\"",
        );
    }
    for (section, mapping) in [(Section::Users, &users), (Section::Groups, &groups)] {
        for Warning { about, message } in mapping.iter().flat_map(lint::errors) {
            let (span, field) = check::of_mapping(table, section, &about);
            file.say(&span, &field, format!("{about}: {message}"));
        }
    }
    let (source, target) = (from.and_then(source::read), to.and_then(target::read));
    root.finish();
    let job = job?;
    let name = job.need_text("name", "what people call the job").map(str::to_owned);
    let schedule = schedule(&job);
    let sync_all = job.word("scope", &[("all", true), ("assigned", false)]).unwrap_or(true);
    let deletion_limit =
        job.number("deletion_limit", 0..=1_000_000).and_then(|limit| usize::try_from(limit).ok());
    let skip_out_of_scope_deletions = job.flag("skip_out_of_scope_deletions", false);
    let expand_nested_groups = job.flag("expand_nested_groups", false);
    let default_domain = job.text("default_domain").unwrap_or_default().to_owned();
    let notify: Vec<String> = job.texts("notify").into_iter().map(str::to_owned).collect();
    if let Some(wrong) = notify.iter().find(|address| !address.contains('@')) {
        job.say("notify", format!("{wrong:?} is no mail address"));
    }
    let webhook = source::url(&job, "webhook", false);
    job.finish();
    Some(JobFile {
        name: name?,
        schedule: schedule?,
        sync_all,
        deletion_limit: if deletion_limit.is_none() { Some(DELETION_LIMIT) } else { deletion_limit },
        skip_out_of_scope_deletions,
        expand_nested_groups,
        default_domain,
        notify,
        webhook,
        source: source?,
        target: target?,
        users,
        groups,
    })
}

/// Without a word of the file's: as Entra's sibling begins.
const DELETION_LIMIT: usize = 500;

/// `None` is a mistake; `Some(None)` is a job that runs only when told to.
fn schedule(job: &Fields<'_>) -> Option<Option<Duration>> {
    let Some(text) = job.text("schedule") else { return Some(None) };
    if text == "manual" {
        return Some(None);
    }
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit.trim() {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        _ => None,
    };
    let every = number.parse::<u64>().ok().zip(seconds).and_then(|(n, unit)| n.checked_mul(unit));
    match every.filter(|seconds| (1..=30 * 86_400).contains(seconds)) {
        Some(seconds) => Some(Some(Duration::from_secs(seconds))),
        None => {
            let message = format!(
                "found {text:?}, but \"manual\" or a time from 1s to 30d is needed, as 30s, 40m, 6h or 1d"
            );
            job.say("schedule", message);
            None
        }
    }
}
