//! Randomness that is passed in: from the operating system when serving, from a seed in tests.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

/// The operating system's generator, the only one that secrets may come from.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

/// Up to so many bytes, as ids take, come out of a stock; keys and nonces never wait in memory.
const SMALL: usize = 16;

/// Random bytes that were fetched together: two ids a request would be two system calls.
struct Stock {
    bytes: [u8; 512],
    /// So many at the beginning have not been given out; the others are wiped.
    left: usize,
}

thread_local! {
    static STOCK: RefCell<Stock> = const { RefCell::new(Stock { bytes: [0; 512], left: 0 }) };
}

impl Entropy for OsEntropy {
    fn fill(&self, out: &mut [u8]) {
        if out.len() > SMALL {
            return ask_system(out);
        }
        STOCK.with_borrow_mut(|stock| {
            if stock.left < out.len() {
                ask_system(&mut stock.bytes);
                stock.left = stock.bytes.len();
            }
            let from = stock.left - out.len();
            let given = &mut stock.bytes[from..stock.left];
            out.copy_from_slice(given);
            given.fill(0);
            stock.left = from;
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
fn ask_system(out: &mut [u8]) {
    getrandom::fill(out).expect("the operating system's generator answers; without it no key may be made");
}

/// The same bytes for the same seed (SplitMix64): for tests and simulations, never for secrets.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// A generator that starts from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        let mut z =
            self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_of_the_system_are_given_twice_on_any_thread() {
        let draw = || (0..300).map(|_| (&OsEntropy as &dyn Entropy).bytes::<10>()).collect::<Vec<_>>();
        let mut drawn = draw();
        drawn.extend(std::thread::spawn(draw).join().unwrap());
        let distinct: std::collections::HashSet<_> = drawn.iter().collect();
        assert_eq!(distinct.len(), 600);
        assert_ne!((&OsEntropy as &dyn Entropy).bytes::<32>(), [0; 32]);
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (a, b) = (SeededEntropy::new(7), SeededEntropy::new(7));
        let (a, b): (&dyn Entropy, &dyn Entropy) = (&a, &b);
        assert_eq!(a.bytes::<20>(), b.bytes::<20>());
        assert_ne!(a.bytes::<20>(), a.bytes::<20>());
    }
}
