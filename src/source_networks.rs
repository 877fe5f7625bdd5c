//! The networks that an address belongs to, by which requests are bounded before anybody has signed
//! in.
//!
//! A bound for each address bounds nobody who has many: a customer of an IPv6 provider has a /64
//! and often a /56 or a /48, a provider a /32. So each wider network has a bound of its own, a
//! multiple of that of the narrowest: one network cannot use up what all share, and neighbours in
//! it are not shut out by one of them alone.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Prefix lengths in IPv6, and how many times the bound of the narrowest network a network has.
const IPV6: &[(u32, u32)] = &[(64, 1), (56, 2), (48, 8), (32, 64)];

/// The same for IPv4: /32, /24 and /16, as IPv6 embeds them.
const IPV4: &[(u32, u32)] = &[(128, 1), (120, 8), (112, 64)];

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceNetwork {
    /// The first address. IPv4 is embedded in IPv6 (RFC 4291, section 2.5.5.2).
    first: u128,
    /// The length of the prefix in IPv6.
    length: u32,
    weight: u32,
}

impl SourceNetwork {
    /// The networks of an address, the narrowest first.
    pub fn around(address: IpAddr) -> Vec<Self> {
        let (lengths, bits) = match address.to_canonical() {
            IpAddr::V4(address) => (IPV4, address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => (IPV6, address.to_bits()),
        };
        let network = |&(length, weight): &(u32, u32)| {
            let host = u128::MAX.checked_shr(length).unwrap_or(0);
            Self { first: bits & !host, length, weight }
        };
        lengths.iter().map(network).collect()
    }

    /// The narrowest network of an address: the IPv4 address, or the /64 of an IPv6 host, which
    /// chooses its addresses within it.
    pub fn of(address: IpAddr) -> Self {
        Self::around(address)[0]
    }

    /// How many times the bound of a narrowest network this one has.
    pub fn weight(self) -> u32 {
        self.weight
    }

    /// The first address.
    pub fn address(self) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(self.first)).to_canonical()
    }

    /// The first and the last address, as [`address_key`] writes them.
    pub fn range(self) -> [Vec<u8>; 2] {
        let host = u128::MAX.checked_shr(self.length).unwrap_or(0);
        [self.first, self.first | host].map(|bits| bits.to_be_bytes().to_vec())
    }
}

/// An address as 16 bytes that sort by network; IPv4 is embedded in IPv6.
pub fn address_key(address: IpAddr) -> Vec<u8> {
    let bits = match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    };
    bits.to_be_bytes().to_vec()
}

/// The first address; wider networks with the length of their prefix.
impl fmt::Display for SourceNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            address if self.weight == 1 => write!(f, "{address}"),
            address @ IpAddr::V4(_) => write!(f, "{address}/{}", self.length - 96),
            address @ IpAddr::V6(_) => write!(f, "{address}/{}", self.length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(address: &str) -> Vec<String> {
        let networks = SourceNetwork::around(address.parse().unwrap());
        networks.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn networks_of_an_address_contain_each_other() {
        let of_ipv6 = around("2001:db8:1234:5678:9abc::1");
        let expected = [
            "2001:db8:1234:5678::",
            "2001:db8:1234:5600::/56",
            "2001:db8:1234::/48",
            "2001:db8::/32",
        ];
        assert_eq!(of_ipv6, expected);
        assert_eq!(around("192.0.2.77"), ["192.0.2.77", "192.0.2.0/24", "192.0.0.0/16"]);
        assert_eq!(around("::ffff:192.0.2.77"), around("192.0.2.77"));
    }

    #[test]
    fn addresses_sort_into_their_networks() {
        for (address, inside, outside) in [
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::", "2001:db8:0:2::"),
            ("192.0.2.77", "192.0.2.77", "192.0.2.78"),
            ("::ffff:192.0.2.77", "192.0.2.77", "::c000:024d"),
        ] {
            let [first, last] = SourceNetwork::of(address.parse().unwrap()).range();
            let contains = |address: &str| {
                let key = address_key(address.parse().unwrap());
                first <= key && key <= last
            };
            assert!(contains(address) && contains(inside) && !contains(outside), "{address}");
        }
    }
}
