//! A target that is read and never written.

use std::sync::atomic::{AtomicU64, Ordering};

use latchkey_provisioning::{Difference, Kind, TargetPath};
use latchkey_scim_client::{Exchange, Failure, Found};
use serde_json::{Map, Value as Json};

use crate::target::Target;

/// Stands before a target in a preview: reads go through, and what would be written is answered as
/// if it had been. With a copy of the ledger, a cycle then tells what it would do.
#[derive(Debug)]
pub struct DryTarget<T> {
    target: T,
    made: AtomicU64,
}

/// How ids of objects begin that would be made.
const NEW: &str = "new:";

impl<T> DryTarget<T> {
    /// Stands before this target.
    pub const fn new(target: T) -> Self {
        Self { target, made: AtomicU64::new(0) }
    }
}

impl<T: Target> Target for DryTarget<T> {
    async fn find(
        &self,
        kind: Kind,
        path: &TargetPath,
        value: &str,
        trail: &mut Vec<Exchange>,
    ) -> Result<Found, Failure> {
        self.target.find(kind, path, value, trail).await
    }

    async fn read(
        &self,
        kind: Kind,
        id: &str,
        trail: &mut Vec<Exchange>,
    ) -> Result<Option<Map<String, Json>>, Failure> {
        if id.starts_with(NEW) {
            return Ok(Some(Map::new()));
        }
        self.target.read(kind, id, trail).await
    }

    async fn create(&self, _: Kind, _: Map<String, Json>, _: &mut Vec<Exchange>) -> Result<String, Failure> {
        Ok(format!("{NEW}{}", self.made.fetch_add(1, Ordering::Relaxed) + 1))
    }

    async fn change(
        &self,
        _: Kind,
        _: &str,
        _: (&[Difference], &Map<String, Json>),
        _: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        Ok(())
    }

    async fn change_members(
        &self,
        _: &str,
        _: (&[String], &[String]),
        _: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        Ok(())
    }

    async fn delete(&self, _: Kind, _: &str, _: &mut Vec<Exchange>) -> Result<(), Failure> {
        Ok(())
    }
}
