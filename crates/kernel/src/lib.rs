//! Words that every room may use: typed ids, instants, the clock and the entropy that are passed in.
//!
//! Knows nothing of SCIM, storage or HTTP. The only implementations that touch the operating
//! system's clock and random generator stand here; everything else receives them.
#![warn(missing_docs)]

pub mod clock;
pub mod entropy;
pub mod id;
pub mod time;
mod words;

pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, OsEntropy, SeededEntropy};
pub use time::Timestamp;
