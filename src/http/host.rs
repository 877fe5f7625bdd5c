//! The header `Host` (RFC 9112, section 3.2).

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version};
use axum::response::Response;

use super::reply;
use crate::auth::RequestId;

/// Answers a request that names its host once, and refuses any other with 400: a proxy in front may
/// have read another host than the one that is read here. HTTP/1.0 has no need of the header.
pub async fn checked(request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    if names_one_host(request.version(), request.headers()) {
        return answer(request).await;
    }
    reply::bad_request(
        "a request needs exactly one Host header",
        request.extensions().get::<RequestId>(),
    )
}

fn names_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(|host| host.parse::<Authority>().is_ok()),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(version: Version, hosts: &[&'static str]) -> bool {
        let headers: HeaderMap = hosts.iter().map(|host| (HOST, host.parse().unwrap())).collect();
        names_one_host(version, &headers)
    }

    #[test]
    fn exactly_one_host_is_named() {
        for host in ["gateway", "gateway.example:8080", "[::1]:8080", "127.0.0.1"] {
            assert!(named(Version::HTTP_11, &[host]), "{host}");
        }
        assert!(named(Version::HTTP_10, &[]));
        assert!(
            !named(Version::HTTP_11, &[])
                && !named(Version::HTTP_11, &["a b"])
                && !named(Version::HTTP_11, &[""])
        );
        let mut two = HeaderMap::new();
        two.append(HOST, "a".parse().unwrap());
        two.append(HOST, "a".parse().unwrap());
        assert!(!names_one_host(Version::HTTP_11, &two) && !names_one_host(Version::HTTP_10, &two));
    }
}
