//! What kind of place an address is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not a public one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Metadata,
    Loopback,
    LinkLocal,
    Private,
    Reserved,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "the metadata address of a cloud",
            Self::Loopback => "an address of this machine",
            Self::LinkLocal => "a link-local address",
            Self::Private => "an address of a private network",
            Self::Reserved => "a reserved address",
        })
    }
}

/// The IPv4 address that an IPv6 address stands for, so that no spelling leads around the rules.
pub(super) fn innermost(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) => v4(g, h),
        // Deprecated, but `::1` and `::` are their own kinds.
        (0, 0, 0, 0, 0, 0) if g != 0 => v4(g, h),
        (0x64, 0xff9b, 0, 0, 0, 0) => v4(g, h),
        (0x2002, ..) => v4(b, c),
        _ => ip,
    }
}

/// None for a public address. Takes what [`innermost`] gave.
pub(super) fn kind(ip: IpAddr) -> Option<Kind> {
    match ip {
        IpAddr::V4(ip) => kind_v4(ip),
        IpAddr::V6(ip) => kind_v6(ip),
    }
}

fn kind_v4(ip: Ipv4Addr) -> Option<Kind> {
    let [a, b, c, _] = ip.octets();
    let metadata = [[169, 254, 169, 254], [169, 254, 170, 2], [100, 100, 100, 200], [168, 63, 129, 16]];
    if metadata.contains(&ip.octets()) {
        Some(Kind::Metadata)
    } else if ip.is_loopback() {
        Some(Kind::Loopback)
    } else if ip.is_link_local() {
        Some(Kind::LinkLocal)
    } else if ip.is_private() || (a == 100 && b & 0xc0 == 64) {
        Some(Kind::Private)
    } else if a == 0
        || a >= 224
        || ip.is_documentation()
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && b & 0xfe == 18)
    {
        Some(Kind::Reserved)
    } else {
        None
    }
}

fn kind_v6(ip: Ipv6Addr) -> Option<Kind> {
    let [a, b, ..] = ip.segments();
    if ip == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254) {
        Some(Kind::Metadata)
    } else if ip.is_loopback() {
        Some(Kind::Loopback)
    } else if ip.is_unicast_link_local() {
        Some(Kind::LinkLocal)
    } else if ip.is_unique_local() || a & 0xffc0 == 0xfec0 {
        Some(Kind::Private)
    } else if a & 0xe000 != 0x2000 || (a == 0x2001 && (b < 0x200 || b == 0xdb8)) {
        // Only 2000::/3 is given out; in it, protocol assignments (Teredo among them) and documentation.
        Some(Kind::Reserved)
    } else {
        None
    }
}
