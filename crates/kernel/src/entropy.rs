//! Randomness that is passed in: from the operating system when serving, from a seed in tests.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);

    /// Fills `out` with as good random bytes that are no secret, as those of ids.
    fn fill_public(&self, out: &mut [u8]) {
        self.fill(out);
    }
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

/// Random bytes for ids, fetched together: two ids a request would be two system calls. What is
/// to be secret never waits here.
struct Stock {
    bytes: [u8; 512],
    /// So many at the beginning have not been given out.
    left: usize,
}

thread_local! {
    static STOCK: RefCell<Stock> = const { RefCell::new(Stock { bytes: [0; 512], left: 0 }) };
}

impl Entropy for OsEntropy {
    fn fill(&self, out: &mut [u8]) {
        ask_system(out);
    }

    fn fill_public(&self, out: &mut [u8]) {
        STOCK.with_borrow_mut(|stock| {
            for part in out.chunks_mut(stock.bytes.len()) {
                if stock.left < part.len() {
                    ask_system(&mut stock.bytes);
                    stock.left = stock.bytes.len();
                }
                let from = stock.left - part.len();
                part.copy_from_slice(&stock.bytes[from..stock.left]);
                stock.left = from;
            }
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
        let one = || {
            let mut out = [0; 10];
            OsEntropy.fill_public(&mut out);
            out
        };
        let draw = move || (0..300).map(|_| one()).collect::<Vec<_>>();
        let mut drawn = draw();
        drawn.extend(std::thread::spawn(draw).join().unwrap());
        let distinct: std::collections::HashSet<_> = drawn.iter().collect();
        assert_eq!(distinct.len(), 600);
        let mut long = vec![0; 2_000];
        OsEntropy.fill_public(&mut long);
        let parts: std::collections::HashSet<_> = long.chunks(10).collect();
        assert_eq!(parts.len(), 200);
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (a, b) = (SeededEntropy::new(7), SeededEntropy::new(7));
        let (a, b): (&dyn Entropy, &dyn Entropy) = (&a, &b);
        assert_eq!(a.bytes::<20>(), b.bytes::<20>());
        assert_ne!(a.bytes::<20>(), a.bytes::<20>());
    }
}
