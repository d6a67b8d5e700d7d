//! Audit records: what happened, to what, by whom, and why (L1).

use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AuditId, MemberId, RequestId, TokenId, WorkspaceId};
use serde_json::Value;

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The directory, with this token.
    Directory(TokenId),
    /// A member, with this token.
    Member(MemberId, TokenId),
    /// Somebody with a shell on the host, by `latchkey admin`.
    Operator,
    /// Latchkey itself, by a rule.
    System,
}

impl Actor {
    /// `directory`, `member`, `operator` or `system`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Directory(_) => "directory",
            Self::Member(..) => "member",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }
}

/// As grants and audit records write it: `directory:<token>`, `member:<id>`, `operator`, `system`.
impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(token) => write!(f, "directory:{token}"),
            Self::Member(member, _) => write!(f, "member:{member}"),
            Self::Operator | Self::System => f.write_str(self.kind()),
        }
    }
}

/// One entry of the audit log, written in the transaction of what it records. Holds no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// Its id.
    pub id: AuditId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, as `member.disabled`; a dotted noun and a past participle.
    pub action: &'static str,
    /// The kind of the thing, as `member`.
    pub target_kind: &'static str,
    /// The thing's id.
    pub target_id: String,
    /// The request from which it follows.
    pub request_id: RequestId,
    /// The cause and what changed, without secrets.
    pub detail: Value,
}
