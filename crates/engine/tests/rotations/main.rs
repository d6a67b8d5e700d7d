//! Rotations from end to end at a fake target, on both databases: a clock that stands still, seeded
//! randomness, and a worker that dies wherever a test says.
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

mod crashes;
mod fake;
mod offboarding;
mod people;
mod trouble;
mod world;
