//! The public URL, the proxies in front of the gateway, and the export of traces.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use url::{Host, Url};

use super::finding::Finding;
use crate::config::{Config, Networks};

const DNS_TIMEOUT: Duration = Duration::from_secs(5);

/// Addresses of unrelated networks: a list that contains both contains every address.
const UNRELATED_V4: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1))];
const UNRELATED_V6: [IpAddr; 2] = [
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2600, 0, 0, 0, 0, 0, 0, 1)),
];

/// Checks that the host name in `server.public_url` resolves.
pub(super) async fn public_url(config: &Config) -> Finding {
    let Some(public) = &config.server.public_url else {
        return Finding::warning(
            "public_url",
            "server.public_url is not set: tokens name the address of the listener as their issuer",
            "set server.public_url to the URL that callers use",
        );
    };
    let name = match Url::parse(public).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name.to_owned(),
        _ => return Finding::ok("public_url", format!("{public} needs no name resolution")),
    };
    let found = tokio::time::timeout(DNS_TIMEOUT, tokio::net::lookup_host((&*name, 0))).await;
    let detail = match found {
        Ok(Ok(mut addresses)) => match addresses.next() {
            Some(address) => {
                let detail = format!("{name} resolves to {}", address.ip());
                return Finding::ok("public_url", detail);
            }
            None => format!("{name} has no address"),
        },
        Ok(Err(error)) => format!("{name} does not resolve on this machine: {error}"),
        Err(_) => format!("{name} does not resolve within {} s", DNS_TIMEOUT.as_secs()),
    };
    let advice = "correct server.public_url, or the record of this name in DNS";
    Finding::warning("public_url", detail, advice)
}

/// Checks that the proxies in front may name the addresses of callers, and nobody else may.
pub(super) fn proxies(config: &Config) -> Finding {
    let trusted = &config.server.trusted_proxies;
    let contains = |addresses: [IpAddr; 2]| addresses.into_iter().all(|one| trusted.contain(one));
    if contains(UNRELATED_V4) || contains(UNRELATED_V6) {
        return Finding::failed(
            "proxies",
            "server.trusted_proxies contains every address: callers can claim any address, and so \
             evade the limits of failed authentications",
            "list only the networks of your proxies in server.trusted_proxies",
        );
    }
    let public_url = config.server.public_url.as_deref().unwrap_or_default();
    if *trusted == Networks::default() {
        if public_url.starts_with("https:") {
            return Finding::warning(
                "proxies",
                "server.public_url is https, so a proxy is in front, but server.trusted_proxies \
                 is empty: all callers count as one address, that of the proxy",
                "set server.trusted_proxies to the networks of the proxy, and let it send \
                 Forwarded or X-Forwarded-For",
            );
        }
        return Finding::ok("proxies", "none is trusted: forwarding headers are ignored");
    }
    Finding::ok("proxies", "forwarding headers are trusted from server.trusted_proxies only")
}

/// Names the collector that traces are exported to. Nothing is sent to it.
pub(super) fn traces(config: &Config) -> Option<Finding> {
    let export = config.traces.export.as_ref()?;
    Some(Finding::ok("traces", format!("exported {export}")))
}
