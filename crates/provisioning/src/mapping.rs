//! Attribute mappings: what flows from a source's object to a target's attribute, and when.

use latchkey_expr::Program;

use crate::entry::Kind;
use crate::scope::Scope;
use crate::target_path::TargetPath;

/// How one kind of object is provisioned.
#[derive(Debug)]
pub struct ObjectMapping {
    /// The kind of object at both ends.
    pub kind: Kind,
    /// Whether objects of this kind are provisioned at all.
    pub enabled: bool,
    /// What may be done at the target.
    pub flow: Flow,
    /// Which objects it is for.
    pub scope: Scope,
    /// What flows.
    pub attributes: Vec<AttributeMapping>,
}

/// What may be done at the target. Disabling somebody is an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Objects may be made.
    pub create: bool,
    /// Objects may be changed.
    pub update: bool,
    /// Objects may be deleted.
    pub delete: bool,
}

impl Flow {
    /// Everything.
    pub const ALL: Self = Self { create: true, update: true, delete: true };
}

/// One attribute of the target and where its value comes from.
#[derive(Debug)]
pub struct AttributeMapping {
    /// Where it is written.
    pub target: TargetPath,
    /// Where it comes from.
    pub source: Source,
    /// What stands in for a missing value, on creation only.
    pub default: Option<String>,
    /// Its rank among the attributes by which an object is found at the target; 1 is tried first.
    pub matching: Option<u32>,
    /// When it flows.
    pub apply: Apply,
    /// Whether a value that is gone at the source is taken away at the target; Entra never does.
    pub clears: bool,
}

/// Where a value comes from.
#[derive(Debug)]
pub enum Source {
    /// An attribute as it is.
    Direct(String),
    /// Always the same.
    Constant(String),
    /// An expression.
    Expression(Box<Program>),
    /// Nothing: only the default is written, where the target has no value.
    Nothing,
    /// The person's manager, or the group's members: objects that have to be linked themselves.
    Reference(Reference),
}

/// Which objects an object refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A person's manager.
    Manager,
    /// A group's members.
    Members,
}

/// When a value flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// On creation and at each change.
    Always,
    /// On creation only.
    OnCreate,
    /// Only while the target has no value.
    WhileEmpty,
    /// Values are added to those that are there, and none is taken away.
    AddOnly,
}

impl ObjectMapping {
    /// The attributes that the source has to read: of mappings, matching and filters, each once.
    pub fn source_attributes(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.scope.attributes().collect();
        for mapping in &self.attributes {
            match &mapping.source {
                Source::Direct(name) => names.push(name),
                Source::Expression(program) => names.extend(program.attributes().iter().map(String::as_str)),
                Source::Constant(_) | Source::Nothing | Source::Reference(_) => {}
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The mappings by which an object is found at the target, first rank first.
    pub fn matching(&self) -> Vec<&AttributeMapping> {
        let mut ranked: Vec<_> =
            self.attributes.iter().filter(|mapping| mapping.matching.is_some()).collect();
        ranked.sort_by_key(|mapping| mapping.matching);
        ranked
    }

    /// Whether the target is told that somebody is out by a change, because a mapping reads
    /// `IsSoftDeleted`; else only a deletion can.
    pub fn can_disable(&self) -> bool {
        self.attributes.iter().any(AttributeMapping::says_who_is_out)
    }

    /// Whether what this kind of object refers to is sent.
    pub fn sends(&self, reference: Reference) -> bool {
        self.attributes.iter().any(|one| matches!(one.source, Source::Reference(found) if found == reference))
    }
}

impl AttributeMapping {
    /// Whether it reads `IsSoftDeleted`.
    pub fn says_who_is_out(&self) -> bool {
        match &self.source {
            Source::Direct(name) => name == SOFT_DELETED,
            Source::Expression(program) => program.attributes().iter().any(|name| name == SOFT_DELETED),
            _ => false,
        }
    }
}

/// The computed attribute that is true when somebody does not belong at the target (any more).
pub const SOFT_DELETED: &str = "IsSoftDeleted";
