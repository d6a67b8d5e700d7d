//! The request's target: path and query, with what clients stick to the base URL set right.

use latchkey_scim::Error;

use crate::route::BASE;

/// A path below [`BASE`] and a query, both still percent-encoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'u> {
    /// Below the base, as `/Users/x`; empty is the base itself.
    pub(crate) path: &'u str,
    /// Without the question mark.
    pub(crate) query: &'u str,
}

impl<'u> Target<'u> {
    /// Takes a target apart; nothing when it is not below the base.
    ///
    /// Entra is switched to RFC-true PATCH by a flag at the end of the tenant URL
    /// (`…/v1/scim/v2?aadOptscim062020`). Clients then send the flag in the query, before the
    /// path (`…/v2?aadOptscim062020/Users?filter=…`) or as a segment of it; it means nothing here
    /// (`scim-client-quirks.md` row 38).
    pub(crate) fn parse(path: &'u str, query: Option<&'u str>) -> Option<Self> {
        let path = path.strip_prefix(BASE).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let query = query.unwrap_or_default();
        let is_flag = |text: &str| {
            text.len() > 3 && text[..3].eq_ignore_ascii_case("aad") && !text.contains(['=', '&'])
        };
        if let Some((flag, rest)) = path[usize::from(path.starts_with('/'))..].split_once('/')
            && flag.is_ascii()
            && is_flag(flag)
        {
            return Some(Self { path: &path[path.len() - rest.len() - 1..], query });
        }
        if (path.is_empty() || path == "/")
            && query.is_ascii()
            && let Some((flag, rest)) = query.split_once('/')
            && is_flag(flag)
        {
            let rest = &query[query.len() - rest.len() - 1..];
            let (path, query) = rest.split_once(['?', '&']).unwrap_or((rest, ""));
            return Some(Self { path, query });
        }
        Some(Self { path, query })
    }

    /// The query's names and values, decoded.
    ///
    /// # Errors
    /// 400 when an escape is broken or what it stands for is not UTF-8.
    pub(crate) fn pairs(&self) -> Result<Vec<(String, String)>, Error> {
        self.query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name, true)?, decode(value, true)?))
            })
            .collect()
    }
}

/// Decodes percent-escapes, and `+` as a space where `form` says so.
///
/// # Errors
/// 400 when an escape is broken or what it stands for is not UTF-8.
pub(crate) fn decode(text: &str, form: bool) -> Result<String, Error> {
    if !text.contains(['%', '+']) {
        return Ok(text.to_owned());
    }
    let refused =
        || Error::invalid_value("the URL has a broken percent-escape, or one that stands for no UTF-8 text");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                let (high, low) = digit().zip(digit()).ok_or_else(refused)?;
                bytes.push(u8::try_from(high * 16 + low).map_err(|_| refused())?);
            }
            b'+' if form => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_stuck_to_the_base_url_means_nothing_wherever_it_lands() {
        for (path, query) in [
            ("/v1/scim/v2/Users", "aadOptscim062020&filter=x"),
            ("/v1/scim/v2", "aadOptscim062020/Users?filter=x"),
            ("/v1/scim/v2/", "aadOptscim062020/Users&filter=x"),
            ("/v1/scim/v2/aadOptscim062020/Users", "filter=x"),
        ] {
            let target = Target::parse(path, Some(query)).unwrap();
            assert_eq!(target.path, "/Users", "{path}?{query}");
            assert!(
                target.pairs().unwrap().contains(&("filter".to_owned(), "x".to_owned())),
                "{path}?{query}"
            );
        }
        let target = Target::parse("/v1/scim/v2", Some("aadOptscim062020/Users/some-id")).unwrap();
        assert_eq!(target, Target { path: "/Users/some-id", query: "" });
    }

    #[test]
    fn a_filter_with_a_slash_at_the_root_stays_a_filter() {
        let target = Target::parse("/v1/scim/v2", Some("filter=a/b")).unwrap();
        assert_eq!(target, Target { path: "", query: "filter=a/b" });
        assert_eq!(Target::parse("/v1/scim/v22/Users", None), None);
        assert_eq!(Target::parse("/v1/api", None), None);
    }

    #[test]
    fn escapes_are_decoded_once_and_broken_ones_refused() {
        assert_eq!(decode("a+b%20c%2Bd", true).unwrap(), "a b c+d");
        assert_eq!(decode("urn%3Aietf+x", false).unwrap(), "urn:ietf+x");
        for broken in ["%", "%2", "%zz", "%ff", "a%c3"] {
            assert_eq!(decode(broken, true).unwrap_err().status, 400, "{broken}");
        }
    }
}
