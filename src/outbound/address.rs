//! What kind of address it is, and so whether it may be called (feature F21).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::base_url::AddressPolicy;

/// What lies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The public Internet.
    Public,
    /// This machine, or a network of the operator's own.
    Private,
    /// Nothing that a legacy system may stand at, whatever the policy: the cloud's own services,
    /// groups, no address at all.
    Forbidden,
}

impl AddressPolicy {
    /// Whether this address may be called. Without TLS only private ones may.
    pub(super) fn permits(self, address: IpAddr, plain: bool) -> bool {
        match reach(address) {
            Reach::Public => !plain,
            Reach::Private => self.allow_private,
            Reach::Forbidden => false,
        }
    }
}

pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// The metadata services of the large clouds that have an IPv4 address: whoever reaches one gets
/// the credentials of the machine. The first is that of Amazon, Google, Azure, Oracle and most
/// others; then Alibaba's, and Azure's wire server.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// After the special-purpose registry of RFC 6890.
fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        _ if METADATA_V4.contains(&address) => Reach::Forbidden,
        // This network; link-local, with most clouds' metadata; protocol assignments; multicast and
        // all beyond.
        [0, ..] | [169, 254, ..] | [192, 0, 0, _] | [224..=255, ..] => Reach::Forbidden,
        // Shared by carriers; test beds.
        [100, 64..=127, ..] | [198, 18 | 19, ..] => Reach::Private,
        _ if address.is_loopback() || address.is_private() => Reach::Private,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // Amazon's services, Google's metadata and Oracle's lie in private networks.
        [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..] | [0xfd00, 0xc1, ..] => Reach::Forbidden,
        _ if embeds_metadata(address) => Reach::Forbidden,
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // IPv4 embedded in IPv6: mapped, compatible, NAT64 (RFC 6052, RFC 8215), 6to4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            reach_v4(v4(high, low))
        }
        [0x64, 0xff9b, 1, ..] => Reach::Forbidden,
        [0x2002, high, low, ..] => reach_v4(v4(high, low)),
        // Teredo.
        [0x2001, 0, ..] => Reach::Forbidden,
        // Unique local, and the site-local that it replaced.
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Reach::Private,
        [0x2000..=0x3fff, ..] => Reach::Public,
        // Link-local, multicast, and what nobody has.
        _ => Reach::Forbidden,
    }
}

/// Whether a translator could turn this into the IPv4 address of a metadata service. The prefix of
/// a translator is its network's own, so every place is looked at where RFC 6052 lets the IPv4
/// address stand; the last is also that of ISATAP.
fn embeds_metadata(address: Ipv6Addr) -> bool {
    const PLACES: [[usize; 4]; 6] = [
        [4, 5, 6, 7],
        [5, 6, 7, 9],
        [6, 7, 9, 10],
        [7, 9, 10, 11],
        [9, 10, 11, 12],
        [12, 13, 14, 15],
    ];
    let octets = address.octets();
    PLACES.iter().any(|place| METADATA_V4.contains(&Ipv4Addr::from(place.map(|at| octets[at]))))
}

#[cfg(test)]
mod tests {
    use super::super::base_url::BaseUrl;
    use super::*;

    /// Metadata services, each in the spellings that a URL takes.
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
    fn metadata_services_stay_forbidden_where_private_addresses_are_allowed() {
        let policy = AddressPolicy { allow_private: true };
        for (whose, hosts) in METADATA {
            for host in *hosts {
                for url in [format!("https://{host}/latest"), format!("http://{host}:80")] {
                    let refused = BaseUrl::parse("baseURL", &url, policy).expect_err(&url);
                    assert!(
                        refused.message().contains("address that is not allowed"),
                        "{whose}: {url}: {refused}"
                    );
                }
            }
        }
    }

    fn of(text: &str) -> Reach {
        reach(text.parse().unwrap())
    }

    #[test]
    fn what_is_no_place_for_a_system_is_forbidden_in_every_spelling() {
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
            assert_eq!(of(text), Reach::Forbidden, "{text}");
        }
    }

    #[test]
    fn private_networks_are_private_in_every_spelling() {
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
            assert_eq!(of(text), Reach::Private, "{text}");
        }
    }

    #[test]
    fn the_internet_is_public_and_never_called_without_tls() {
        for text in ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert_eq!(of(text), Reach::Public, "{text}");
            let policy = AddressPolicy { allow_private: true };
            assert!(
                policy.permits(text.parse().unwrap(), false)
                    && !policy.permits(text.parse().unwrap(), true)
            );
        }
    }
}
