//! The command line of `latchkey provision`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::check::Lint;
use super::schema::Schema;
use super::templates::{New, Templates};

#[derive(Debug, Subcommand)]
pub(crate) enum Provision {
    /// Run one cycle of a job: everything at first, then what changed
    ///
    /// Ends with 0 when source and target are in step, with 2 when some objects failed and are tried
    /// again in later cycles, with 3 when the job is in quarantine, and with 1 when it could not run
    /// at all.
    Run(Box<Run>),
    /// Run a job on its schedule, and at once when its source changes, until it is stopped
    Watch(Box<Watch>),
    /// Show what a cycle would do, and do nothing
    Preview(Box<Preview>),
    /// Bring one person or group in step now, and show each step of the decision
    OnDemand(Box<OnDemand>),
    /// See whether source and target can be reached and answer as they should
    TestConnection(Box<Job>),
    /// Show where a job stands
    Status(Box<Job>),
    /// Show what was decided on each object, why, and what came of it
    Logs(Box<Logs>),
    /// Take back what a cycle disabled, deleted or took out of groups
    Undo(Box<Undo>),
    /// Allow the next cycle to disable and delete what is held because it is more than the limit
    AllowDeletes(Box<AllowDeletes>),
    /// Make a job forget: by default it reads everything anew and tries what failed again
    Restart(Box<Restart>),
    /// Keep a job from running by itself; all it remembers is kept
    Pause(Box<Job>),
    /// Let a job run again that was paused, disabled or in quarantine
    Start(Box<Job>),
    /// List the sources and targets that are known, or explain one
    Templates(Templates),
    /// Write a job file for a source and a target that are known, with all that there is to do
    New(New),
    /// Say what is wrong in a job file, and what is probably regretted
    Lint(Lint),
    /// Take mappings over from Entra ID, or give them back
    #[command(subcommand)]
    Schema(Schema),
    /// Evaluate an expression, with the value of each part
    Expression(Box<Expression>),
    /// Explain the functions of expressions
    Functions {
        /// One function; all of them in short without it
        name: Option<String>,
    },
}

/// A job and where what it remembers is kept.
#[derive(Debug, Args)]
pub(crate) struct Job {
    /// The job, as provision.toml
    pub(crate) file: PathBuf,
    /// The target's base, instead of the job file's
    #[arg(long, value_name = "URL")]
    pub(crate) target_url: Option<String>,
    /// File with the target's token, instead of what the job file says
    #[arg(long, value_name = "FILE")]
    pub(crate) target_token_file: Option<PathBuf>,
    /// Folder of the source's files, instead of the job file's
    #[arg(long, value_name = "DIR")]
    pub(crate) source_dir: Option<PathBuf>,
    /// Folder for what the job remembers
    #[arg(long, env = "LATCHKEY_DATA", value_name = "DIR", default_value = "latchkey-data")]
    pub(crate) data: PathBuf,
    /// PostgreSQL to remember in instead, as postgres://user:password@host/name
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) job: Job,
    /// Read everything, whatever was read before
    #[arg(long)]
    pub(crate) full: bool,
    /// Read what was sent, and repair what was changed by hand at the target
    #[arg(long)]
    pub(crate) repair_drift: bool,
    /// Do exactly what a preview wrote to this file, and nothing else
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) job: Job,
}

#[derive(Debug, Args)]
pub(crate) struct Preview {
    #[command(flatten)]
    pub(crate) job: Job,
    /// Look at everything, as if the job had just been set up or changed
    #[arg(long)]
    pub(crate) full: bool,
    /// Compare what was sent with what the target holds now: a report of what was changed by hand
    #[arg(long)]
    pub(crate) drift: bool,
    /// Write the preview to this file, for `run --plan`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Subject {
    /// A person, by id, login name, mail address or display name
    #[arg(long, value_name = "PERSON")]
    pub(crate) user: Option<String>,
    /// A group, by id or display name
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OnDemand {
    #[command(flatten)]
    pub(crate) job: Job,
    #[command(flatten)]
    pub(crate) subject: Subject,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) job: Job,
    /// Only objects whose name, source id or target id contains this, in any letter case
    #[arg(long, value_name = "TEXT")]
    pub(crate) object: Option<String>,
    /// Only with this outcome: success, failure, skipped or warning
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Only with this decision: create, update, disable, delete, stageddelete or other
    #[arg(long)]
    pub(crate) action: Option<String>,
    /// Only with this code, as Conflict
    #[arg(long)]
    pub(crate) code: Option<String>,
    /// Only of this cycle
    #[arg(long, value_name = "ID")]
    pub(crate) cycle: Option<String>,
    /// Also what was skipped for a reason
    #[arg(long)]
    pub(crate) all: bool,
    /// At most so many, newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// How entries are written
    #[arg(long, value_enum, default_value_t = Form::Words)]
    pub(crate) format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Words,
    /// One object a line, with all of it
    Json,
    /// A table
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    #[command(flatten)]
    pub(crate) job: Job,
    /// The cycle; the last one that disabled, deleted or took out anything without it
    #[arg(long, value_name = "ID")]
    pub(crate) cycle: Option<String>,
    /// Only of objects whose name, source id or target id contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) object: Option<String>,
    /// Show what would be taken back
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AllowDeletes {
    #[command(flatten)]
    pub(crate) job: Job,
    /// How many at most; as many as are held now without it
    #[arg(long, value_name = "N")]
    pub(crate) at_most: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct Restart {
    #[command(flatten)]
    pub(crate) job: Job,
    /// What is forgotten; several with commas between
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Reset::Watermark, Reset::Escrows, Reset::Quarantine])]
    pub(crate) reset: Vec<Reset>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reset {
    /// What was read: everything is read anew
    Watermark,
    /// What failed: it is tried again at once
    Escrows,
    /// That the job is in quarantine
    Quarantine,
    /// Which object of the target is whose: all are matched anew
    Links,
    /// All of it
    Full,
}

#[derive(Debug, Args)]
pub(crate) struct Expression {
    /// The expression, as 'Join(" ", [givenName], [surname])'
    pub(crate) text: String,
    /// A value of an attribute, as givenName=Mira
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    /// Take the attributes of this person of the job's source instead
    #[arg(long, value_name = "PERSON", requires = "job")]
    pub(crate) user: Option<String>,
    /// The job whose source that is
    #[arg(long, value_name = "FILE")]
    pub(crate) job: Option<PathBuf>,
    /// Folder of the source's files, instead of the job file's
    #[arg(long, value_name = "DIR")]
    pub(crate) source_dir: Option<PathBuf>,
}
