//! Names into addresses that may be reached. The connection goes to the address that was checked,
//! so a name server that answers differently the second time gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Network;

/// A name or address that the connector may not reach, or that leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "{host} is {what} ({address}); list its network under `network.allow` if the connector is to reach it"
    )]
    Address { host: String, address: IpAddr, what: super::address::Kind },
    #[error("{host} has no address")]
    Nothing { host: String },
    #[error("the name {host} could not be resolved: {source}")]
    Lookup { host: String, source: std::io::Error },
}

/// Answers for each name with the allowed among its addresses.
#[derive(Debug, Clone)]
pub(crate) struct Guard(pub(crate) Arc<Network>);

impl Guard {
    /// The addresses of `host` that may be reached.
    pub(crate) async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => tokio::net::lookup_host((host, port))
                .await
                .map_err(|source| Refused::Lookup { host: host.to_owned(), source })?
                .collect(),
        };
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.0.refuses(address.ip()) {
                None => allowed.push(address),
                Some(what) => refused = Some((address.ip(), what)),
            }
        }
        match (allowed.is_empty(), refused) {
            (false, _) => Ok(allowed),
            (true, Some((address, what))) => Err(Refused::Address { host: host.to_owned(), address, what }),
            (true, None) => Err(Refused::Nothing { host: host.to_owned() }),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_and_one_that_is_allowed_gives_its_addresses() {
        let refusing = Guard(Arc::new(Network::default()));
        assert!(matches!(refusing.addresses("localhost", 1).await, Err(Refused::Address { .. })));
        assert!(matches!(refusing.addresses("[::1]", 1).await, Err(Refused::Address { .. })));
        let allow = vec!["127.0.0.0/8".parse().expect("a network")];
        let allowing = Guard(Arc::new(Network { allow, ..Network::default() }));
        let found = allowing.addresses("localhost", 7).await.expect("allowed");
        assert!(found.iter().all(|address| address.ip().is_ipv4() && address.port() == 7), "{found:?}");
    }
}
