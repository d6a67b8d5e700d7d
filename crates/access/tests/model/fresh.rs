//! New rows, plain enough to be changed by a test.

use latchkey_access::account::{Account, Collection, OffboardingRotation, Sensitivity};
use latchkey_access::secret::KeyRow;
use latchkey_access::token::{Scope, TokenKind};
use latchkey_access::{
    Epoch, Member, MemberState, Origin, Policy, Role, Team, Token, Version, Workspace, WorkspaceState,
};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{AccountId, CollectionId, MemberId, TeamId, TokenId, WorkspaceId};

/// Makes new rows.
#[derive(Clone, Copy)]
pub struct Fresh<'a> {
    pub workspace_id: WorkspaceId,
    pub now: Timestamp,
    pub entropy: &'a dyn latchkey_kernel::Entropy,
}

impl Fresh<'_> {
    pub fn workspace(self) -> Workspace {
        let name = format!("Workspace {}", self.workspace_id);
        Workspace {
            id: self.workspace_id,
            name_key: name.to_lowercase(),
            name,
            state: WorkspaceState::Active,
            policy: Policy::default(),
            version: Version::FIRST,
            created_at: self.now,
        }
    }

    pub fn member(self, external_id: Option<String>, role: Role, active: bool) -> Member {
        let id = MemberId::fresh(self.now, self.entropy);
        Member {
            workspace_id: self.workspace_id,
            id,
            user_name: format!("{id}@Example.com"),
            user_name_key: format!("{id}@example.com"),
            external_id: external_id.or_else(|| Some(format!("object-{id}"))),
            display_name: "Somebody".to_owned(),
            work_email: None,
            work_email_key: None,
            role,
            state: if active { MemberState::Active } else { MemberState::Inactive },
            origin: Origin::Directory,
            access_epoch: Epoch::FIRST,
            reviewed_epoch: Epoch::FIRST,
            resource: format!("{{\"active\":{active},\"displayName\":\"Somebody\"}}"),
            version: Version::FIRST,
            created_at: self.now,
            modified_at: self.now,
            left_at: (!active).then_some(self.now),
        }
    }

    pub fn team(self) -> Team {
        let id = TeamId::fresh(self.now, self.entropy);
        Team {
            workspace_id: self.workspace_id,
            id,
            display_name: format!("Team {id}"),
            display_name_key: format!("team {id}"),
            external_id: None,
            origin: Origin::Directory,
            resource: "{}".to_owned(),
            version: Version::FIRST,
            created_at: self.now,
            modified_at: self.now,
        }
    }

    pub fn collection(self, parent_id: Option<CollectionId>) -> Collection {
        Collection {
            workspace_id: self.workspace_id,
            id: CollectionId::fresh(self.now, self.entropy),
            name: "Folder".to_owned(),
            parent_id,
            version: Version::FIRST,
            created_at: self.now,
        }
    }

    pub fn account(self) -> Account {
        Account {
            workspace_id: self.workspace_id,
            id: AccountId::fresh(self.now, self.entropy),
            name: "Shared login".to_owned(),
            app: "Instagram".to_owned(),
            url: None,
            username: None,
            sensitivity: Sensitivity::Standard,
            offboarding_rotation: OffboardingRotation::Auto,
            collection_id: None,
            owner_id: None,
            owner_flag: None,
            successor_id: None,
            secret_generation: 1,
            version: Version::FIRST,
            created_at: self.now,
            modified_at: self.now,
        }
    }

    pub fn key(self, number: i64) -> KeyRow {
        KeyRow {
            workspace_id: self.workspace_id,
            number,
            kek_id: "file".to_owned(),
            primary: vec![1],
            recovery: vec![2],
            created_at: self.now,
            retired_at: None,
        }
    }

    pub fn token(self, kind: TokenKind) -> Token {
        let id = TokenId::fresh(self.now, self.entropy);
        let mut hash = [0; 32];
        hash[..16].copy_from_slice(id.as_ref());
        Token {
            id,
            workspace_id: self.workspace_id,
            kind,
            name: "Token".to_owned(),
            hint: "lk_api_abcd".to_owned(),
            hash,
            sealed: None,
            member: None,
            scopes: vec![Scope::SelfRead],
            rate_limit: None,
            created_at: self.now,
            valid_until: None,
            revoked_at: None,
        }
    }
}
