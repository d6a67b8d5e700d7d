//! Latchkey's own directory as a source: what changed since a number is a range of an index, so a
//! change among many costs what it costs among few.

mod reading;
mod shape;

use std::time::Duration;

use latchkey_access::{EmbeddedObject, ObjectKind};
use latchkey_kernel::id::{ObjectId, WorkspaceId};
use latchkey_provisioning::feed::{Change, Members, SourceError, SourceErrorKind, Wanted, Watermark};
use latchkey_provisioning::{EntryId, Kind, Presence};
use latchkey_scim::filter::fold;
use latchkey_store::{Store, StoreError};

pub use reading::Reading as EmbeddedReading;
use shape::Shape;

/// Objects of one page.
const PAGE: usize = 500;
/// Members of one page.
const SEATS: usize = 5_000;
/// How often the directory is asked whether it has changed.
const LOOK: Duration = Duration::from_millis(200);

/// A workspace's own directory.
#[derive(Debug, Clone)]
pub struct Embedded {
    store: Store,
    workspace: WorkspaceId,
    shape: Shape,
}

impl Embedded {
    /// The directory of a workspace, as a job sees it: of assignments those to its application count, and
    /// all of them where it names none.
    pub fn new(store: Store, workspace: WorkspaceId, application: Option<String>, wanted: &Wanted) -> Self {
        Self { store, workspace, shape: Shape::new(application, wanted) }
    }

    /// Begins to read: what changed since the watermark, or everything.
    ///
    /// # Errors
    /// When the store fails, or the watermark is of another source.
    pub async fn read(&self, since: Option<&Watermark>) -> Result<EmbeddedReading, SourceError> {
        let since = since.map(number).transpose()?;
        let until = self.store.embedded_seq(self.workspace).await.map_err(broken)?;
        if since.is_some_and(|since| since > until) {
            let message = "the watermark is of another directory; everything is read anew";
            return Err(SourceError::new(SourceErrorKind::Expired, message));
        }
        let mut expected = 0;
        if since.is_none() {
            for kind in self.shape.kinds() {
                expected += self.store.embedded_count(self.workspace, kind).await.map_err(broken)?;
            }
        }
        Ok(EmbeddedReading::new(self.clone(), since, until, since.is_none().then_some(expected)))
    }

    /// How these objects are now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fetch(&self, kind: Kind, ids: &[EntryId]) -> Result<Vec<Change>, SourceError> {
        let known: Vec<ObjectId> = ids.iter().filter_map(|id| id.0.parse().ok()).collect();
        let mut rows = Vec::with_capacity(known.len());
        for page in known.chunks(PAGE) {
            rows.extend(self.store.embedded_objects(self.workspace, page).await.map_err(broken)?);
        }
        rows.retain(|row| shape::kind(row.kind) == kind);
        let found: std::collections::HashSet<String> = rows.iter().map(|row| row.id.to_string()).collect();
        let mut told = self.tell(rows, |_| true).await?;
        let gone = ids.iter().filter(|id| !found.contains(&id.0));
        told.extend(gone.map(|id| Change::Left { id: id.clone(), kind, presence: Presence::Deleted }));
        Ok(told)
    }

    /// Objects whose id, external id or name is exactly this, letter case of names aside.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn search(&self, kind: Kind, text: &str) -> Result<Vec<Change>, SourceError> {
        let own = shape::kind_of(kind);
        let mut found: Vec<EmbeddedObject> = Vec::new();
        if let Ok(id) = text.parse::<ObjectId>() {
            found.extend(self.store.embedded_object(self.workspace, id).await.map_err(broken)?);
        }
        let key = fold(text);
        found.extend(self.store.embedded_named(self.workspace, own, &key).await.map_err(broken)?);
        found.extend(self.store.embedded_external(self.workspace, own, text).await.map_err(broken)?);
        found.retain(|row| row.kind == own);
        found.sort_by_key(|row| row.id);
        found.dedup_by_key(|row| row.id);
        self.tell(found, |_| true).await
    }

    /// Says what is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn test(&self) -> Result<String, SourceError> {
        let count = async |kind| self.store.embedded_count(self.workspace, kind).await.map_err(broken);
        let (people, groups) = (count(ObjectKind::User).await?, count(ObjectKind::Group).await?);
        Ok(format!("Latchkey's own directory has {people} people and {groups} groups"))
    }

    /// Returns once something has changed since a watermark.
    ///
    /// # Errors
    /// When the store fails, or the watermark is of another source.
    pub async fn changed(&self, since: &Watermark) -> Result<(), SourceError> {
        let since = number(since)?;
        while self.store.embedded_seq(self.workspace).await.map_err(broken)? <= since {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Objects as a job sees them; those groups of which `whole` says so with all of their members.
    async fn tell(
        &self,
        rows: Vec<EmbeddedObject>,
        whole: impl Fn(&EmbeddedObject) -> bool,
    ) -> Result<Vec<Change>, SourceError> {
        let ids: Vec<ObjectId> = rows.iter().filter(|row| shape::is_there(row)).map(|row| row.id).collect();
        let mut given = self.shape.given(if ids.is_empty() {
            Vec::new()
        } else {
            self.store.embedded_assignments(self.workspace, &ids).await.map_err(broken)?
        });
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            let members = if row.kind == ObjectKind::Group && shape::is_there(&row) && whole(&row) {
                Some(Members::Whole(self.members(row.id).await?))
            } else {
                None
            };
            let assignments = given.remove(&row.id).unwrap_or_default();
            told.push(self.shape.change(row, assignments, members));
        }
        Ok(told)
    }

    async fn members(&self, group: ObjectId) -> Result<Vec<EntryId>, SourceError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page =
                self.store.embedded_members(self.workspace, group, after, SEATS).await.map_err(broken)?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some(*last);
            all.extend(page.iter().map(|id| EntryId(id.to_string())));
        }
    }
}

/// The number that a watermark of this source is.
///
/// # Errors
/// When it is of another source.
fn number(watermark: &Watermark) -> Result<i64, SourceError> {
    let text = watermark.0.strip_prefix("embedded:");
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        SourceError::new(
            SourceErrorKind::Expired,
            "the watermark is of another source; everything is read anew",
        )
    })
}

/// The watermark of a number.
pub fn watermark(number: i64) -> Watermark {
    Watermark(format!("embedded:{number}"))
}

fn broken(error: StoreError) -> SourceError {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    SourceError::new(
        SourceErrorKind::Unreachable,
        format!("Latchkey's own directory cannot be read: {error}{cause}"),
    )
}
