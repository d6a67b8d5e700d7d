//! `RandomString`.

use crate::error::EvalError;
use crate::evaluate::Call;
use crate::signature::{Function, Kind, Param, fails, matches};
use crate::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "RandomString",
    aliases: &[],
    help: "A random text of a length, with at least so many digits, special characters, upper-case and lower-case letters, and without those to be avoided. Map it only on creation.",
    params: &[
        Param::new("length", Kind::Number),
        Param::new("minDigits", Kind::Number),
        Param::new("minSpecial", Kind::Number),
        Param::new("minUpper", Kind::Number),
        Param::new("minLower", Kind::Number),
        Param::new("avoid", Kind::Text).optional(),
    ],
    repeats: 0,
    examples: &[
        matches(r#"RandomString(8, 2, 1, 2, 2, "O0l1")"#, "^[^O0l1]{8}$"),
        matches("RandomString(3, 3, 0, 0, 0, )", "^[0-9]{3}$"),
        matches("RandomString(4, 0, 0, 4, 0)", "^[A-Z]{4}$"),
        matches("RandomString(5, 0, 0, 0, 5)", "^[a-z]{5}$"),
        fails("RandomString(2, 3, 0, 0, 0)", "at least 3"),
        fails("RandomString(300, 0, 0, 0, 0)", "at most 256"),
        fails(r#"RandomString(1, 1, 0, 0, 0, "0123456789")"#, "nothing is left of the digits"),
    ],
    root_only: false,
    eval,
};

fn eval<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let mut wanted = [0_usize; 5];
    for (at, wish) in wanted.iter_mut().enumerate() {
        let number = call.need_number(at)?;
        *wish = usize::try_from(number).ok().filter(|n| *n <= LONGEST).ok_or_else(|| {
            call.fail(format_args!("{number} is given where 0 to at most {LONGEST} is allowed"))
        })?;
    }
    let [length, minima @ ..] = wanted;
    let needed: usize = minima.iter().sum();
    if length < needed {
        return Err(
            call.fail(format_args!("the length is {length}, but the minima ask for at least {needed}"))
        );
    }
    let avoid = call.text(5)?.unwrap_or_default();
    let allowed = |set: &str| -> Vec<char> { set.chars().filter(|c| !avoid.contains(*c)).collect() };
    let mut draw = Draw { entropy: call.surroundings().entropy };
    let mut chars = Vec::with_capacity(length);
    for ((name, set), count) in SETS.iter().zip(minima) {
        let set = allowed(set);
        if count > 0 && set.is_empty() {
            return Err(
                call.fail(format_args!("nothing is left of the {name} when those to avoid are taken away"))
            );
        }
        for _ in 0..count {
            chars.push(set[draw.below(set.len())]);
        }
    }
    let all: Vec<char> = SETS.iter().flat_map(|(_, set)| allowed(set)).collect();
    if all.is_empty() && chars.len() < length {
        return Err(call.fail("nothing is left when those to avoid are taken away"));
    }
    while chars.len() < length {
        chars.push(all[draw.below(all.len())]);
    }
    for at in (1..chars.len()).rev() {
        chars.swap(at, draw.below(at + 1));
    }
    Ok(Value::owned(chars.into_iter().collect()))
}

const LONGEST: usize = 256;

const SETS: [(&str, &str); 4] = [
    ("digits", "0123456789"),
    ("special characters", "!#$%&()*+,-./:;<=>?@[]^_{|}~"),
    ("upper-case letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("lower-case letters", "abcdefghijklmnopqrstuvwxyz"),
];

struct Draw<'a> {
    entropy: &'a dyn latchkey_kernel::Entropy,
}

impl Draw<'_> {
    /// A number below `end`, each as likely as the others: what would favour some is drawn again.
    fn below(&mut self, end: usize) -> usize {
        let end = end.max(1) as u64;
        let fair = u64::MAX - u64::MAX % end;
        loop {
            let drawn = u64::from_le_bytes(self.entropy.bytes());
            if drawn < fair {
                return usize::try_from(drawn % end).unwrap_or(0);
            }
        }
    }
}
