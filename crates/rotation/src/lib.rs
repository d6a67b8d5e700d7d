//! Rotation: changing a secret at the real system that it opens, and proving it.
//!
//! Pure: a job's next act is decided from its state, its policy and the time; what came of the
//! act is folded into the job's next state. Every state is durable before the act that it
//! announces, so that a crash anywhere leaves a job that knows what may have happened (V2, V3).
//! Performs nothing and knows no connector.
#![warn(missing_docs)]

mod failure;

pub use failure::{Class, Evidence, Failure, Outcome};
