//! Rotation: changing a secret at the real system that it opens, and proving it.
//!
//! Pure: a job's next act is decided from its state, its policy and the time ([`next_act`]); what
//! must be durable before the act is written first ([`begin`]); and what came of the act is folded
//! into the job's next state ([`fold()`]). So a crash anywhere leaves a job that knows what may have
//! happened, and whoever takes it up next ([`take_up()`]) finds out by trying (V2, V3).
//! Performs nothing and knows no connector.
#![warn(missing_docs)]

mod act;
mod breaker;
mod failure;
mod fold;
mod job;
mod next;
mod pause;
mod person;
mod policy;
mod schedule;
mod settle;
mod state;
mod take_up;
mod verdict;

pub use act::{Act, ActOutcome, Follow, TaskKind};
pub use breaker::Breaker;
pub use failure::{Class, Evidence, Failure, Outcome};
pub use fold::fold;
pub use job::{Job, Plan, Trial};
pub use next::{Conditions, next_act};
pub use person::{PersonError, REMINDERS, Urgency, Word, answer, call_off, due, release, reminder};
pub use policy::Policy;
pub use schedule::Schedule;
pub use state::{Reason, State};
pub use take_up::{Facts, begin, take_up};
pub use verdict::Verdict;
