//! Generated passwords, by the rules that a site asks for.
//!
//! Every password that the rules allow is as likely as any other, so the bits of entropy that are
//! told are those of the choice that was made: the binary logarithm of how many there are.

mod class;
mod count;
mod grammar;
mod rules;

use latchkey_kernel::Entropy;
use secrecy::SecretString;

pub use class::Class;
pub use grammar::GrammarError;
pub use rules::{Impossible, Profile, Rules};

/// A generated password.
#[derive(Debug)]
pub struct Generated {
    /// The password.
    pub password: SecretString,
    /// Bits of entropy: the logarithm of how many passwords it was chosen from.
    pub bits: f64,
}

/// Generates a password by these rules.
///
/// # Errors
/// When no password can satisfy them all; the error says which two contradict.
pub fn generate(rules: &Rules, entropy: &dyn Entropy) -> Result<Generated, Impossible> {
    let plan = rules.plan()?;
    Ok(Generated { password: plan.counted.draw(plan.length, entropy), bits: plan.bits })
}

#[cfg(test)]
mod tests;
