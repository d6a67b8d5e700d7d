//! The outbox, as admins see it.

use latchkey_access::authority::Action;
use latchkey_access::outbox::OutboxEvent;
use latchkey_store::OutboxQuery;

use crate::{Caller, Engine, Error};

/// A page of effects, newest first.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller, query: OutboxQuery) -> Result<Vec<OutboxEvent>, Error> {
    by.may(Action::ReadOutbox)?;
    Ok(engine.store().outbox_page(by.workspace_id(), query).await?)
}
