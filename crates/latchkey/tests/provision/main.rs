//! `latchkey provision` as its users and scripts use it: a job file, CSV files that change, and a
//! running Latchkey as the target, which is read back by plain HTTP.

mod company;
mod cycles;
mod demand;
mod failures;
mod files;
mod place;
mod plans;
mod processes;
mod standing;
mod undo;
mod watching;

/// Runs an async body on a runtime of its own.
macro_rules! claims {
    ($($(#[$meta:meta])* async fn $claim:ident() $body:block)+) => {$(
        $(#[$meta])*
        #[test]
        fn $claim() {
            latchkey_testkit::block_on(async $body);
        }
    )+};
}

pub(crate) use claims;
