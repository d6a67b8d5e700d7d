//! How many passwords satisfy the rules, and one of them drawn, each as likely as any other.
//!
//! A password is a row of runs: one character, repeated up to `max-consecutive` times, then another.
//! Characters that belong to the same required classes are alike to the count, so it is over kinds
//! of characters, and small. Counts are floating-point numbers: exact to about 15 digits, and with
//! that the draw is uniform.

use latchkey_kernel::Entropy;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::class::Class;

/// Characters that are alike to the rules.
struct Kind {
    class: Class,
    /// The required classes that one of them satisfies, as bits.
    satisfies: usize,
    may_lead: bool,
}

/// The passwords of every length up to the longest, counted.
pub(super) struct Counted {
    kinds: Vec<Kind>,
    longest: usize,
    longest_run: usize,
    /// Bits of all required classes.
    all: usize,
    /// By rest of the length, classes satisfied so far, and kind of the last run: how many ways to go on.
    ways: Vec<f64>,
}

impl Counted {
    /// Counts what has one of each of `required`, runs of at most `longest_run`, and begins with
    /// none of `never_first`.
    pub(super) fn new(
        longest: u32,
        alphabet: Class,
        required: &[Class],
        longest_run: u32,
        never_first: Class,
    ) -> Self {
        let mut kinds: Vec<Kind> = Vec::new();
        for c in alphabet.chars() {
            let bits = required.iter().enumerate().filter(|(_, class)| class.has(c));
            let satisfies = bits.fold(0, |bits, (at, _)| bits | 1 << at);
            let may_lead = !never_first.has(c);
            match kinds.iter_mut().find(|k| k.satisfies == satisfies && k.may_lead == may_lead) {
                Some(kind) => kind.class = kind.class.with(c),
                None => kinds.push(Kind { class: Class::EMPTY.with(c), satisfies, may_lead }),
            }
        }
        let (longest, longest_run) = (longest as usize, longest_run as usize);
        let all = (1 << required.len()) - 1;
        let size = (longest + 1) * (all + 1) * kinds.len();
        let mut counted = Self { kinds, longest, longest_run, all, ways: vec![0.0; size] };
        counted.fill();
        counted
    }

    fn fill(&mut self) {
        for rest in 0..=self.longest {
            for done in 0..=self.all {
                // A run of each kind that could follow, counted once for all kinds before it.
                let runs: Vec<f64> =
                    (0..self.kinds.len()).map(|kind| self.after_run_of(rest, done, kind)).collect();
                for last in 0..self.kinds.len() {
                    let ways = if rest == 0 {
                        f64::from(u8::from(done == self.all))
                    } else {
                        (0..self.kinds.len()).map(|kind| self.choices(kind, Some(last)) * runs[kind]).sum()
                    };
                    let at = self.at(rest, done, last);
                    self.ways[at] = ways;
                }
            }
        }
    }

    /// Bits of a password of this length: the logarithm of how many there are. Not finite if none.
    pub(super) fn bits(&self, length: usize) -> f64 {
        let first = |kind: usize| {
            let lead = f64::from(u8::from(self.kinds[kind].may_lead));
            lead * self.choices(kind, None) * self.after_run_of(length, 0, kind)
        };
        (0..self.kinds.len()).map(first).sum::<f64>().log2()
    }

    /// Draws one. There must be some.
    pub(super) fn draw(&self, length: usize, entropy: &dyn Entropy) -> SecretString {
        let mut password = Zeroizing::new(String::with_capacity(length));
        let (mut rest, mut done, mut last) = (length, 0, None::<(usize, u8)>);
        while rest > 0 {
            let kind = pick(self.kinds.len(), entropy, |kind| {
                let lead = last.is_some() || self.kinds[kind].may_lead;
                let choices = self.choices(kind, last.map(|(kind, _)| kind));
                f64::from(u8::from(lead)) * choices * self.after_run_of(rest, done, kind)
            });
            let others =
                self.kinds[kind].class.chars().filter(|c| last.is_none_or(|(_, before)| before != *c));
            let others = Zeroizing::new(others.collect::<Vec<u8>>());
            let c = others[below(others.len(), entropy)];
            done |= self.kinds[kind].satisfies;
            let run = 1 + pick(self.longest_run.min(rest), entropy, |less| {
                self.ways[self.at(rest - less - 1, done, kind)]
            });
            password.extend(std::iter::repeat_n(char::from(c), run));
            rest -= run;
            last = Some((kind, c));
        }
        SecretString::from(std::mem::take(&mut *password))
    }

    /// How many characters of a kind can begin a run after one of `last`.
    fn choices(&self, kind: usize, last: Option<usize>) -> f64 {
        f64::from(self.kinds[kind].class.count() - u32::from(last == Some(kind)))
    }

    /// In how many ways a password goes on with a run of one character of this kind.
    fn after_run_of(&self, rest: usize, done: usize, kind: usize) -> f64 {
        let done = done | self.kinds[kind].satisfies;
        (1..=self.longest_run.min(rest)).map(|run| self.ways[self.at(rest - run, done, kind)]).sum()
    }

    fn at(&self, rest: usize, done: usize, kind: usize) -> usize {
        (rest * (self.all + 1) + done) * self.kinds.len() + kind
    }
}

/// An index, each with the likelihood of its weight.
fn pick(count: usize, entropy: &dyn Entropy, weight: impl Fn(usize) -> f64) -> usize {
    let weights = Zeroizing::new((0..count).map(weight).collect::<Vec<f64>>());
    // The 53 highest bits are all that a number from 0 to 1 can hold.
    let random = (u64::from_le_bytes(entropy.bytes()) >> 11) as f64 / (1_u64 << 53) as f64;
    let mut left = random * weights.iter().sum::<f64>();
    for (at, weight) in weights.iter().enumerate() {
        if left < *weight {
            return at;
        }
        left -= weight;
    }
    // Rounding can leave a crumb: the last that is possible at all takes it.
    weights.iter().rposition(|weight| *weight > 0.0).expect("what is drawn from is not empty")
}

/// A number below `count`, each as likely: bytes that would favour the small ones are drawn again.
fn below(count: usize, entropy: &dyn Entropy) -> usize {
    let fair = 256 - 256 % count;
    loop {
        let byte = usize::from(entropy.bytes::<1>()[0]);
        if byte < fair {
            return byte % count;
        }
    }
}
