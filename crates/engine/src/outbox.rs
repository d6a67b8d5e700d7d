//! The outbox, as admins see it.

use latchkey_access::authority::Action;
use latchkey_access::outbox::OutboxEvent;
use latchkey_kernel::id::OutboxId;
use latchkey_store::OutboxFilter;

use crate::{Caller, Engine, Error};

/// A page of effects, newest first.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(
    engine: &Engine,
    by: &Caller,
    filter: OutboxFilter,
    after: Option<OutboxId>,
    limit: usize,
) -> Result<Vec<OutboxEvent>, Error> {
    by.may(Action::ReadOutbox)?;
    Ok(engine.store().outbox_page(by.workspace_id(), filter, after, limit).await?)
}
