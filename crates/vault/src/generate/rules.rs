//! What a password must be, and how long it is to be made.

use super::class::Class;
use super::count::Counted;
use super::grammar::{self, GrammarError};

/// Characters that people take for one another when they read or dictate.
const LOOK_ALIKES: &str = "0Oo1Il|`' ";
/// What shells, quoting and URLs give a meaning to.
const FRAGILE: &str = " !\"#$&'()*;<>?[\\]^`{|}~%";
/// What a spreadsheet takes for a formula, and a command for a flag.
const NEVER_FIRST: &str = "-=@+";

const USUAL_LENGTH: u32 = 24;
const LENGTH_CAP: u32 = 64;
const WANTED_BITS: f64 = 120.0;

/// For what kind of target a password is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Any printable ASCII that the rules allow.
    #[default]
    Printable,
    /// Nothing that a shell, a quoted text or a URL gives a meaning to.
    SafeAscii,
}

/// What a password must satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    least: Option<u32>,
    most: Option<u32>,
    in_a_row: Option<u32>,
    required: Vec<Class>,
    allowed: Class,
    profile: Profile,
}

/// No password satisfies all rules: these two contradict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{one}` and `{other}` contradict each other: change one of the two rules")]
pub struct Impossible {
    /// One rule.
    pub one: String,
    /// The other.
    pub other: String,
}

/// 24 characters of all four classes.
impl Default for Rules {
    fn default() -> Self {
        Self {
            least: None,
            most: None,
            in_a_row: None,
            required: vec![Class::LOWER, Class::UPPER, Class::DIGIT, Class::SPECIAL],
            allowed: Class::PRINTABLE,
            profile: Profile::default(),
        }
    }
}

impl Rules {
    /// The longest password that a rule may ask for.
    pub const LONGEST: u32 = 128;
    /// How many different `required` rules there may be.
    pub const MOST_REQUIRED: usize = 8;

    /// Reads rules in the `passwordrules` grammar.
    ///
    /// # Errors
    /// When the text is not of the grammar; the error quotes what is not understood.
    pub fn parse(text: &str) -> Result<Self, GrammarError> {
        let mut rules = Self::default();
        grammar::read(text, &mut rules)?;
        Ok(rules)
    }

    /// The same for another kind of target.
    #[must_use]
    pub fn for_profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    pub(super) fn set(
        &mut self,
        least: Option<u32>,
        most: Option<u32>,
        in_a_row: Option<u32>,
        required: Vec<Class>,
        allowed: Class,
    ) {
        *self = Self { least, most, in_a_row, required, allowed, profile: self.profile };
    }

    /// The characters that a password may hold.
    pub fn allowed(&self) -> Class {
        self.allowed
    }

    /// Whether a password satisfies the rules of the site. (Not whether it was generated: look-alikes
    /// and the profile are our own care.)
    pub fn allow(&self, password: &str) -> bool {
        let length = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
        let longest_run = password.as_bytes().chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0);
        self.least.is_none_or(|least| length >= least)
            && self.most.is_none_or(|most| length <= most)
            && self.in_a_row.is_none_or(|most| longest_run <= most as usize)
            && password.bytes().all(|c| self.allowed.has(c))
            && self.required.iter().all(|class| password.bytes().any(|c| class.has(c)))
    }

    /// Alphabet and length, with how many passwords there are. What people take for one another is
    /// left out, unless the password would be weak without.
    pub(super) fn plan(&self) -> Result<Plan, Impossible> {
        let (least, most) = (self.least.unwrap_or(1), self.most.unwrap_or(Self::LONGEST));
        if least > most {
            return Err(contradiction(&format!("minlength: {least}"), &format!("maxlength: {most}")));
        }
        let full = self.alphabet()?;
        let plain = self.readable(full);
        let plan = self.plan_with(plain, least, most);
        let plan = if plan.bits < WANTED_BITS { self.plan_with(full, least, most) } else { plan };
        if full.count() > 1 && plan.bits.is_finite() { Ok(plan) } else { Err(self.why_none(full, most)) }
    }

    /// The usual length, or as much longer as it takes and the rules allow.
    fn plan_with(&self, alphabet: Class, least: u32, most: u32) -> Plan {
        let shortest = USUAL_LENGTH.clamp(least, most);
        let longest = LENGTH_CAP.min(most).max(shortest);
        let counted = self.count(longest, alphabet, self.in_a_row, never_first());
        let bits = |length: u32| counted.bits(length as usize);
        let length = (shortest..longest).find(|length| bits(*length) >= WANTED_BITS).unwrap_or(longest);
        let bits = bits(length);
        Plan { counted, length: length as usize, bits }
    }

    fn count(&self, longest: u32, alphabet: Class, in_a_row: Option<u32>, never_first: Class) -> Counted {
        let required = self.required.iter().map(|class| class.and(alphabet)).collect::<Vec<_>>();
        Counted::new(longest, alphabet, &required, in_a_row.unwrap_or(longest), never_first)
    }

    /// What a password may hold for this kind of target.
    fn alphabet(&self) -> Result<Class, Impossible> {
        let (alphabet, profile) = match self.profile {
            Profile::Printable => return Ok(self.allowed),
            Profile::SafeAscii => (self.allowed.without(of(FRAGILE)), "profile: safe_ascii"),
        };
        if let Some(class) = self.required.iter().find(|class| class.and(alphabet).is_empty()) {
            return Err(contradiction(&format!("required: {class}"), profile));
        }
        if alphabet.is_empty() {
            return Err(contradiction(&format!("allowed: {}", self.allowed), profile));
        }
        Ok(alphabet)
    }

    /// The alphabet without look-alikes, but for classes that have nothing else.
    fn readable(&self, alphabet: Class) -> Class {
        let plain = alphabet.without(of(LOOK_ALIKES));
        let only = self.required.iter().map(|class| class.and(alphabet)).filter(|c| c.and(plain).is_empty());
        let plain = only.fold(plain, Class::or);
        if plain.is_empty() { alphabet } else { plain }
    }

    /// Which two rules leave no password: found by leaving out one after the other.
    fn why_none(&self, alphabet: Class, most: u32) -> Impossible {
        let allowed = format!("allowed: {alphabet}");
        if alphabet.count() < 2 {
            return contradiction(&allowed, "a password has at least two characters to choose from");
        }
        if !self.count(most, alphabet, None, Class::EMPTY).bits(most as usize).is_finite() {
            let required = self.required.iter().map(|class| format!("required: {class}"));
            return contradiction(&required.collect::<Vec<_>>().join("; "), &format!("maxlength: {most}"));
        }
        contradiction(&allowed, "a password never begins with -, =, @ or +")
    }
}

/// A length and an alphabet that were settled on.
pub(super) struct Plan {
    pub(super) counted: Counted,
    pub(super) length: usize,
    pub(super) bits: f64,
}

fn of(text: &str) -> Class {
    Class::of(text).expect("the lists here are printable ASCII")
}

fn never_first() -> Class {
    of(NEVER_FIRST)
}

fn contradiction(one: &str, other: &str) -> Impossible {
    Impossible { one: one.to_owned(), other: other.to_owned() }
}
