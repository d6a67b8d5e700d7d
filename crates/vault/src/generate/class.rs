//! Sets of printable ASCII characters, the ones that generated passwords are made of.

use std::fmt;

/// A set of printable ASCII characters, space included. `unicode` counts as all of them: a site
/// that takes every character takes these.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Class(u128);

impl Class {
    /// No character.
    pub const EMPTY: Self = Self(0);
    /// `a` to `z`.
    pub const LOWER: Self = Self::range(b'a', b'z');
    /// `A` to `Z`.
    pub const UPPER: Self = Self::range(b'A', b'Z');
    /// `0` to `9`.
    pub const DIGIT: Self = Self::range(b'0', b'9');
    /// What is neither letter nor digit, with space.
    pub const SPECIAL: Self = Self(Self::PRINTABLE.0 & !(Self::LOWER.0 | Self::UPPER.0 | Self::DIGIT.0));
    /// Space to `~`.
    pub const PRINTABLE: Self = Self::range(b' ', b'~');

    /// The characters of a text; `None` if one is not printable ASCII.
    pub fn of(text: &str) -> Option<Self> {
        let mut class = Self::EMPTY;
        for c in text.bytes() {
            if !Self::PRINTABLE.has(c) {
                return None;
            }
            class = class.with(c);
        }
        Some(class)
    }

    const fn range(first: u8, last: u8) -> Self {
        let mut bits = 0;
        let mut c = first;
        while c <= last {
            bits |= 1 << c;
            c += 1;
        }
        Self(bits)
    }

    /// With one more character, which must be ASCII.
    #[must_use]
    pub(super) const fn with(self, c: u8) -> Self {
        Self(self.0 | 1 << c)
    }

    /// Whether the character is in it.
    pub const fn has(self, c: u8) -> bool {
        c < 128 && self.0 >> c & 1 == 1
    }

    /// How many characters are in it.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether no character is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Its characters in order.
    pub fn chars(self) -> impl Iterator<Item = u8> {
        (0..128).filter(move |c| self.has(*c))
    }
}

/// As the grammar writes it: names where they fit, else the characters in brackets.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::PRINTABLE, "ascii-printable"),
            (Self::UPPER, "upper"),
            (Self::LOWER, "lower"),
            (Self::DIGIT, "digit"),
            (Self::SPECIAL, "special"),
        ];
        let mut rest = *self;
        let mut comma = "";
        for (class, name) in names {
            if class.without(rest).is_empty() {
                write!(f, "{comma}{name}")?;
                rest = rest.without(class);
                comma = ", ";
            }
        }
        if rest.is_empty() && !self.is_empty() {
            return Ok(());
        }
        // The grammar takes `-` only as the first and `]` only as the last.
        let ends = [(rest.has(b'-'), "-"), (rest.has(b']'), "]")].map(|(has, c)| if has { c } else { "" });
        let middle = rest.chars().filter(|c| !b"-]".contains(c)).map(char::from).collect::<String>();
        write!(f, "{comma}[{}{middle}{}]", ends[0], ends[1])
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Class({self})")
    }
}
