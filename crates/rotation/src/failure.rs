//! What can go wrong at a target, in the classes that decide what follows.

use std::fmt;

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It may work later as it is: network, time-out, a server that is busy, rate limits.
    Transient,
    /// The target refuses this value: too short, in its history, too soon after the last change.
    Policy,
    /// The credential that changes others' passwords is refused: no job of this connector can succeed.
    Auth,
    /// A person has to act: CAPTCHA, an unknown prompt, a changed page, a missing right.
    NeedsPerson,
}

/// Whether the target may have changed the secret all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing was changed; the old secret is the one that works.
    NotApplied,
    /// The request may have arrived: only trying both tells (V3).
    Unknown,
}

/// What shows a failure better than words: a picture of the page where a step failed, every field of
/// it blanked before it was taken.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// As `image/png`.
    pub media_type: &'static str,
    /// The file's content.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.media_type, self.bytes.len())
    }
}

/// Why an act at a target failed. Holds no secret: connectors write the message themselves and
/// never pass on what a target said word for word without having removed every value they know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub struct Failure {
    /// What follows.
    pub class: Class,
    /// Whether the secret may have changed.
    pub outcome: Outcome,
    /// What happened, to what, and what to do.
    pub message: String,
    /// Kept apart from the record of the failure, by whoever has a place for it.
    #[serde(skip)]
    pub evidence: Option<Box<Evidence>>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Failure {
    /// A failure after which the old secret still is the one that works.
    pub fn not_applied(class: Class, message: impl Into<String>) -> Self {
        Self { class, outcome: Outcome::NotApplied, message: message.into(), evidence: None }
    }

    /// With something to look at.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Option<Evidence>) -> Self {
        self.evidence = evidence.map(Box::new);
        self
    }

    /// A failure that leaves open whether the secret changed.
    pub fn unknown(class: Class, message: impl Into<String>) -> Self {
        Self { class, outcome: Outcome::Unknown, message: message.into(), evidence: None }
    }
}
