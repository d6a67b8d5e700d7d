//! How often somebody waited for the server.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts round trips: what is under way at the same time is one. Tells the truth while one
/// request is served at a time, as in the tests that hold requests to two.
#[derive(Default)]
pub(super) struct Trips {
    made: AtomicU64,
    under_way: AtomicUsize,
}

impl Trips {
    /// One begins, and lasts until what this returns is dropped.
    pub(super) fn begin(&self) -> Trip<'_> {
        if self.under_way.fetch_add(1, Ordering::SeqCst) == 0 {
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        Trip(self)
    }

    pub(super) fn count(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }
}

/// A round trip that is under way.
pub(super) struct Trip<'a>(&'a Trips);

impl Drop for Trip<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}
