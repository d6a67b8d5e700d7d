//! What an expression may ask for that is not in the person.

use latchkey_kernel::{Entropy, SeededEntropy, Timestamp};

/// The time, the randomness and the tenant that an evaluation has.
pub struct Surroundings<'a> {
    /// What `Now()` gives.
    pub now: Timestamp,
    /// What `Guid()` and `RandomString()` draw from.
    pub entropy: &'a dyn Entropy,
    /// What `DefaultDomain()` gives.
    pub default_domain: &'a str,
}

impl Surroundings<'static> {
    /// For examples and previews: always the same time, the same randomness and the domain
    /// `quarry.example`.
    pub fn fixed() -> Self {
        static ENTROPY: std::sync::LazyLock<SeededEntropy> =
            std::sync::LazyLock::new(|| SeededEntropy::new(7));
        Self {
            // 2026-11-23 21:05:40 UTC
            now: Timestamp::from_micros(1_795_467_940_000_000),
            entropy: &*ENTROPY,
            default_domain: "quarry.example",
        }
    }
}
