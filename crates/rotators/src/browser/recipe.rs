//! A browser recipe: what a person would do on the pages, step by step. Plain data.

use latchkey_rotation::Class;
use serde::Serialize;

use crate::recipe::{Host, Phase, Slot, Template};

#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) id: String,
    pub(crate) hosts: Vec<Host>,
    pub(crate) phase: Phase,
    pub(crate) login: Login,
    pub(crate) change: Change,
    pub(crate) terminate: Vec<Step>,
}

/// How one logs in, and how a login that worked is told from a refused one.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) steps: Vec<Step>,
    pub(crate) accepted: Marker,
    pub(crate) refused: Marker,
    pub(crate) errors: Vec<Declared>,
}

/// How the password is changed by somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) steps: Vec<Step>,
    pub(crate) done: Marker,
    pub(crate) errors: Vec<Declared>,
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) act: Act,
    pub(crate) point_of_no_return: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Goto { host: Host, path: Template },
    Fill { targets: Vec<Target>, with: Template },
    Click { targets: Vec<Target> },
    WaitFor { marker: Marker },
    Code { targets: Vec<Target> },
    Expect { marker: Marker },
    Human { when: Option<Marker>, why: String },
}

/// One way to point at an element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Target {
    Selector {
        selector: String,
    },
    Label {
        label: String,
    },
    Role {
        role: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    Text {
        text: String,
    },
}

/// What shows where one is: elements (the first that is there counts), the path, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Marker {
    pub(crate) targets: Vec<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
}

/// A page that the recipe's author knows the meaning of.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) marker: Marker,
    pub(crate) class: Class,
    pub(crate) message: Option<String>,
}

impl Act {
    /// For errors: `fill label "Password"`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Goto { .. } => "goto".to_owned(),
            Self::Fill { targets, .. } => format!("fill {}", words(targets)),
            Self::Click { targets } => format!("click {}", words(targets)),
            Self::WaitFor { marker } => format!("wait_for {}", marker.describe()),
            Self::Code { targets } => format!("totp {}", words(targets)),
            Self::Expect { marker } => format!("expect {}", marker.describe()),
            Self::Human { .. } => "human".to_owned(),
        }
    }

    pub(crate) fn uses(&self, slot: &Slot) -> bool {
        match self {
            Self::Goto { path, .. } => path.slots().any(|used| used == slot),
            Self::Fill { with, .. } => with.slots().any(|used| used == slot),
            Self::Code { .. } => *slot == Slot::Code,
            Self::Click { .. } | Self::WaitFor { .. } | Self::Expect { .. } | Self::Human { .. } => false,
        }
    }
}

impl Marker {
    pub(crate) fn describe(&self) -> String {
        match (&self.path, self.targets.is_empty()) {
            (Some(path), true) => format!("path {path}"),
            (Some(path), false) => format!("{} at path {path}", words(&self.targets)),
            (None, _) => words(&self.targets),
        }
    }
}

fn words(targets: &[Target]) -> String {
    let all: Vec<String> = targets
        .iter()
        .map(|target| match target {
            Target::Selector { selector } => format!("selector \"{selector}\""),
            Target::Label { label } => format!("label \"{label}\""),
            Target::Role { role, name: Some(name) } => format!("{role} \"{name}\""),
            Target::Role { role, name: None } => role.clone(),
            Target::Text { text } => format!("text \"{text}\""),
        })
        .collect();
    all.join(" or ")
}
