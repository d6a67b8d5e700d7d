//! One test body, run on both databases.

/// Runs a future to its end on a small runtime of its own, as a test does.
///
/// # Panics
/// When the runtime cannot be made.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made")
        .block_on(future)
}

/// Makes of each `async fn claim(server: &Server)` a module `claim` with the tests `sqlite` and `postgres`,
/// each with a server of its own. `&mut Server` may be asked for too. For the integration tests of the crate
/// with the `latchkey` binary.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $claim:ident($server:ident: $type:ty) $body:block)+) => {$(
        $(#[$meta])*
        mod $claim {
            #[allow(unused_imports, reason = "a body may need nothing from around it")]
            use super::*;

            async fn claim($server: $type) $body

            fn run_on(db: $crate::Db) {
                $crate::block_on(async {
                    let mut server = $crate::Server::start(db, env!("CARGO_BIN_EXE_latchkey")).await;
                    claim(&mut server).await;
                });
            }

            #[test]
            fn sqlite() {
                run_on($crate::Db::Sqlite);
            }

            #[test]
            fn postgres() {
                run_on($crate::Db::Postgres);
            }
        }
    )+};
}
