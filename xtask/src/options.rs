//! `--name VALUE` options, without a parser that takes longer to build than the tasks.

use std::str::FromStr;

use anyhow::{Context, Result, bail};

/// The arguments of a task: options with their values, and the rest.
#[derive(Debug, Default)]
pub(crate) struct Options {
    given: Vec<(String, String)>,
    /// What is no option, and everything after `--`.
    pub(crate) rest: Vec<String>,
}

impl Options {
    /// Reads `args`; each of `known` takes a value.
    pub(crate) fn parse(args: &[String], known: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                options.rest.extend(args.by_ref().cloned());
                break;
            }
            let Some(name) = arg.strip_prefix("--") else {
                options.rest.push(arg.clone());
                continue;
            };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            if !known.contains(&name) {
                bail!("there is no option --{name} here; --help lists them");
            }
            let value =
                value.or_else(|| args.next().cloned()).with_context(|| format!("--{name} needs a value"))?;
            options.given.push((name.to_owned(), value));
        }
        Ok(options)
    }

    /// The last value given for an option.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// All values given for an option.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.given.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The value of an option that is a number, or `default`.
    pub(crate) fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T> {
        let Some(value) = self.get(name) else { return Ok(default) };
        value.parse().ok().with_context(|| format!("--{name} {value}: that is not a number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options> {
        Options::parse(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>(), &["users", "db"])
    }

    #[test]
    fn options_may_stand_anywhere_before_a_double_dash() {
        let options = parse(&["a", "--users", "5", "b", "--db=x", "--", "--users"]).unwrap();
        assert_eq!(options.number("users", 1).unwrap(), 5);
        assert_eq!(options.get("db"), Some("x"));
        assert_eq!(options.rest, ["a", "b", "--users"]);
    }

    #[test]
    fn a_wrong_option_is_refused() {
        for args in [&["--user", "5"][..], &["--users"], &["--users", "many"]] {
            assert!(parse(args).and_then(|options| options.number("users", 1)).is_err(), "{args:?}");
        }
    }
}
