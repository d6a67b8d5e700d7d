//! Key sources: where the key that wraps all others comes from.

mod local;

use std::pin::Pin;

use latchkey_kernel::Entropy;
use zeroize::Zeroizing;

use crate::envelope::KEY;
use crate::error::KeyError;

pub use local::LocalKek;

/// What a source's answer is awaited as; boxed, so that the source is chosen at start.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, KeyError>> + Send + 'a>>;

/// A key-encryption key, wherever it lies. What it wraps opens only with the same `bound`.
pub trait Kek: Send + Sync {
    /// Tells this key from any other; kept beside what it wrapped.
    fn id(&self) -> &str;

    /// Wraps a key.
    fn wrap<'a>(
        &'a self,
        bound: &'a [u8],
        key: &'a [u8; KEY],
        entropy: &'a dyn Entropy,
    ) -> Answer<'a, Vec<u8>>;

    /// Unwraps what [`Kek::wrap`] made.
    fn unwrap<'a>(&'a self, bound: &'a [u8], wrapped: &'a [u8]) -> Answer<'a, Zeroizing<[u8; KEY]>>;
}
