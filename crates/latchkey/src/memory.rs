//! What is in memory stays there: no core dump holds a secret, and no other process of the same user
//! reads it.

use anyhow::Context;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns core dumps off for this process and those that it starts, and debuggers away from it.
///
/// # Errors
/// When the system does not let us.
pub(crate) fn keep_private() -> anyhow::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)
        .context("core dumps could not be turned off: a crash may write secrets")?;
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // The limit does not hold for a handler that cores are piped to (core(5)).
        set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .context("this process could not be kept from being dumped: a crash may write secrets")?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn nothing_of_this_process_can_be_dumped_and_it_cannot_be_turned_on_again() {
        keep_private().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
