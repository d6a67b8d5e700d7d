//! What a login with a secret came to.

use crate::words::words;

words! {
    /// What a fresh login with a secret came to.
    Verdict {
        /// The target let it in.
        Works = "works",
        /// The target refused this secret.
        Refused = "refused",
    }
}
