//! Where a rotation stands, and why it was asked for.

use latchkey_kernel::words;

words! {
    /// Why a rotation was asked for.
    Reason {
        /// Somebody who could use or knew the password left.
        Offboarding = "offboarding",
        /// A grant that conveyed the password ended.
        GrantEnd = "grant_end",
        /// The password is in a breach.
        Breach = "breach",
        /// A person asked.
        Request = "request",
        /// Its time has come.
        Schedule = "schedule",
        /// Nothing is changed: does the stored password still work?
        VerifyOnly = "verify_only",
    }
}

impl Reason {
    /// Whether somebody who should not may know the password until it is changed.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Offboarding | Self::GrantEnd | Self::Breach)
    }
}

words! {
    /// Where a rotation stands. Each is durable before the act that it announces.
    State {
        /// Waits for its turn.
        Planned = "planned",
        /// Waits for a person's word.
        Held = "held",
        /// A worker has it; nothing has happened yet.
        Locked = "locked",
        /// The new secret is stored as pending (V2). The old one is the one that works.
        Staged = "staged",
        /// The change is on its way to the target; read again after a crash, its outcome is unknown.
        Applying = "applying",
        /// The target says that it took the change.
        Applied = "applied",
        /// A fresh login with the new secret worked.
        Verified = "verified",
        /// The new secret is the account's; sessions of the old one are still to be ended.
        Committed = "committed",
        /// The new secret is the account's; that the old one is refused is still to be shown.
        Retiring = "retiring",
        /// Which of the secrets works is being found out by trying them.
        Reconciling = "reconciling",
        /// None of the secrets that the vault holds was seen to work; a person is about to be asked.
        Diverged = "diverged",
        /// A person has a task, which says what the vault holds.
        ManualTask = "manual_task",
        /// The new secret works and is the account's.
        Done = "done",
        /// The old secret was proven to be the one that works, and stays.
        RolledBack = "rolled_back",
        /// Called off before anything was changed.
        Abandoned = "abandoned",
        /// The secret that it was to change had been replaced already.
        Superseded = "superseded",
        /// A person took the risk upon themselves.
        Waived = "waived",
    }
}

impl State {
    /// Whether nothing follows any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::RolledBack | Self::Abandoned | Self::Superseded | Self::Waived)
    }

    /// Whether the secret that was known before is known not to be the account's any more.
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Done | Self::Superseded)
    }
}
