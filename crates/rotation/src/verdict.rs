//! What a login with a secret came to.

use latchkey_kernel::words;

words! {
    /// What a fresh login with a secret came to.
    Verdict {
        /// The target let it in.
        Works = "works",
        /// The target refused this secret.
        Refused = "refused",
    }
}
