//! Which addresses the connectors for the web may reach, whatever a recipe, a redirect or a name
//! server says.

mod address;
mod resolve;
mod tls;

use ipnet::IpNet;
use serde::Deserialize;
use std::net::IpAddr;

pub(crate) use resolve::{Guard, Refused};
pub(crate) use tls::tls;

/// What a connector may reach beyond public addresses. Empty allows the public internet over https.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Networks that are not public and may be reached all the same, as `10.20.0.0/16`. The
    /// metadata address of a cloud is reached only if it is listed alone, as `169.254.169.254/32`.
    pub allow: Vec<IpNet>,
    /// Whether a target on this machine may be spoken to without TLS.
    pub plain_http_on_loopback: bool,
    /// Certificates that are trusted beside the system's, as PEM.
    pub ca_certificates: Option<String>,
}

impl Network {
    /// Why this address may not be reached, if it may not.
    pub(crate) fn refuses(&self, ip: IpAddr) -> Option<address::Kind> {
        let ip = address::innermost(ip);
        let kind = address::kind(ip)?;
        let listed = self.allow.iter().any(|net| {
            let alone = net.prefix_len() == net.max_prefix_len();
            net.contains(&ip) && (kind != address::Kind::Metadata || alone)
        });
        (!listed).then_some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowing(nets: &[&str]) -> Network {
        let allow = nets.iter().map(|net| net.parse().expect("a network")).collect();
        Network { allow, ..Network::default() }
    }

    #[test]
    fn only_public_addresses_are_reached_unless_listed() {
        let cases: &[(&str, &[&str], bool)] = &[
            ("93.184.216.34", &[], true),
            ("2606:4700::1111", &[], true),
            ("127.0.0.1", &[], false),
            ("127.8.8.8", &["127.0.0.0/8"], true),
            ("::1", &["127.0.0.0/8"], false),
            ("::ffff:127.0.0.1", &[], false),
            ("::ffff:127.0.0.1", &["127.0.0.0/8"], true),
            ("::127.0.0.1", &[], false),
            ("64:ff9b::a00:1", &[], false),
            ("2002:a00:1::", &[], false),
            ("10.1.2.3", &[], false),
            ("10.1.2.3", &["10.1.0.0/16"], true),
            ("10.2.2.3", &["10.1.0.0/16"], false),
            ("172.16.0.1", &[], false),
            ("172.32.0.1", &[], true),
            ("192.168.1.1", &[], false),
            ("100.64.0.1", &[], false),
            ("0.0.0.0", &[], false),
            ("::", &[], false),
            ("255.255.255.255", &[], false),
            ("224.0.0.1", &[], false),
            ("ff02::1", &[], false),
            ("fe80::1", &[], false),
            ("fc00::1", &[], false),
            ("198.18.0.1", &[], false),
            ("192.0.2.1", &[], false),
            ("240.0.0.1", &[], false),
            ("169.254.169.254", &[], false),
            ("169.254.169.254", &["169.254.0.0/16"], false),
            ("169.254.169.254", &["0.0.0.0/0"], false),
            ("169.254.169.254", &["169.254.169.254/32"], true),
            ("::ffff:169.254.169.254", &["169.254.0.0/16"], false),
            ("fd00:ec2::254", &["fc00::/7"], false),
            ("100.100.100.200", &["100.64.0.0/10"], false),
        ];
        for (ip, allow, reached) in cases {
            let network = allowing(allow);
            let ip: IpAddr = ip.parse().expect("an address");
            assert_eq!(network.refuses(ip).is_none(), *reached, "{ip} with {allow:?}");
        }
    }
}
