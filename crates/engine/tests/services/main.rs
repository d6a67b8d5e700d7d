//! The services on the real store, with a clock that stands still and seeded randomness.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod lists;
mod story;
mod tokens;
mod world;
