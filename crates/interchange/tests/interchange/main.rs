//! Files of other programs, read as they write them; and files that nobody would write.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hostile;
mod json;
mod kdbx;
mod native;
mod support;
mod tables;
