//! Where a cycle writes.

use std::future::Future;

use latchkey_provisioning::{Difference, Kind, TargetPath};
use latchkey_scim_client::{Client, Exchange, Failure, Found};
use serde_json::{Map, Value as Json};

/// A SCIM provider. Each request leaves what was sent and answered in the trail.
pub trait Target: Send + Sync {
    /// Looks for the one object that has this value.
    fn find(
        &self,
        kind: Kind,
        path: &TargetPath,
        value: &str,
        trail: &mut Vec<Exchange>,
    ) -> impl Future<Output = Result<Found, Failure>> + Send;

    /// Reads an object without a group's members; `None` when there is none of this id.
    fn read(
        &self,
        kind: Kind,
        id: &str,
        trail: &mut Vec<Exchange>,
    ) -> impl Future<Output = Result<Option<Map<String, Json>>, Failure>> + Send;

    /// Makes an object, and answers with its id.
    fn create(
        &self,
        kind: Kind,
        resource: Map<String, Json>,
        trail: &mut Vec<Exchange>,
    ) -> impl Future<Output = Result<String, Failure>> + Send;

    /// Changes an object that is held to be as given.
    fn change(
        &self,
        kind: Kind,
        id: &str,
        change: (&[Difference], &Map<String, Json>),
        trail: &mut Vec<Exchange>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Adds members to a group, and takes others out.
    fn change_members(
        &self,
        id: &str,
        change: (&[String], &[String]),
        trail: &mut Vec<Exchange>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Deletes an object; that it is gone already is as good.
    fn delete(
        &self,
        kind: Kind,
        id: &str,
        trail: &mut Vec<Exchange>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
}

impl Target for Client {
    async fn find(
        &self,
        kind: Kind,
        path: &TargetPath,
        value: &str,
        trail: &mut Vec<Exchange>,
    ) -> Result<Found, Failure> {
        Self::find(self, kind, path, value, trail).await
    }

    async fn read(
        &self,
        kind: Kind,
        id: &str,
        trail: &mut Vec<Exchange>,
    ) -> Result<Option<Map<String, Json>>, Failure> {
        Self::read(self, kind, id, trail).await
    }

    async fn create(
        &self,
        kind: Kind,
        resource: Map<String, Json>,
        trail: &mut Vec<Exchange>,
    ) -> Result<String, Failure> {
        Self::create(self, kind, resource, trail).await
    }

    async fn change(
        &self,
        kind: Kind,
        id: &str,
        change: (&[Difference], &Map<String, Json>),
        trail: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        Self::change(self, kind, id, change, trail).await
    }

    async fn change_members(
        &self,
        id: &str,
        change: (&[String], &[String]),
        trail: &mut Vec<Exchange>,
    ) -> Result<(), Failure> {
        Self::change_members(self, id, change, trail).await
    }

    async fn delete(&self, kind: Kind, id: &str, trail: &mut Vec<Exchange>) -> Result<(), Failure> {
        Self::delete(self, kind, id, trail).await
    }
}
