//! Chance from a seed.

use latchkey_kernel::{Entropy, SeededEntropy};

pub(crate) struct Chance(SeededEntropy);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    pub(crate) fn below(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end
    }

    /// One of the places of a list of this length.
    pub(crate) fn place(&self, length: usize) -> usize {
        let length = u64::try_from(length).expect("a list is not that long");
        usize::try_from(self.below(length)).expect("it is below a usize")
    }

    pub(crate) fn percent(&self, of_hundred: u64) -> bool {
        self.below(100) < of_hundred
    }

    pub(crate) fn unit(&self) -> f64 {
        f64::from(u16::try_from(self.below(1 << 16)).expect("it is below")) / 65_536.0
    }
}
