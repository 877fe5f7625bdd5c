use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Networks, written as a list of `10.0.0.0/8` or `2001:db8::/32`, or as one text with commas
/// between them. An address alone is a network of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    /// How many bits at the front all its addresses share.
    prefix: u32,
}

impl Networks {
    /// Whether the address lies in one of them. An IPv4 address in IPv6 clothes counts as what it
    /// is.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        let front = |bits: u128, width: u32| bits.checked_shr(width - self.prefix).unwrap_or(0);
        match (self.address, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                front(one.to_bits().into(), 32) == front(other.to_bits().into(), 32)
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                front(one.to_bits(), 128) == front(other.to_bits(), 128)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), |prefix| prefix.parse().map_err(|_| ()))?;
        if prefix > width { Err(()) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
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
        let refused =
            || D::Error::custom("must be networks, such as [\"10.0.0.0/8\", \"2001:db8::/32\"]");
        let texts = match Written::deserialize(deserializer).map_err(|_| refused())? {
            Written::List(texts) => texts,
            Written::Text(text) => text.split(',').map(str::to_owned).collect(),
        };
        let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        texts.map(|text| text.parse().map_err(|()| refused())).collect::<Result<_, _>>().map(Self)
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
    fn an_address_lies_in_its_network_alone() {
        let networks = networks("10.0.0.0/8, 192.168.1.7, 2001:db8::/32");
        for inside in ["10.255.0.1", "192.168.1.7", "2001:db8:1::1", "::ffff:10.1.2.3"] {
            assert!(networks.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.168.1.8", "2001:db9::1", "::1"] {
            assert!(!networks.contain(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn a_network_of_everything_holds_its_own_kind() {
        let all = networks("0.0.0.0/0");
        assert!(all.contain("203.0.113.9".parse().unwrap()));
        assert!(!all.contain("2001:db8::1".parse().unwrap()));
        assert!(networks("::/0").contain("2001:db8::1".parse().unwrap()));
        assert!(!networks("").contain("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["10.0.0.0/33", "10.0.0", "proxy.example", "10.0.0.0/-1", "10.0.0.0/8/8"] {
            assert!(Networks::deserialize(toml::Value::String(text.to_owned())).is_err(), "{text}");
        }
        assert!(Networks::deserialize(toml::Value::Integer(10)).is_err());
    }
}
