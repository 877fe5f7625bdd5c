//! The guard against server-side request forgery (SSRF): the addresses that may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use self::AddressClass::{Forbidden, Private, Public};

/// The addresses that may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Whether loopback and private networks may be called, there also over plain HTTP. Link-local
    /// addresses never may.
    pub allow_private: bool,
}

/// The kind of network that an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressClass {
    /// The public Internet.
    Public,
    /// This machine, or a private network.
    Private,
    /// Never called, whatever the policy: metadata services of clouds, multicast, unassigned and
    /// special-purpose networks.
    Forbidden,
}

impl AddressPolicy {
    /// Whether this address may be called. Plain HTTP is limited to private addresses.
    pub(in crate::outbound) fn permits(self, address: IpAddr, plain: bool) -> bool {
        match classify(address) {
            Public => !plain,
            Private => self.allow_private,
            Forbidden => false,
        }
    }
}

/// Metadata services of the large clouds at an IPv4 address; a request to one returns the
/// credentials of the machine. In order: Amazon, Google, Azure, Oracle and most others; Alibaba;
/// Azure's wire server.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// The special-purpose networks of RFC 6890; every other address is public.
const NETWORKS_V4: [(Ipv4Net, AddressClass); 11] = [
    (v4([0, 0, 0, 0], 8), Forbidden), // This network.
    (v4([10, 0, 0, 0], 8), Private),
    (v4([100, 64, 0, 0], 10), Private),    // Shared by carriers.
    (v4([127, 0, 0, 0], 8), Private),      // Loopback.
    (v4([169, 254, 0, 0], 16), Forbidden), // Link-local, with the metadata of most clouds.
    (v4([172, 16, 0, 0], 12), Private),
    (v4([192, 0, 0, 0], 24), Forbidden), // IETF protocol assignments.
    (v4([192, 168, 0, 0], 16), Private),
    (v4([198, 18, 0, 0], 15), Private), // Benchmarking.
    (v4([224, 0, 0, 0], 4), Forbidden), // Multicast.
    (v4([240, 0, 0, 0], 4), Forbidden), // Reserved, and broadcast.
];

/// Metadata services of Amazon, Google and Oracle, inside private IPv6 networks.
const METADATA_V6: [Ipv6Net; 3] =
    [v6([0xfd00, 0x0ec2, 0], 32), v6([0xfd20, 0x00ce, 0], 32), v6([0xfd00, 0x00c1, 0], 32)];

/// Networks whose addresses contain an IPv4 address in their last four bytes: IPv4-compatible,
/// IPv4-mapped, and the well-known prefix of NAT64 (RFC 6052).
const EMBEDDING_V4: [Ipv6Net; 3] = [
    v6([0, 0, 0], 96),
    Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    v6([0x64, 0xff9b, 0], 96),
];

/// 6to4 (RFC 3056): bytes 2 to 5 are an IPv4 address.
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0], 16);

/// The other special-purpose networks; the first match counts, and an address without one is
/// link-local, multicast or unassigned.
const NETWORKS_V6: [(Ipv6Net, AddressClass); 5] = [
    (v6([0x64, 0xff9b, 1], 48), Forbidden), // Local NAT64 (RFC 8215).
    (v6([0x2001, 0, 0], 32), Forbidden),    // Teredo.
    (v6([0x2000, 0, 0], 3), Public),
    (v6([0xfc00, 0, 0], 7), Private),  // Unique local.
    (v6([0xfec0, 0, 0], 10), Private), // Site-local, which unique local replaced.
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c]: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    if METADATA_V4.contains(&address) {
        return Forbidden;
    }
    let found = NETWORKS_V4.iter().find(|(network, _)| network.contains(&address));
    found.map_or(Public, |(_, class)| *class)
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    let is_metadata = METADATA_V6.iter().any(|network| network.contains(&address));
    if is_metadata || embeds_metadata(address) {
        return Forbidden;
    }
    if address.is_loopback() {
        return Private;
    }
    let octets = address.octets();
    let embedded = |at: usize| {
        classify_v4(Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]))
    };
    if EMBEDDING_V4.iter().any(|network| network.contains(&address)) {
        return embedded(12);
    }
    if SIX_TO_FOUR.contains(&address) {
        return embedded(2);
    }
    let found = NETWORKS_V6.iter().find(|(network, _)| network.contains(&address));
    found.map_or(Forbidden, |(_, class)| *class)
}

/// Whether a NAT64 translator could turn this address into the IPv4 address of a metadata service.
/// A translator may use any prefix of its network, so every position is checked at which RFC 6052
/// embeds the IPv4 address; ISATAP uses the last one too.
fn embeds_metadata(address: Ipv6Addr) -> bool {
    const POSITIONS: [[usize; 4]; 6] = [
        [4, 5, 6, 7],
        [5, 6, 7, 9],
        [6, 7, 9, 10],
        [7, 9, 10, 11],
        [9, 10, 11, 12],
        [12, 13, 14, 15],
    ];
    let octets = address.octets();
    POSITIONS
        .iter()
        .any(|position| METADATA_V4.contains(&Ipv4Addr::from(position.map(|at| octets[at]))))
}

#[cfg(test)]
mod tests;
