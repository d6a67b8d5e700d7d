//! Who may log in, and what a new password must be.

use std::collections::BTreeMap;

use latchkey_kernel::Entropy;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A password as the store keeps it.
#[derive(Debug, Clone)]
struct Hashed {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl Hashed {
    fn of(password: &str, entropy: &dyn Entropy) -> Self {
        let salt = entropy.bytes();
        Self { salt, hash: Self::hash(&salt, password) }
    }

    fn hash(salt: &[u8; 16], password: &str) -> [u8; 32] {
        Sha256::new().chain_update(salt).chain_update(password).finalize().into()
    }

    fn is(&self, password: &str) -> bool {
        self.hash.ct_eq(&Self::hash(&self.salt, password)).into()
    }
}

#[derive(Debug)]
struct User {
    passwords: Vec<Hashed>,
    seed: Option<Vec<u8>>,
    last_code: Option<u64>,
    failures: u32,
}

/// What came of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    Well,
    CodeNeeded,
    Wrong,
    Locked,
}

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    Wrong,
    Short,
    Used,
    Unknown,
}

impl Denied {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Short => "weak",
            Self::Used => "used",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Wrong => "The current password is wrong.",
            Self::Short => "The new password is too short.",
            Self::Used => "The new password was used before.",
            Self::Unknown => "There is no such user.",
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Users {
    by_name: BTreeMap<String, User>,
    pub(crate) min_length: usize,
    pub(crate) tries: u32,
    pub(crate) period: u64,
}

impl Users {
    pub(crate) fn add(&mut self, name: &str, password: &str, seed: Option<Vec<u8>>, entropy: &dyn Entropy) {
        let passwords = vec![Hashed::of(password, entropy)];
        self.by_name.insert(name.to_owned(), User { passwords, seed, last_code: None, failures: 0 });
    }

    /// Whether the password is the right one, without a trace.
    pub(crate) fn is(&self, name: &str, password: &str) -> bool {
        self.by_name.get(name).and_then(|user| user.passwords.last()).is_some_and(|last| last.is(password))
    }

    pub(crate) fn login(&mut self, name: &str, password: &str) -> Login {
        let right = self.is(name, password);
        let tries = self.tries;
        let Some(user) = self.by_name.get_mut(name) else { return Login::Wrong };
        if user.failures >= tries {
            return Login::Locked;
        }
        if !right {
            user.failures += 1;
            return Login::Wrong;
        }
        user.failures = 0;
        if user.seed.is_some() { Login::CodeNeeded } else { Login::Well }
    }

    /// Takes each code once.
    pub(crate) fn code(&mut self, name: &str, code: &str, seconds: u64) -> bool {
        let period = self.period;
        let Some(user) = self.by_name.get_mut(name) else { return false };
        let Some(seed) = &user.seed else { return false };
        let now = seconds / period;
        let found = [now, now.saturating_sub(1)]
            .into_iter()
            .find(|step| crate::totp::code(seed, step * period, period) == code);
        match found {
            Some(step) if user.last_code.is_none_or(|last| step > last) => {
                user.last_code = Some(step);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn has_code(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|user| user.seed.is_some())
    }

    /// With the old password, or as an admin without.
    pub(crate) fn change(
        &mut self,
        name: &str,
        old: Option<&str>,
        new: &str,
        entropy: &dyn Entropy,
    ) -> Result<(), Denied> {
        if old.is_some_and(|old| !self.is(name, old)) {
            return Err(Denied::Wrong);
        }
        let short = new.chars().count() < self.min_length;
        let user = self.by_name.get_mut(name).ok_or(Denied::Unknown)?;
        if short {
            return Err(Denied::Short);
        }
        if user.passwords.iter().any(|earlier| earlier.is(new)) {
            return Err(Denied::Used);
        }
        user.passwords.push(Hashed::of(new, entropy));
        Ok(())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }
}
