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
mod tests {
    use super::super::base_url::BaseUrl;
    use super::*;

    /// Metadata services, each in the spellings that a URL accepts.
    const METADATA: &[(&str, &[&str])] = &[
        (
            "Amazon, Google, Azure, Oracle",
            &[
                "169.254.169.254",
                "169.254.43518",
                "169.16689662",
                "2852039166",
                "0xa9fea9fe",
                "0xa9.0xfe.0xa9.0xfe",
                "0251.0376.0251.0376",
                "169.254.169.254.",
                "[::ffff:169.254.169.254]",
                "[::ffff:a9fe:a9fe]",
                "[0:0:0:0:0:ffff:a9fe:a9fe]",
                "[::169.254.169.254]",
                "[64:ff9b::169.254.169.254]",
                "[64:ff9b:1::a9fe:a9fe]",
                "[2002:a9fe:a9fe::]",
                "[2001:0:a9fe:a9fe::]",
            ],
        ),
        (
            "behind a translator of the network's own prefix",
            &[
                "[2001:db8:a9fe:a9fe::]",
                "[2001:db8:1a9:fea9:fe::]",
                "[2001:db8:122:a9fe:a9:fe00::]",
                "[2001:db8:122:3a9:fe:a9fe::]",
                "[2001:db8:122:344:a9:fea9:fe00:0]",
                "[2001:db8:122:344::a9fe:a9fe]",
                "[fd12:3456::a9fe:a9fe]",
                "[fd12:3456::5efe:a9fe:a9fe]",
            ],
        ),
        ("Amazon by IPv6", &["[fd00:ec2::254]", "[FD00:0EC2:0:0:0:0:0:0254]", "[fd00:ec2::23]"]),
        ("Google by IPv6", &["[fd20:ce::254]", "[fd20:00ce:0:0::0254]"]),
        ("Oracle by IPv6", &["[fd00:c1::a9fe:a9fe]", "[fd00:c1::169.254.169.254]"]),
        ("OpenStack by IPv6", &["[fe80::a9fe:a9fe]"]),
        (
            "Alibaba",
            &["100.100.100.200", "1684301000", "[::ffff:100.100.100.200]", "[64:ff9b::6464:64c8]"],
        ),
        (
            "Azure's wire server",
            &["168.63.129.16", "0xa83f8110", "[::ffff:168.63.129.16]", "[64:ff9b::a83f:8110]"],
        ),
        ("Amazon's tasks, Tencent", &["169.254.170.2", "169.254.0.23", "[::ffff:169.254.170.2]"]),
    ];

    #[test]
    fn metadata_service_is_forbidden_even_where_private_addresses_are_allowed() {
        let policy = AddressPolicy { allow_private: true };
        for (whose, hosts) in METADATA {
            for host in *hosts {
                for url in [format!("https://{host}/latest"), format!("http://{host}:80")] {
                    let refused = BaseUrl::parse("baseURL", &url, policy).expect_err(&url);
                    assert!(
                        refused.message().contains("points to an address"),
                        "{whose}: {url}: {refused}"
                    );
                }
            }
        }
    }

    fn of(text: &str) -> AddressClass {
        classify(text.parse().unwrap())
    }

    #[test]
    fn special_purpose_address_is_forbidden_in_every_spelling() {
        for text in [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "192.0.0.192",
            "100.100.100.200",
            "168.63.129.16",
            "::",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
        ] {
            assert_eq!(of(text), Forbidden, "{text}");
        }
    }

    #[test]
    fn private_address_is_private_in_every_spelling() {
        for text in [
            "127.0.0.1",
            "127.8.9.1",
            "10.0.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "fd12:3456::a9fe:a9ff",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:0a00:0001::1",
        ] {
            assert_eq!(of(text), Private, "{text}");
        }
    }

    #[test]
    fn public_address_is_never_called_without_tls() {
        for text in ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert_eq!(of(text), Public, "{text}");
            let policy = AddressPolicy { allow_private: true };
            assert!(
                policy.permits(text.parse().unwrap(), false)
                    && !policy.permits(text.parse().unwrap(), true)
            );
        }
    }

    #[test]
    fn networks_end_where_their_prefix_ends() {
        for (inside, outside) in [
            ("0.255.255.255", "1.0.0.0"),
            ("10.255.255.255", "11.0.0.0"),
            ("100.127.255.255", "100.128.0.0"),
            ("127.255.255.255", "128.0.0.0"),
            ("169.254.255.255", "169.255.0.0"),
            ("172.31.255.255", "172.32.0.0"),
            ("192.0.0.255", "192.0.1.0"),
            ("192.168.255.255", "192.169.0.0"),
            ("198.19.255.255", "198.20.0.0"),
            ("224.0.0.0", "223.255.255.255"),
            ("64:ff9b::ff00:1", "64:ff9b::100:1"),
            ("2001:0:ffff::", "2001:1::"),
            ("fc00::1", "3fff:ffff::"),
        ] {
            assert_ne!(of(inside), Public, "{inside}");
            assert_eq!(of(outside), Public, "{outside}");
        }
        assert_eq!(of("fdff:ffff::1"), Private);
        assert_eq!(of("fec0::1"), Private);
        assert_eq!(of("feff:ffff::1"), Private);
        assert_eq!(of("ff00::1"), Forbidden);
        assert_eq!(of("4000::1"), Forbidden);
    }
}
