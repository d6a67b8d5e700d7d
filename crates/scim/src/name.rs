//! Attribute names, which SCIM compares without regard to case (RFC 7643 §2.1).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// An attribute name. Keeps its spelling, compares without ASCII case.
#[derive(Clone)]
pub struct Name(Box<str>);

impl Name {
    /// A name spelled as given; it is not checked against the name grammar.
    pub fn new(spelling: &str) -> Self {
        Self(spelling.into())
    }

    /// The spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether two spellings are one name.
pub fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

impl From<&str> for Name {
    fn from(spelling: &str) -> Self {
        Self::new(spelling)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl Eq for Name {}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        same(&self.0, other)
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        same(&self.0, other)
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let fold = |s: &str| s.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
        fold(&self.0).cmp(&fold(&other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for b in self.0.bytes() {
            state.write_u8(b.to_ascii_lowercase());
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
