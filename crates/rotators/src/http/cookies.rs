//! Cookies of one run. Each goes back to the very host that set it and to no other, whatever
//! domain it names: a recipe's hosts are few, and none need know another's session.

use std::collections::BTreeMap;

use reqwest::Url;
use reqwest::header::{HeaderMap, SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

#[derive(Debug, Default)]
pub(crate) struct Cookies(BTreeMap<(String, String), SecretString>);

impl Cookies {
    /// Keeps what an answer sets; gives back what it set.
    pub(crate) fn take(&mut self, url: &Url, headers: &HeaderMap) -> BTreeMap<String, SecretString> {
        let mut set = BTreeMap::new();
        let host = url.host_str().unwrap_or_default();
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let mut parts = line.split(';');
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let key = (host.to_owned(), name.trim().to_owned());
            let over = parts.any(|part| {
                part.trim().split_once('=').is_some_and(|(name, seconds)| {
                    name.eq_ignore_ascii_case("max-age") && seconds.parse::<i64>().is_ok_and(|s| s <= 0)
                })
            });
            if over || value.trim().is_empty() {
                self.0.remove(&key);
            } else {
                set.insert(key.1.clone(), SecretString::from(value.trim()));
                self.0.insert(key, value.trim().into());
            }
        }
        set
    }

    /// The `Cookie` header for a request there, if there is one.
    pub(crate) fn header(&self, url: &Url) -> Option<Zeroizing<String>> {
        let host = url.host_str().unwrap_or_default();
        let mine: Vec<Zeroizing<String>> = self
            .0
            .iter()
            .filter(|((of, _), _)| of == host)
            .map(|((_, name), value)| Zeroizing::new(format!("{name}={}", value.expose_secret())))
            .collect();
        let texts: Vec<&str> = mine.iter().map(|pair| pair.as_str()).collect();
        (!texts.is_empty()).then(|| Zeroizing::new(texts.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_back_to_its_host_alone_until_it_is_taken_back() {
        let here = Url::parse("https://a.test/login").expect("a URL");
        let there = Url::parse("https://sub.a.test/").expect("a URL");
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, "sid=abc; Path=/; Domain=a.test; HttpOnly".parse().expect("a value"));
        headers.append(SET_COOKIE, "lang=en; Max-Age=3600".parse().expect("a value"));
        let mut cookies = Cookies::default();
        assert_eq!(cookies.take(&here, &headers).len(), 2);
        assert_eq!(cookies.header(&here).expect("a header").as_str(), "lang=en; sid=abc");
        assert_eq!(cookies.header(&there), None);
        headers.clear();
        headers.append(SET_COOKIE, "sid=gone; Max-Age=0".parse().expect("a value"));
        cookies.take(&here, &headers);
        assert_eq!(cookies.header(&here).expect("a header").as_str(), "lang=en");
    }
}
