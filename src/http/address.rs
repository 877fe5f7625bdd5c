//! The address of the client, also behind proxies.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

use crate::config::Networks;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client. Forwarding headers count only as far as trusted proxies wrote them:
/// read from the right, the first address that is not a trusted proxy is the client.
pub fn of_client(
    trusted: &Networks,
    peer: Option<&ConnectInfo<SocketAddr>>,
    headers: &HeaderMap,
) -> IpAddr {
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| {
        address.ip().to_canonical()
    });
    if !trusted.contain(peer) {
        return peer;
    }
    let by_standard = elements(headers, &FORWARDED)
        .map(|all| walk(trusted, peer, all.iter().map(|one| forwarded(one))));
    let by_custom = elements(headers, &X_FORWARDED_FOR)
        .map(|all| walk(trusted, peer, all.iter().map(|one| node(one))));
    match (by_standard, by_custom) {
        // A proxy writes one of the two headers and passes the other on as the client sent it; it
        // is unknown which.
        (Some(one), Some(other)) if one != other => peer,
        (one, other) => one.or(other).unwrap_or(peer),
    }
}

/// The elements of a header, over all its lines; `None` if it is absent.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<&'a str>> {
    let lines = headers.get_all(name).iter();
    let mut elements = Vec::new();
    for line in lines {
        // A line that is not text yields an element without an address: the walk ends there.
        elements.extend(line.to_str().unwrap_or("").split(','));
    }
    (!elements.is_empty()).then_some(elements)
}

fn walk(
    trusted: &Networks,
    peer: IpAddr,
    addresses: impl DoubleEndedIterator<Item = Option<IpAddr>>,
) -> IpAddr {
    let mut nearest = peer;
    for address in addresses.rev() {
        // An obfuscated identifier or `unknown` (RFC 7239, section 6): the proxy that wrote it is
        // the last known address.
        let Some(address) = address else { break };
        nearest = address;
        if !trusted.contain(address) {
            break;
        }
    }
    nearest
}

/// The `for` parameter of a `Forwarded` element (RFC 7239, section 4).
fn forwarded(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    node(value.trim().trim_matches('"'))
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`,
/// `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address =
        text.parse().ok().or_else(bare).or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(peer: &str, headers: &[(HeaderName, &'static str)]) -> String {
        let trusted = toml::from_str::<crate::config::ServerConfig>(
            "trusted_proxies = ['10.0.0.0/8', '2001:db8::/32']",
        );
        let peer = ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1234));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        of_client(&trusted.unwrap().trusted_proxies, Some(&peer), &map).to_string()
    }

    #[test]
    fn headers_of_an_untrusted_peer_are_ignored() {
        assert_eq!(seen("203.0.113.9", &[(X_FORWARDED_FOR, "192.0.2.1")]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", &[(FORWARDED, "for=192.0.2.1")]), "203.0.113.9");
    }

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        assert_eq!(seen("10.0.0.1", &[(X_FORWARDED_FOR, "198.51.100.1, 192.0.2.1")]), "192.0.2.1");
        assert_eq!(
            seen(
                "10.0.0.1",
                &[(X_FORWARDED_FOR, "198.51.100.1"), (X_FORWARDED_FOR, "192.0.2.1, 10.1.1.1")]
            ),
            "192.0.2.1"
        );
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[(X_FORWARDED_FOR, "192.0.2.1, unknown")]), "10.0.0.1");
    }

    #[test]
    fn forwarded_header_is_read_in_all_its_forms() {
        for (value, address) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=\"192.0.2.1:4711\";proto=https;by=10.0.0.1", "192.0.2.1"),
            ("for=198.51.100.1, for=\"[2001:db9::1]:80\"", "2001:db9::1"),
            ("for=\"[2001:db9::1]\"", "2001:db9::1"),
            ("for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.1", &[(FORWARDED, value)]), address, "{value}");
        }
    }

    #[test]
    fn contradicting_headers_are_ignored() {
        let forged = (FORWARDED, "for=198.51.100.1");
        assert_eq!(seen("10.0.0.1", &[forged.clone(), (X_FORWARDED_FOR, "192.0.2.1")]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[forged, (X_FORWARDED_FOR, "198.51.100.1")]), "198.51.100.1");
    }
}
