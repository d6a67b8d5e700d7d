//! One suite for both databases: what each change does, what holds under concurrency, how lists
//! are paged and filtered, and what becomes of the audit chain.
//!
//! `on_both!` makes two tests of each claim.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod audit;
mod concurrency;
mod directory;
mod filters;
mod leaving;
mod operations;
mod reaches;
mod rotations;
mod secrets;
mod snapshots;
mod world;

/// Makes of each `async fn claim(world: World)` a module with the tests `sqlite` and `postgres`.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $claim:ident($world:ident: World) $body:block)+) => {$(
        $(#[$meta])*
        mod $claim {
            #[allow(unused_imports, clippy::allow_attributes, reason = "a body may need nothing from around it")]
            use super::*;

            async fn claim($world: &crate::world::World) $body

            #[test]
            fn sqlite() {
                latchkey_testkit::block_on(async { claim(&crate::world::World::sqlite().await).await });
            }

            #[test]
            fn postgres() {
                latchkey_testkit::block_on(async { claim(&crate::world::World::postgres().await).await });
            }
        }
    )+};
}
pub(crate) use on_both;
