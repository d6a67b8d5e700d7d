//! Bounds on everything that a client sends (RFC 7644 §7.5: a filter is a small program, a body a large one).

/// What is refused before it is worked on. Every number is a bound on work or memory, none a
/// rule of SCIM; [`Limits::default`] says why each is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep arrays and objects may nest in a body.
    pub depth: usize,
    /// Operations in one PATCH, as sent and again after a value without path is taken apart.
    pub operations: usize,
    /// Bytes of one filter or PATCH path.
    pub filter_length: usize,
    /// Comparisons in one filter.
    pub filter_terms: usize,
    /// How deep parentheses, brackets and `not` may nest in one filter.
    pub filter_depth: usize,
    /// Values of one list in a body.
    pub list_values: usize,
    /// Bytes of one string in a body.
    pub string_length: usize,
    /// Resources on a page when the client names no count.
    pub page_default: usize,
    /// Resources on a page at most; a larger count is cut to it.
    pub page_max: usize,
    /// Operations in one bulk request.
    pub bulk_operations: usize,
    /// Bytes of one bulk request.
    pub bulk_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A bulk operation that patches a user's extension nests nine deep; nothing in SCIM
            // needs more, as complex within complex is not allowed (RFC 7643 §2.3.8).
            depth: 16,
            // Entra sends some ten operations for a user and at most a few hundred for a group.
            operations: 2_000,
            // Longer than any URL that a proxy lets through; `.search` and PATCH paths get the same.
            filter_length: 16_384,
            // Clients that look up in batches join 50 to 100 names by `or`.
            filter_terms: 256,
            // People write three levels; the parser and the evaluator recurse this deep.
            filter_depth: 32,
            // What a body of 1 MiB can hold of `{"value":"<uuid>"}`, so that no honest list fails here first.
            list_values: 25_000,
            // A certificate or a small picture in base64.
            string_length: 65_536,
            // Okta imports with 100.
            page_default: 100,
            // A page is held in memory as text: at some 2 KiB a user, 2 MiB.
            page_max: 1_000,
            // The RFC's own example, and what clients are built for.
            bulk_operations: 1_000,
            bulk_bytes: 1 << 20,
        }
    }
}
