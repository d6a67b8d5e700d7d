//! Mistakes in mappings: those that cannot work, and those that are allowed and regretted later.

mod expressions;
mod filters;
mod job;
mod leaving;
mod matching;
mod shape;

pub use job::of_job;

use serde::Serialize;

use crate::entry::Kind;
use crate::mapping::{AttributeMapping, ObjectMapping, Reference, Source};

/// Something to look at before a job is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The target's attribute, or the mapping as a whole.
    pub about: String,
    /// What will happen, and what to do instead.
    pub message: String,
}

/// Whether a job could not work at all with this mapping, or would send what is no valid SCIM;
/// sending is refused then.
pub fn errors(mapping: &ObjectMapping) -> Vec<Warning> {
    let mut found = Findings::default();
    matching::errors(mapping, &mut found);
    shape::errors(mapping, &mut found);
    found.0
}

/// What is likely a mistake.
pub fn warnings(mapping: &ObjectMapping) -> Vec<Warning> {
    let mut found = Findings::default();
    leaving::warnings(mapping, &mut found);
    shape::warnings(mapping, &mut found);
    matching::warnings(mapping, &mut found);
    expressions::warnings(mapping, &mut found);
    filters::warnings(mapping, &mut found);
    found.0
}

/// What has been found so far.
#[derive(Default)]
struct Findings(Vec<Warning>);

impl Findings {
    fn say(&mut self, about: impl ToString, message: impl Into<String>) {
        self.0.push(Warning { about: about.to_string(), message: message.into() });
    }
}

/// The mapping of this target attribute.
fn of_target<'m>(mapping: &'m ObjectMapping, path: &str) -> Option<&'m AttributeMapping> {
    mapping.attributes.iter().find(|one| one.target.to_string().eq_ignore_ascii_case(path))
}

/// Whether a mapping reads a source's attribute.
fn reads(mapping: &AttributeMapping, attribute: &str) -> bool {
    match &mapping.source {
        Source::Direct(name) => name == attribute,
        Source::Expression(program) => program.attributes().iter().any(|name| name == attribute),
        Source::Reference(Reference::Manager) => attribute == "manager",
        Source::Reference(Reference::Members) => attribute == "members",
        Source::Constant(_) | Source::Nothing => false,
    }
}

/// What the kind is called in sentences.
const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "person",
        Kind::Group => "group",
    }
}
