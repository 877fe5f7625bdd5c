use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The listener for operators.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// Address and port of the listener for health and metrics, or `off`; port 0 picks a free port.
    /// `None` is `off`. Variable `TENANT_GATEWAY__ADMIN__LISTEN`, default `127.0.0.1:9090`.
    #[serde(with = "address_or_off")]
    pub listen: Option<SocketAddr>,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: Some(SocketAddr::from(([127, 0, 0, 1], 9090))) }
    }
}

mod address_or_off {
    use std::net::SocketAddr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(
        address: &Option<SocketAddr>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => serializer.collect_str(address),
            None => serializer.serialize_str("off"),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "off" {
            return Ok(None);
        }
        let address = text.parse().map(Some);
        address.map_err(|_| {
            D::Error::custom("must be an address with a port, such as 127.0.0.1:9090, or off")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listener_can_be_turned_off() {
        let off: AdminConfig = toml::from_str("listen = 'off'").unwrap();
        assert_eq!(off.listen, None);
        assert_eq!(toml::to_string(&off).unwrap(), "listen = \"off\"\n");
    }

    #[test]
    fn address_needs_a_port() {
        assert!(toml::from_str::<AdminConfig>("listen = '127.0.0.1'").is_err());
    }
}
