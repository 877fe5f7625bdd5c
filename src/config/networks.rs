use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Networks, written as a list such as `["10.0.0.0/8", "2001:db8::/32"]`, or as one text separated
/// by commas. An address without prefix is a network of one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether one of the networks contains the address. An IPv4-mapped IPv6 address counts as
    /// IPv4.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The address is parsed by the standard library, which refuses leading zeros: other programs read
/// them as octal.
fn parse(text: &str) -> Option<IpNet> {
    match text.split_once('/') {
        Some((address, prefix)) => IpNet::new(address.parse().ok()?, prefix.parse().ok()?).ok(),
        None => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    List(Vec<String>),
    Text(String),
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let invalid =
            || D::Error::custom("must be networks, such as [\"10.0.0.0/8\", \"2001:db8::/32\"]");
        let texts = match Written::deserialize(deserializer).map_err(|_| invalid())? {
            Written::List(texts) => texts,
            Written::Text(text) => text.split(',').map(str::to_owned).collect(),
        };
        let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        texts.map(|text| parse(text).ok_or_else(invalid)).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Networks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(text: &str) -> Networks {
        Networks::deserialize(toml::Value::String(text.to_owned())).unwrap()
    }

    #[test]
    fn address_is_in_its_network_only() {
        let networks = networks("10.0.0.0/8, 192.168.1.7, 2001:db8::/32");
        for inside in ["10.255.0.1", "192.168.1.7", "2001:db8:1::1", "::ffff:10.1.2.3"] {
            assert!(networks.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.168.1.8", "2001:db9::1", "::1"] {
            assert!(!networks.contain(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn network_of_all_addresses_contains_its_own_version_only() {
        let all = networks("0.0.0.0/0");
        assert!(all.contain("203.0.113.9".parse().unwrap()));
        assert!(!all.contain("2001:db8::1".parse().unwrap()));
        assert!(networks("::/0").contain("2001:db8::1".parse().unwrap()));
        assert!(!networks("").contain("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn text_that_is_not_a_network_is_refused() {
        for text in
            ["10.0.0.0/33", "10.0.0", "proxy.example", "10.0.0.0/-1", "10.0.0.0/8/8", "010.0.0.0/8"]
        {
            assert!(Networks::deserialize(toml::Value::String(text.to_owned())).is_err(), "{text}");
        }
        assert!(Networks::deserialize(toml::Value::Integer(10)).is_err());
    }
}
