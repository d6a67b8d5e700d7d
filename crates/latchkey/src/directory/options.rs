//! The command line of `latchkey directory`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum Directory {
    /// Bring people or groups in from a CSV or JSON file: who is not there is made, who is, changed
    Import(Box<Import>),
    /// One person
    #[command(subcommand)]
    Person(PersonCommand),
    /// One group
    #[command(subcommand)]
    Group(GroupCommand),
    /// Give a person or a group an application
    Assign(Box<Assign>),
    /// Take an application away from a person or a group
    Unassign(Box<Assign>),
    /// List people or groups
    List(Box<List>),
}

/// Whose directory it is.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// Name of the workspace; not needed where there is only one
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file: .csv with a row of names first, or .json with a list of objects
    pub(crate) file: PathBuf,
    /// What it lists
    #[arg(long = "as", value_enum, default_value_t = Kind::People)]
    pub(crate) kind: Kind,
    /// The file is whole: who is not in it has left, and goes into the bin
    #[arg(long)]
    pub(crate) leave_absent: bool,
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// People
    People,
    /// Groups
    Groups,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Add a person, or change one
    Set(Box<PersonSet>),
    /// Disable a person: jobs disable them at once
    Disable(One),
    /// Enable a person again
    Enable(One),
    /// Put a person into the bin
    Delete(One),
    /// Take a person out of the bin
    Restore(One),
    /// Remove a person for good
    Purge(One),
}

/// Somebody or some group.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Login name (of a group: its name), id or external id
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, Args)]
pub(crate) struct PersonSet {
    /// Login name, as ada@quarry.example
    pub(crate) name: String,
    /// The id by which another system knows them
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// The manager's login name, id or external id; an empty text takes the manager away
    #[arg(long, value_name = "PERSON")]
    pub(crate) manager: Option<String>,
    /// An attribute, as department=Geology; without a value it is taken away
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Add a group, if there is none of this name
    Add(One),
    /// Put people into a group
    Join(Box<Seats>),
    /// Take people out of a group
    Leave(Box<Seats>),
    /// Put a group into the bin
    Delete(One),
    /// Remove a group for good
    Purge(One),
}

#[derive(Debug, Args)]
pub(crate) struct Seats {
    /// The group
    pub(crate) group: String,
    /// Login names, ids or external ids
    #[arg(required = true)]
    pub(crate) people: Vec<String>,
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Assign {
    /// The application, by the name that jobs say under `[source]`
    pub(crate) application: String,
    /// To a person
    #[arg(long, value_name = "PERSON", required_unless_present = "group", conflicts_with = "group")]
    pub(crate) person: Option<String>,
    /// To a group, and with it to its direct members
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// In this role, by its value; the default access without it
    #[arg(long, value_name = "ROLE", default_value = "")]
    pub(crate) role: String,
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// What
    #[arg(value_enum, default_value_t = Kind::People)]
    pub(crate) kind: Kind,
    #[command(flatten)]
    pub(crate) at: Where,
}
