//! A plain database in memory: the reference for what each `Change` means.
//!
//! It is slow and simple on purpose. The store's conformance suite and the properties in these
//! tests are held against it.
#![expect(dead_code, unreachable_pub, reason = "each test binary uses its own part of the model")]
#![expect(clippy::unwrap_used, reason = "the model is only ever part of a test")]

pub mod books;
pub mod command;
pub mod commit;
pub mod fresh;
pub mod read;
pub mod sealed;
pub mod story;
pub mod vaulted;
pub mod world;

use std::collections::BTreeMap;

use latchkey_access::exposure::{Exposure, ExposureEvent};
use latchkey_access::offboarding::{CaseItem, OffboardingCase};
use latchkey_access::outbox::OutboxEvent;
use latchkey_access::secret::{BurnedCode, KeyRow, Secret, SecretVersion};
use latchkey_access::{Account, AuditRecord, Collection, Epoch, Grant, Member, Team, Token, Workspace};
use latchkey_kernel::id::{
    AccountId, CaseId, CollectionId, ExposureId, GrantId, MemberId, OutboxId, SecretId, TeamId, TokenId,
    WorkspaceId,
};

/// All rows of one workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    pub workspace: Workspace,
    pub members: BTreeMap<MemberId, Member>,
    pub emails: BTreeMap<MemberId, Vec<String>>,
    pub teams: BTreeMap<TeamId, Team>,
    pub memberships: BTreeMap<(TeamId, MemberId), Option<Epoch>>,
    pub collections: BTreeMap<CollectionId, Collection>,
    pub accounts: BTreeMap<AccountId, Account>,
    pub grants: BTreeMap<GrantId, Grant>,
    pub exposures: BTreeMap<(AccountId, MemberId, i64), Exposure>,
    pub events: BTreeMap<ExposureId, ExposureEvent>,
    pub secrets: BTreeMap<SecretId, Secret>,
    pub versions: BTreeMap<(SecretId, i64), (SecretVersion, Vec<u8>)>,
    pub burned: BTreeMap<(SecretId, i64, i64), BurnedCode>,
    pub keys: BTreeMap<i64, KeyRow>,
    pub cases: BTreeMap<CaseId, OffboardingCase>,
    pub items: BTreeMap<(CaseId, AccountId), CaseItem>,
    pub removed: BTreeMap<CaseId, Vec<Grant>>,
    pub outbox: BTreeMap<OutboxId, OutboxEvent>,
    pub tokens: BTreeMap<TokenId, Token>,
    pub audit: Vec<AuditRecord>,
}

impl Tables {
    fn new(workspace: Workspace) -> Self {
        Self {
            workspace,
            members: BTreeMap::new(),
            emails: BTreeMap::new(),
            teams: BTreeMap::new(),
            memberships: BTreeMap::new(),
            collections: BTreeMap::new(),
            accounts: BTreeMap::new(),
            grants: BTreeMap::new(),
            exposures: BTreeMap::new(),
            events: BTreeMap::new(),
            secrets: BTreeMap::new(),
            versions: BTreeMap::new(),
            burned: BTreeMap::new(),
            keys: BTreeMap::new(),
            cases: BTreeMap::new(),
            items: BTreeMap::new(),
            removed: BTreeMap::new(),
            outbox: BTreeMap::new(),
            tokens: BTreeMap::new(),
            audit: Vec::new(),
        }
    }
}

/// The installation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Database {
    pub workspaces: BTreeMap<WorkspaceId, Tables>,
}

/// Why nothing was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// A unique key is taken.
    Taken(&'static str),
    /// A row is not, or no longer, as expected.
    Moved(&'static str),
    /// A row that is referred to, or must exist, isn't there.
    Missing(&'static str),
    /// Something still lies in it.
    InUse,
}
