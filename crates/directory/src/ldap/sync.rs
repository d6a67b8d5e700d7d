//! What changed, by the server's own protocol for it: content synchronization (RFC 4533).

use std::collections::HashSet;

use latchkey_provisioning::feed::{SourceError, SourceErrorKind};
use ldap3::controls::{ControlParser, ControlType, EntryState, SyncDone, SyncInfo, SyncRequest, SyncState};
use ldap3::controls::{MakeCritical, parse_syncinfo};
use ldap3::{Scope, SearchEntry};
use uuid::Uuid;

use super::link::{Link, Query, broke, patience, readable, refused};

/// The control's name among a server's abilities.
pub(super) const CONTROL: &str = "1.3.6.1.4.1.4203.1.9.1.1";

/// What a server tells since a cookie.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What is new or changed: its name and id.
    pub(super) changed: Vec<(String, Uuid)>,
    /// What went.
    pub(super) gone: HashSet<Uuid>,
    /// What is as it was, where the server says that instead of what went.
    present: HashSet<Uuid>,
    /// Whether all that went is in `gone`.
    tells_gone: bool,
    /// Where the next question goes on; `None` when that is where this one began.
    pub(super) cookie: Option<Vec<u8>>,
}

impl Told {
    /// Who of those that were known is not there any more.
    pub(super) fn left<'k>(&self, known: impl Iterator<Item = &'k Uuid>) -> Vec<Uuid> {
        if self.tells_gone {
            return known.filter(|id| self.gone.contains(id)).copied().collect();
        }
        let there: HashSet<&Uuid> = self.changed.iter().map(|(_, id)| id).chain(&self.present).collect();
        known.filter(|id| !there.contains(id)).copied().collect()
    }
}

impl Link {
    /// Asks what changed since a cookie; without one, for all that is there.
    pub(super) async fn changes(
        &self,
        query: Query<'_>,
        cookie: Option<Vec<u8>>,
    ) -> Result<Told, SourceError> {
        let request = SyncRequest { cookie, ..SyncRequest::default() }.critical();
        let mut ldap = self.ldap();
        ldap.with_timeout(patience()).with_controls(request);
        let broken = |error: &_| broke(query.base, error);
        let asking =
            ldap.streaming_search(query.base, Scope::Subtree, query.filter, query.attributes.to_vec());
        let mut stream = Box::pin(asking).await.map_err(|error| broken(&error))?;
        let mut told = Told::default();
        while let Some(item) = stream.next().await.map_err(|error| broken(&error))? {
            if item.is_intermediate() {
                let info = readable(query.base, || parse_syncinfo(item))?;
                if let SyncInfo::SyncIdSet { refresh_deletes, sync_uuids, .. } = info {
                    let ids = sync_uuids.iter().filter_map(|bytes| Uuid::from_slice(bytes).ok());
                    if refresh_deletes { told.gone.extend(ids) } else { told.present.extend(ids) }
                }
            } else if !item.is_ref() {
                let state = item.1.iter().find(|one| matches!(one.0, Some(ControlType::SyncState)));
                let state = state.and_then(|one| one.1.val.as_deref());
                let state =
                    state.map(|value| readable(query.base, || SyncState::parse(value))).transpose()?;
                let id = state.as_ref().and_then(|state| Uuid::from_slice(&state.entry_uuid).ok());
                let (Some(state), Some(id)) = (state, id) else {
                    let message =
                        format!("{}: the directory tells an entry without saying what it is", query.base);
                    return Err(SourceError::new(SourceErrorKind::Malformed, message));
                };
                match state.state {
                    EntryState::Add | EntryState::Modify => {
                        let entry = readable(query.base, || SearchEntry::construct(item))?;
                        told.changed.push((entry.dn, id));
                    }
                    EntryState::Present => drop(told.present.insert(id)),
                    EntryState::Delete => drop(told.gone.insert(id)),
                }
            }
        }
        let result = stream.finish().await;
        if result.rc != 0 {
            return Err(refused(&result, &format!("asking {} what changed", query.base)));
        }
        let done = result.ctrls.iter().find(|one| matches!(one.0, Some(ControlType::SyncDone)));
        let done = done.and_then(|one| one.1.val.as_deref());
        let done = done.map(|value| readable(query.base, || SyncDone::parse(value))).transpose()?;
        if let Some(done) = done {
            (told.tells_gone, told.cookie) = (done.refresh_deletes, done.cookie);
        }
        Ok(told)
    }
}
