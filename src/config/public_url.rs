//! The public URL, normalized so that paths can be appended to it.

use serde::{Deserialize, Deserializer, de::Error};

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    cleaned(&text).map(Some).map_err(D::Error::custom)
}

/// The URL without trailing slashes, or the reason why it is invalid.
fn cleaned(text: &str) -> Result<String, &'static str> {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return Err("must begin with http:// or https://");
    };
    if rest.contains(['?', '#']) {
        return Err("must not have a query or a fragment");
    }
    if !rest.chars().all(|c| c.is_ascii_graphic()) || rest.contains(['\\', '"', '<', '>']) {
        return Err("contains characters that are not allowed in a URL");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must not contain a user name or a password");
    }
    if !is_host_and_port(authority) {
        return Err("must have a host and, optionally, a port from 0 to 65535");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_host_and_port(authority: &str) -> bool {
    // Colons inside the brackets of an IPv6 address do not start a port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, "0"),
    };
    let is_ipv6 = |host: &str| {
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inside.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
    };
    let is_name = |host: &str| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
    };
    port.parse::<u16>().is_ok() && (is_name(host) || is_ipv6(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_slash_is_dropped() {
        assert_eq!(cleaned("https://gateway.example/").unwrap(), "https://gateway.example");
        assert_eq!(cleaned("http://[::1]:8080/api/").unwrap(), "http://[::1]:8080/api");
    }

    #[test]
    fn anything_but_a_plain_web_address_is_refused() {
        for text in [
            "",
            "gateway.example",
            "ftp://gateway.example",
            "https://",
            "https:///path",
            "https://gateway.example?x=1",
            "https://gateway.example/#top",
            "https://user@gateway.example",
            "https://gateway.example:https",
            "https://gate way",
            "https://[nowhere]",
        ] {
            assert!(cleaned(text).is_err(), "{text}");
        }
    }
}
