//! What differs between users and groups when they are listed: their rows, conditions and look-ups.

use latchkey_access::{Member, MemberState, Team};
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId, WorkspaceId};
use latchkey_scim::Resource;
use latchkey_scim::schema::{GROUP_TYPE, ResourceType, USER_TYPE};
use latchkey_store::{
    MemberColumn, MemberTest, Order, Page as Rows, Store, StoreError, TeamColumn, TeamTest, TextOp, Where,
};

use super::compile::Columns;
use super::{member_row, team_row};
use crate::Error;

/// A row that can be listed.
pub(super) trait Listable: Sized + Send {
    type Id: Copy + Ord + Send + std::fmt::Display + std::str::FromStr;
    type Test: Columns + Send + Sync;
    const TYPE: &'static ResourceType;

    fn id(&self) -> Self::Id;
    fn resource(&self) -> Result<Resource, Error>;
    fn times(&self) -> (Timestamp, Timestamp);

    fn count(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<Self::Test>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
    fn page(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<Self::Test>,
        rows: Rows<Self::Id>,
    ) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;
    /// At most `limit` rows after the first `skip`, and how many there are.
    fn page_counted(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<Self::Test>,
        skip: u64,
        limit: usize,
    ) -> impl Future<Output = Result<(Vec<Self>, u64), StoreError>> + Send;
    /// Shows at most `limit` rows to `see`, until it fails.
    fn walk(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<Self::Test>,
        limit: usize,
        see: impl FnMut(Self) -> Result<(), Error> + Send,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// The row that a unique key names: an indexed look-up instead of a page.
    fn look_up(
        store: &Store,
        workspace_id: WorkspaceId,
        test: &Self::Test,
    ) -> impl Future<Output = Result<Option<Vec<Self>>, StoreError>> + Send;
    fn by_ids(
        store: &Store,
        workspace_id: WorkspaceId,
        ids: &[Self::Id],
    ) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;
}

impl Listable for Member {
    type Id = MemberId;
    type Test = MemberTest;
    const TYPE: &'static ResourceType = &USER_TYPE;

    fn id(&self) -> MemberId {
        self.id
    }

    fn resource(&self) -> Result<Resource, Error> {
        member_row::resource_of(self)
    }

    fn times(&self) -> (Timestamp, Timestamp) {
        (self.created_at, self.modified_at)
    }

    async fn count(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<MemberTest>,
    ) -> Result<u64, StoreError> {
        store.member_count(workspace_id, condition).await
    }

    async fn page(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<MemberTest>,
        rows: Rows<MemberId>,
    ) -> Result<Vec<Self>, StoreError> {
        store.member_page(workspace_id, condition, rows).await
    }

    async fn page_counted(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<MemberTest>,
        skip: u64,
        limit: usize,
    ) -> Result<(Vec<Self>, u64), StoreError> {
        store.member_page_counted(workspace_id, condition, skip, limit).await
    }

    async fn walk(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<MemberTest>,
        limit: usize,
        see: impl FnMut(Self) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        store.member_walk(workspace_id, condition, limit, see).await
    }

    async fn look_up(
        store: &Store,
        workspace_id: WorkspaceId,
        test: &MemberTest,
    ) -> Result<Option<Vec<Self>>, StoreError> {
        let found = match test {
            MemberTest::Text(MemberColumn::UserNameKey, TextOp::Is(Order::Equal), key) => {
                store.member_by_user_name(workspace_id, key).await?
            }
            MemberTest::Id(id) => store.member_get(workspace_id, *id).await?,
            _ => return Ok(None),
        };
        Ok(Some(found.into_iter().collect()))
    }

    async fn by_ids(
        store: &Store,
        workspace_id: WorkspaceId,
        ids: &[MemberId],
    ) -> Result<Vec<Self>, StoreError> {
        let mut members = store.member_list_by_ids(workspace_id, ids).await?;
        members.retain(|member| member.state != MemberState::Deleted);
        Ok(members)
    }
}

impl Listable for Team {
    type Id = TeamId;
    type Test = TeamTest;
    const TYPE: &'static ResourceType = &GROUP_TYPE;

    fn id(&self) -> TeamId {
        self.id
    }

    fn resource(&self) -> Result<Resource, Error> {
        team_row::resource_of(self)
    }

    fn times(&self) -> (Timestamp, Timestamp) {
        (self.created_at, self.modified_at)
    }

    async fn count(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<TeamTest>,
    ) -> Result<u64, StoreError> {
        store.team_count(workspace_id, condition).await
    }

    async fn page(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<TeamTest>,
        rows: Rows<TeamId>,
    ) -> Result<Vec<Self>, StoreError> {
        store.team_page(workspace_id, condition, rows).await
    }

    async fn page_counted(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<TeamTest>,
        skip: u64,
        limit: usize,
    ) -> Result<(Vec<Self>, u64), StoreError> {
        store.team_page_counted(workspace_id, condition, skip, limit).await
    }

    async fn walk(
        store: &Store,
        workspace_id: WorkspaceId,
        condition: &Where<TeamTest>,
        limit: usize,
        see: impl FnMut(Self) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        store.team_walk(workspace_id, condition, limit, see).await
    }

    async fn look_up(
        store: &Store,
        workspace_id: WorkspaceId,
        test: &TeamTest,
    ) -> Result<Option<Vec<Self>>, StoreError> {
        let found = match test {
            TeamTest::Text(TeamColumn::DisplayNameKey, TextOp::Is(Order::Equal), key) => {
                store.team_by_display_name(workspace_id, key).await?
            }
            TeamTest::Id(id) => store.team_get(workspace_id, *id).await?,
            _ => return Ok(None),
        };
        Ok(Some(found.into_iter().collect()))
    }

    async fn by_ids(
        store: &Store,
        workspace_id: WorkspaceId,
        ids: &[TeamId],
    ) -> Result<Vec<Self>, StoreError> {
        store.team_list_by_ids(workspace_id, ids).await
    }
}
