//! Performs a server's provisioning jobs.
//!
//! [`Runner`] takes jobs up as they are due, one node a job by its lease, and lets leavers of the
//! workspace's own directory go at once; [`Jobs`] is what people ask of a job: one object now, a
//! preview, taking back. [`open`] makes source and target of a job's definition, for servers and
//! for the command line alike. What is decided about an object is the `provisioning` room's, and
//! how a cycle goes that of `cycles`; people's words to jobs are the `engine`'s.
#![warn(missing_docs)]

mod asked;
mod hold;
mod leavers;
mod live;
mod news;
pub mod open;
mod orders;
mod perform;
mod runner;
mod table;

pub use asked::{Asked, Found, Preview, Validation};
pub use hold::HoldError;
pub use live::Live;
pub use news::{News, Post, SmtpOptions};
pub use orders::{Order, Scope};
pub use perform::{parsed, with_schema};
pub use runner::Runner;
pub use table::{changed, csv_of};

use std::sync::Arc;

use latchkey_engine::Engine;

/// What a server knows of its jobs. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    pub(crate) engine: Engine,
    pub(crate) hands: Arc<hold::Hands>,
    pub(crate) post: Arc<Post>,
}

impl Jobs {
    /// The jobs of this server; `post` tells people what went wrong.
    pub fn new(engine: Engine, post: Post) -> Self {
        let hands = Arc::new(hold::Hands::new(engine.store()));
        Self { engine, hands, post: Arc::new(post) }
    }

    /// The services.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }
}
