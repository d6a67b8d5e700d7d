//! Where a transit service and its key are.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

const USUAL_MOUNT: &str = "/v1/transit";

/// As `https://vault.example.com:8200#latchkey`; a path names the engine where it is not at
/// `/v1/transit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitAddress {
    engine: Url,
    key: String,
}

impl TransitAddress {
    /// Names key and engine, not the host: a service may move.
    pub(super) fn kek_id(&self) -> String {
        format!("transit-{}/{}", self.engine.path().trim_start_matches("/v1/"), self.key)
    }

    pub(super) fn url(&self, act: &str) -> Url {
        let mut url = self.engine.clone();
        url.set_path(&format!("{}/{act}/{}", self.engine.path(), self.key));
        url
    }
}

impl FromStr for TransitAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write `transit:https://HOST:PORT#KEY`, with the name of the key after `#`";
        let mut engine = Url::parse(text).map_err(|_| FORM)?;
        let key = engine.fragment().unwrap_or_default().to_owned();
        engine.set_fragment(None);
        if !engine.username().is_empty() || engine.password().is_some() {
            return Err("the address must hold no user or password; the token is given apart");
        }
        if engine.query().is_some() || !is_name(&key) {
            return Err(FORM);
        }
        match engine.scheme() {
            "https" => {}
            "http" if is_loopback(&engine) => {}
            "http" => {
                return Err(
                    "plain http is for loopback alone, for keys would cross the network in clear: use https",
                );
            }
            _ => return Err(FORM),
        }
        let mount = engine.path().trim_end_matches('/').to_owned();
        engine.set_path(if mount.is_empty() { USUAL_MOUNT } else { &mount });
        Ok(Self { engine, key })
    }
}

impl fmt::Display for TransitAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.engine, self.key)
    }
}

fn is_name(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-".contains(&c))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
