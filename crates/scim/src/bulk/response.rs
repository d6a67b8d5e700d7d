//! The answer to a bulk request.

use super::request::Operation;
use crate::error::error_body;
use crate::resource::write_string;
use crate::{Error, etag};

/// What came of an operation.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) version: Option<String>,
    pub(super) error: Option<Error>,
}

pub(super) fn write(operations: &[Operation], entries: &[Option<Entry>]) -> String {
    let mut out = String::with_capacity(256 + entries.len() * 256);
    out.push_str("{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkResponse\"],\"Operations\":[");
    let tried =
        operations.iter().zip(entries).filter_map(|(operation, entry)| Some((operation, entry.as_ref()?)));
    for (at, (operation, entry)) in tried.enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_entry(&mut out, operation, entry);
    }
    out.push_str("]}");
    out
}

fn write_entry(out: &mut String, operation: &Operation, entry: &Entry) {
    let method =
        operation.order.as_ref().map_or(operation.method_text.as_str(), |order| order.method.as_str());
    out.push_str("{\"method\":");
    write_string(out, method);
    let mut text = |name: &str, text: Option<&str>| {
        if let Some(text) = text {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":");
            write_string(out, text);
        }
    };
    text("bulkId", operation.bulk_id.as_deref());
    text("version", entry.version.as_deref().map(etag::weak).as_deref());
    text("location", entry.location.as_deref());
    text("status", Some(&entry.status.to_string()));
    if let Some(error) = &entry.error {
        out.push_str(",\"response\":");
        out.push_str(&error_body(error));
    }
    out.push('}');
}
