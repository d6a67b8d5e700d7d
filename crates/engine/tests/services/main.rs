//! The services on the real store, on both databases, with a clock that stands still and seeded randomness.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

/// Makes of each claim, an `async fn claim(world: World)`, a module with the tests `sqlite` and `postgres`.
macro_rules! on_both {
    ($($claim:ident),* $(,)?) => {$(
        mod $claim {
            use crate::world::World;

            #[tokio::test]
            async fn sqlite() {
                super::$claim(World::on_sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$claim(World::on_postgres().await).await;
            }
        }
    )*};
}

mod keys;
mod knowledge;
mod lists;
mod secrets;
mod story;
mod tampering;
mod tokens;
mod transfers;
mod world;
