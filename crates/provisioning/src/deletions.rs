//! The limit on what one cycle may disable or delete without a person's word (P3).

/// What is to be done with the deletions and disablings of a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are performed.
    Perform,
    /// None of them is; a person is asked.
    Hold {
        /// How many there would be.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
}

/// Judges a cycle that would disable or delete `count` users and groups, from whatever cause. As
/// many as the limit pass, one more holds them all; `approved` is a person's word for just so many.
pub fn judge(count: usize, limit: Option<usize>, approved: Option<usize>) -> Verdict {
    match limit {
        Some(limit) if count > limit && approved.is_none_or(|approved| count > approved) => {
            Verdict::Hold { count, limit }
        }
        _ => Verdict::Perform,
    }
}
