//! The answer to a list request, written straight into one text.

use std::fmt::Write as _;

/// A ListResponse that is being written (RFC 7644 §3.4.2).
#[derive(Debug)]
pub struct ListResponse {
    out: String,
    count: usize,
}

impl ListResponse {
    /// Begins the answer. `total_results` may be unknown when paging by cursor (RFC 9865 §2.4);
    /// `start_index` is for paging by index.
    pub fn new(total_results: Option<usize>, start_index: Option<usize>) -> Self {
        let mut out = String::with_capacity(1024);
        out.push_str("{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"]");
        if let Some(total) = total_results {
            let _ = write!(out, ",\"totalResults\":{total}");
        }
        if let Some(start) = start_index {
            let _ = write!(out, ",\"startIndex\":{start}");
        }
        out.push_str(",\"Resources\":[");
        Self { out, count: 0 }
    }

    /// Adds a resource that is JSON already.
    pub fn push(&mut self, resource: &str) {
        self.comma();
        self.out.push_str(resource);
    }

    /// Adds a resource that `write` puts behind the text so far.
    ///
    /// # Errors
    /// What `write` fails with; the answer is then as it was.
    pub fn push_with<E>(&mut self, write: impl FnOnce(&mut String) -> Result<(), E>) -> Result<(), E> {
        let before = self.out.len();
        self.comma();
        if let Err(error) = write(&mut self.out) {
            self.out.truncate(before);
            self.count -= 1;
            return Err(error);
        }
        Ok(())
    }

    /// Ends the answer. Without a `next_cursor` there is no further page.
    pub fn finish(self, next_cursor: Option<&str>) -> String {
        let mut out = self.out;
        let _ = write!(out, "],\"itemsPerPage\":{}", self.count);
        if let Some(cursor) = next_cursor {
            out.push_str(",\"nextCursor\":");
            crate::resource::write_string(&mut out, cursor);
        }
        out.push('}');
        out
    }

    fn comma(&mut self) {
        if self.count > 0 {
            self.out.push(',');
        }
        self.count += 1;
    }
}
