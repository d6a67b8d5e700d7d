//! What a job remembers of each object: its link, what was sent, and what is still to be done.
//!
//! The rows and the ways to write them, as plain data; where they are kept is another room's.
//! Everything that a cycle has still to do stands in them, so that one that was killed goes on
//! where it was (P1).

use std::fmt;

use latchkey_kernel::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::decide::Link;
use crate::entry::{EntryId, Kind};
use crate::log::LogEntry;
use crate::state::JobState;

/// An object of the source, in sixteen bytes: rows refer to each other by it, however long the
/// source's own ids are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey(pub [u8; 16]);

impl ObjectKey {
    /// The key of this object.
    pub fn of(id: &EntryId) -> Self {
        Self(Digest::of([id.0.as_bytes()]).0)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectKey({:02x?})", &self.0[..4])
    }
}

/// A digest that tells whether two things are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Of several parts, each with its length.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let whole = digest.finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        Self(half)
    }
}

/// What a job remembers of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRow {
    /// Its key.
    pub key: ObjectKey,
    /// What it is.
    pub kind: Kind,
    /// Its id at the source.
    pub id: EntryId,
    /// What people call it.
    pub label: String,
    /// Of what the source told when the object was last brought in step, and of the job's
    /// definition; `None` when it has to be looked at again.
    pub digest: Option<Digest>,
    /// Of a group's whole list of members, when one was told.
    pub members: Option<Digest>,
    /// Which object of the target it is.
    pub link: Option<Link>,
    /// Whether the target was told that it is out.
    pub out: bool,
    /// The person's manager at the source.
    pub manager: Option<ObjectKey>,
    /// The manager whom the target was told.
    pub manager_sent: Option<ObjectKey>,
    /// When the manager is to be sent; `None` when he was, or waits to be linked himself.
    pub manager_due: Option<Timestamp>,
    /// That it failed, and when it is tried again.
    pub trouble: Option<Trouble>,
    /// Whether it would be disabled or deleted, and waits for a person's word (P3).
    pub held: bool,
}

impl ObjectRow {
    /// A row of an object of which nothing is known yet.
    pub fn new(id: EntryId, kind: Kind, label: String) -> Self {
        Self {
            key: ObjectKey::of(&id),
            kind,
            id,
            label,
            digest: None,
            members: None,
            link: None,
            out: false,
            manager: None,
            manager_sent: None,
            manager_due: None,
            trouble: None,
            held: false,
        }
    }

    /// When it has to be looked at though the source tells nothing of it. A reference that failed
    /// is due by itself.
    pub fn retry_at(&self) -> Option<Timestamp> {
        let trouble = self.trouble.as_ref().filter(|trouble| !trouble.reference);
        trouble.map(|trouble| trouble.next_attempt)
    }

    /// The object's id at the target, while the job answers for it.
    pub fn managed(&self) -> Option<&str> {
        self.link.as_ref().filter(|link| link.managed).map(|link| link.target_id.as_str())
    }
}

/// That an object failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When it failed first.
    pub first_failed: Timestamp,
    /// How often it was tried since.
    pub attempts: u32,
    /// When it is tried again.
    pub next_attempt: Timestamp,
    /// The code under which logs list it.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// Whether only a reference could not be set.
    pub reference: bool,
}

/// That the source has somebody in a group, or the target was told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberRow {
    /// The group.
    pub group: ObjectKey,
    /// Who is in it.
    pub member: ObjectKey,
    /// Whether the source says so, of this group itself.
    pub told: bool,
    /// Whether the target is to have it: by the group itself, or by one that is nested in it.
    pub wanted: bool,
    /// Whether the target was told so.
    pub sent: bool,
    /// When the target is to be told; `None` when it was, or one end waits to be linked.
    pub due: Option<Timestamp>,
}

/// A change of what a job remembers. Those of one batch are made whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// The object's row, as it is from now on.
    Object(Box<ObjectRow>),
    /// Nothing is remembered of this object any more, nor of its members if it is a group.
    Forget(ObjectKey),
    /// What the source tells of a membership, and what the target is to have; what is not given
    /// stays. One that is neither told, wanted nor sent is forgotten.
    Membership {
        /// The group.
        group: ObjectKey,
        /// Who.
        member: ObjectKey,
        /// Whether the source says so, of this group itself.
        told: Option<bool>,
        /// Whether the target is to have it.
        wanted: Option<bool>,
        /// From when on the target is to be told, if it does not know.
        at: Timestamp,
    },
    /// All that is known of one membership from now on.
    Member(MemberRow),
    /// An end of these has a new object at the target: what was sent is not known there.
    Unsent {
        /// The member or group.
        key: ObjectKey,
        /// When the target is to be told; `None` while there is no new object.
        at: Option<Timestamp>,
    },
    /// The object is linked from now on: whatever waited for it is due, memberships of it and in it,
    /// and those whose manager it is.
    Linked {
        /// The object.
        key: ObjectKey,
        /// From when on.
        at: Timestamp,
    },
    /// The state of the job.
    State(Box<JobState>),
    /// An entry of the log.
    Log(Box<LogEntry>),
}

/// How a job's objects stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// People who are at the target and may use it.
    pub users: u64,
    /// People who are at the target and were disabled there.
    pub users_out: u64,
    /// Groups at the target.
    pub groups: u64,
    /// Memberships at the target.
    pub members: u64,
    /// Objects in escrow.
    pub escrowed: u64,
    /// References that are still to be set: after a cycle, those that failed.
    pub references_failed: u64,
    /// Objects that wait for a person's word.
    pub held: u64,
}
