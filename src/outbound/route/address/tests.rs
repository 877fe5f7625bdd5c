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
