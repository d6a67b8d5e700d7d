//! What rotations change: the part of [`Change`] that is theirs, held to the same rules.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, ConnectorId, DependentId, RotationId, WorkspaceId};

#[cfg(doc)]
use crate::change::Change;
use crate::member::Version;
use crate::rotation::{
    AccountRotation, Connector, Dependent, ManualTask, RotationPicture, RotationRow, RotationStep, TaskState,
};

/// One change of what rotations have; see [`Change`] for what holds for every change.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are named after the columns that they write or expect")]
pub enum RotationChange {
    /// A new connector; its name must be free. Fails as moved unless the workspace has the key that its
    /// credential is sealed under and that key is not retired.
    ConnectorInsert(Connector),
    /// Every column of a connector; its name must be free among the others. The same for its key.
    ConnectorUpdate { connector: Connector, expect: Version },
    /// Removes a connector; fails as in use while an account has it.
    ConnectorDelete { connector_id: ConnectorId, expect: Version },
    /// Stops everything that goes through a connector, and bumps its version; paused already keeps
    /// its first reason. Not there is no failure.
    ConnectorPause { connector_id: ConnectorId, reason: String, at: Timestamp },
    /// What holds for the rotations of an account; the account must exist, and the connector. Fails
    /// as moved unless the row has the version `expect`, or is not there for none.
    SettingSet { rotation: AccountRotation, expect: Option<Version> },
    /// When the next scheduled change and check are due; no row is no failure.
    SettingDue { account_id: AccountId, rotates_at: Option<Timestamp>, verifies_at: Option<Timestamp> },
    /// A new rotation; fails as taken if its cause has one, or the account has one that is not over.
    JobInsert(RotationRow),
    /// Every column of a rotation, and until when its worker has it: none gives it free. Fails as
    /// moved unless it has the version `expect`, and as taken as [`RotationChange::JobInsert`].
    JobUpdate { rotation: RotationRow, expect: Version, leased_until: Option<Timestamp> },
    /// By condition: the effect that asked for the rotation of this cause is done, if it is ready.
    CauseDone { cause: String },
    /// By condition: rotations of a connector that wait until later than `at` become due then.
    JobsWake { connector_id: ConnectorId, at: Timestamp },
    /// One entry of a rotation's history; the rotation must exist.
    StepInsert(RotationStep),
    /// What a failing step looked like; the rotation must exist. Fails as moved unless the key that it is
    /// sealed under is there and not retired.
    PictureInsert(RotationPicture),
    /// By condition: of a rotation's pictures only the newest `keep` stay.
    PicturesTrim { rotation_id: RotationId, keep: i64 },
    /// The same picture under another key. Fails as moved unless it is sealed under `from`.
    PictureReseal { rotation_id: RotationId, number: i64, from: i64, to: i64, sealed: Vec<u8> },
    /// By condition: every picture of a rotation goes.
    PicturesDelete { rotation_id: RotationId },
    /// A new task; fails as taken if its rotation has an open one that is not a dependent's. The rotation must exist.
    TaskInsert(ManualTask),
    /// Every column of a task.
    TaskUpdate { task: ManualTask, expect: Version },
    /// By condition: the open task of a rotation is closed in this state, and its version bumped; not
    /// those of dependents.
    TaskCloseOf { rotation_id: RotationId, state: TaskState, at: Timestamp },
    /// A new dependent; its account must exist, and the other one.
    DependentInsert(Dependent),
    /// Removes a dependent; it must exist.
    DependentDelete { dependent_id: DependentId },
}

impl RotationChange {
    /// The workspace that the row names, where it carries one.
    pub(crate) const fn workspace_id(&self) -> Option<WorkspaceId> {
        match self {
            Self::ConnectorInsert(row) | Self::ConnectorUpdate { connector: row, .. } => {
                Some(row.workspace_id)
            }
            Self::JobInsert(row) | Self::JobUpdate { rotation: row, .. } => Some(row.workspace_id),
            Self::TaskInsert(row) | Self::TaskUpdate { task: row, .. } => Some(row.workspace_id),
            _ => None,
        }
    }
}

impl From<RotationChange> for crate::change::Change {
    fn from(change: RotationChange) -> Self {
        Self::Rotation(Box::new(change))
    }
}
