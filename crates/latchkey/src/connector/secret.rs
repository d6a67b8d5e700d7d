//! Secrets for one command: from files, standard input or the environment.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, bail};
use secrecy::SecretString;
use zeroize::Zeroizing;

/// Longer is no secret, but the wrong file.
const LONGEST: u64 = 64 * 1024;

/// Where a secret is to come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    what: &'static str,
    file: Option<&'a Path>,
    variable: Option<&'a str>,
}

impl<'a> Source<'a> {
    pub(crate) const fn new(what: &'static str, file: Option<&'a Path>, variable: Option<&'a str>) -> Self {
        Self { what, file, variable }
    }

    /// Whether it comes from standard input, of which there is only one.
    pub(crate) fn is_stdin(&self) -> bool {
        self.file == Some(Path::new("-"))
    }

    /// The secret, if a place for it was named.
    pub(crate) fn read(&self) -> anyhow::Result<Option<SecretString>> {
        let what = self.what;
        let text = match (self.file, self.variable) {
            (None, None) => return Ok(None),
            (Some(_), _) if self.is_stdin() => read_all(std::io::stdin().lock(), what)?,
            (Some(path), _) => {
                let file = std::fs::File::open(path)
                    .with_context(|| format!("cannot read the {what} from {}", path.display()))?;
                read_all(file, what)?
            }
            (None, Some(name)) => {
                let value = std::env::var_os(name)
                    .with_context(|| format!("the {what} is to come from {name}, which is not set"))?;
                Zeroizing::new(
                    value.into_string().map_err(|_| anyhow::anyhow!("the {what} in {name} is no UTF-8"))?,
                )
            }
        };
        if text.is_empty() {
            bail!("the {what} is empty");
        }
        Ok(Some(SecretString::from(text.as_str())))
    }

    /// The secret.
    pub(crate) fn required(&self) -> anyhow::Result<SecretString> {
        self.read()?.with_context(|| format!("the {} is missing", self.what))
    }
}

/// A whole text without its last line break, which editors and `echo` add.
fn read_all(from: impl std::io::Read, what: &str) -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    from.take(LONGEST + 1).read_to_string(&mut text).with_context(|| format!("cannot read the {what}"))?;
    if text.len() as u64 > LONGEST {
        bail!("the {what} is longer than {LONGEST} bytes; is it the right file?");
    }
    let length =
        text.strip_suffix('\n').map_or(text.len(), |rest| rest.strip_suffix('\r').unwrap_or(rest).len());
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_the_secret() {
        for (text, expected) in [("a b ", "a b "), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("\n", "")]
        {
            assert_eq!(*read_all(text.as_bytes(), "x").unwrap(), expected, "{text:?}");
        }
        assert!(read_all(vec![b'a'; 70_000].as_slice(), "x").is_err());
    }
}
