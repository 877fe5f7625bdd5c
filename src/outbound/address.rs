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
    /// Nothing that a legacy system may stand at, whatever the policy: the cloud's own services, groups, no address at all.
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

/// After the special-purpose registry of RFC 6890.
fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Alibaba's metadata, and Azure's.
        [100, 100, 100, 200] | [168, 63, 129, 16] => Reach::Forbidden,
        // This network; link-local, with most clouds' metadata; protocol assignments; multicast and all beyond.
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
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // IPv4 in other clothes: mapped, compatible, translated (RFC 6052, RFC 8215), 6to4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => reach_v4(v4(high, low)),
        [0x64, 0xff9b, 1, ..] => Reach::Forbidden,
        [0x2002, high, low, ..] => reach_v4(v4(high, low)),
        // Teredo.
        [0x2001, 0, ..] => Reach::Forbidden,
        // Amazon's metadata lies in a private network.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Reach::Forbidden,
        // Unique local, and the site-local that it replaced.
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Reach::Private,
        [0x2000..=0x3fff, ..] => Reach::Public,
        // Link-local, multicast, and what nobody has.
        _ => Reach::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(policy.permits(text.parse().unwrap(), false) && !policy.permits(text.parse().unwrap(), true));
        }
    }
}
