//! The hosts that a recipe may speak to.

use std::fmt;

use reqwest::Url;

/// A host as a recipe lists it: a name or an address, and a port if it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is no host; write a name as app.example.com, or with a port as app.example.com:8443"
            )
        };
        if text.contains(['/', '@', '?', '#', '*', '\\']) || text.chars().any(char::is_whitespace) {
            return Err(wrong());
        }
        // The URL parser brings names into the one spelling that it will compare later.
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| wrong())?;
        let name = url.host_str().ok_or_else(wrong)?.to_owned();
        let written_443 = text.ends_with(":443");
        Ok(Self { name, port: url.port().or(written_443.then_some(443)) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn is_loopback(&self) -> bool {
        let bare = self.name.trim_start_matches('[').trim_end_matches(']');
        self.name == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The origins that the hosts of a recipe stand for: https, and http where the target is this
/// machine and the configuration says so.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    hosts: Vec<Host>,
    plain_on_loopback: bool,
}

impl Origins {
    pub(crate) fn new(hosts: Vec<Host>, plain_on_loopback: bool) -> Self {
        Self { hosts, plain_on_loopback }
    }

    pub(crate) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// `https://app.example.com`, without a path.
    pub(crate) fn base(&self, host: &Host) -> String {
        let scheme = if self.plain_on_loopback && host.is_loopback() { "http" } else { "https" };
        format!("{scheme}://{host}")
    }

    /// Whether a request may go to this URL, whoever asked for it.
    pub(crate) fn allow(&self, url: &Url) -> Result<(), String> {
        let Some(name) = url.host_str() else { return Err("an address without a host".to_owned()) };
        let listed = |host: &&Host| {
            host.name == name && Url::parse(&self.base(host)).is_ok_and(|base| base.origin() == url.origin())
        };
        if self.hosts.iter().any(|host| listed(&host)) {
            Ok(())
        } else if self.hosts.iter().any(|host| host.name == name) {
            Err(format!("{name} by another scheme or port than the recipe lists ({})", url.scheme()))
        } else {
            Err(format!("{name}, which is not among the recipe's hosts"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(hosts: &[&str], plain: bool) -> Origins {
        Origins::new(hosts.iter().map(|host| Host::parse(host).expect("a host")).collect(), plain)
    }

    #[test]
    fn only_the_listed_origin_is_allowed() {
        let cases = [
            ("https://app.example.com/x", true),
            ("https://APP.example.com:443/x", true),
            ("http://app.example.com/x", false),
            ("https://app.example.com:8443/", false),
            ("https://app.example.com.evil.test/", false),
            ("https://app.example.com@evil.test/", false),
            ("https://sub.app.example.com/", false),
            ("https://other.example.com:8443/", true),
            ("http://127.0.0.1:9000/", true),
            ("http://127.0.0.1:9001/", false),
            ("https://127.0.0.1:9000/", false),
            ("file:///etc/passwd", false),
            ("ftp://app.example.com/", false),
        ];
        let origins = origins(&["app.example.com", "other.example.com:8443", "127.0.0.1:9000"], true);
        for (url, allowed) in cases {
            assert_eq!(origins.allow(&Url::parse(url).expect("a URL")).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn without_leave_this_machine_too_is_spoken_to_over_https() {
        let origins = origins(&["127.0.0.1:9000", "localhost"], false);
        assert!(origins.allow(&Url::parse("http://127.0.0.1:9000/").expect("a URL")).is_err());
        assert_eq!(origins.base(&origins.hosts()[1]), "https://localhost");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "https://a.test", "a.test/x", "u@a.test", "*.a.test", "a b", "a.test:99999"] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
    }
}
