//! Exposures: that somebody came to see a secret, and what they know by it.

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, ExposureId, MemberId, RequestId, SecretId, WorkspaceId};

use crate::member::words;

words! {
    /// How somebody came to see a secret.
    ExposureKind {
        /// A person recorded that they know it, from before Latchkey or by word of mouth.
        Declared = "declared",
        /// They created the account, or gave the secret its value.
        Creator = "creator",
        /// They imported it.
        Import = "import",
        /// It was shown to them.
        Reveal = "reveal",
        /// It was copied to their clipboard.
        Copy = "copy",
        /// It was filled into a form of theirs, which puts it into their browser.
        Fill = "fill",
        /// It was in an export.
        Export = "export",
        /// A program of theirs read it.
        ApiRead = "api_read",
        /// It was read at the command line.
        CliRead = "cli_read",
        /// A code was computed for them; the seed stayed here.
        TotpCode = "totp_code",
        /// The seed itself was shown to them.
        TotpSeed = "totp_seed",
        /// A recovery code was given to them.
        RecoveryCode = "recovery_code",
        /// They changed it by hand at the system that it opens.
        RotationOperator = "rotation_operator",
    }
}

impl ExposureKind {
    /// Whether they can use the secret by themselves from then on. A code of thirty seconds
    /// conveys nothing that lasts.
    pub fn conveys_knowledge(self) -> bool {
        self != Self::TotpCode
    }
}

words! {
    /// By which client a secret left.
    Client {
        /// The management API.
        Api = "api",
        /// The web app.
        Web = "web",
        /// The browser extension.
        Extension = "extension",
        /// The command line, on the host or elsewhere.
        Cli = "cli",
    }
}

/// That a member knows one generation of an account's password. One row, however often they saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// The account.
    pub account_id: AccountId,
    /// Who knows it.
    pub member_id: MemberId,
    /// Which value: the number of the version of the account's password.
    pub generation: i64,
    /// How.
    pub kind: ExposureKind,
    /// Since when.
    pub at: Timestamp,
}

/// One entry of the ledger of exposures, which is only ever added to. It refers to no account and
/// no secret: those may go, and what was seen stays seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposureEvent {
    /// Its id; ids grow with time.
    pub id: ExposureId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// The account.
    pub account_id: AccountId,
    /// The secret; `None` is a password that the vault may not hold.
    pub secret_id: Option<SecretId>,
    /// The version that was seen.
    pub version: i64,
    /// Who; `None` is somebody with a shell on the host.
    pub member_id: Option<MemberId>,
    /// How.
    pub kind: ExposureKind,
    /// By which client.
    pub client: Client,
    /// When.
    pub at: Timestamp,
    /// By which request.
    pub request_id: RequestId,
}
