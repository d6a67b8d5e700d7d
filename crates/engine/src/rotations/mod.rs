//! Rotations: passwords are changed at the real systems, proven, and put into use.
//!
//! What follows from what is decided in `latchkey_rotation`; here it is performed. A worker on each
//! node takes up what offboarding and schedules ask for (`plan`), claims rotations by a lease, writes
//! each state before the act that it announces (`worker`, `hands`), and performs the acts (`act`)
//! through a connector (`target`) or a person's task ([`tasks`]).

mod act;
mod cases;
mod codes;
pub mod connectors;
mod hands;
mod limits;
mod pictures;
mod plan;
mod row;
mod scene;
mod service;
mod target;
pub mod tasks;
mod worker;

pub(crate) use cases::call_off as call_off_case;
pub use hands::{Hands, Pace};
pub use latchkey_store::rotation::RotationFilter;
pub use limits::Limits;
pub(crate) use pictures::reseal as reseal_pictures;
pub use pictures::{Picture, picture};
pub(crate) use row::job_of;
pub(crate) use scene::reseal_connectors;
pub use service::{DryRun, RotationView, approve, call_off, dry_run, get, list, request};
pub use target::{CodeSource, Doing, RealTargets, Target, Targets};
pub(crate) use worker::serve;
pub use worker::{work_off, work_on};
