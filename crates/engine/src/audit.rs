//! The audit log: read in pages, and proven whole.

use latchkey_access::authority::Action;
use latchkey_store::{AuditEntry, AuditFilter, AuditReport};

use crate::{Caller, Engine, Error};

/// A page of records, newest first.
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn list(engine: &Engine, by: &Caller, filter: AuditFilter) -> Result<Vec<AuditEntry>, Error> {
    by.may(Action::ReadAudit)?;
    Ok(engine.store().audit_page(by.workspace_id(), filter).await?)
}

/// Walks the chain and finds what was altered or removed (L1).
///
/// # Errors
/// When the caller may not or the database fails.
pub async fn verify(engine: &Engine, by: &Caller) -> Result<AuditReport, Error> {
    by.may(Action::ReadAudit)?;
    Ok(engine.store().audit_verify(by.workspace_id()).await?)
}
