//! The header `Host` (RFC 9112, section 3.2).

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version};
use axum::response::Response;

use super::json_reply::bad_request;
use crate::auth::RequestId;

/// Answers requests with exactly one valid `Host`, and rejects others with status 400: a proxy in
/// front may have read a different host than the gateway would. HTTP/1.0 does not require the
/// header.
pub async fn check(request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    if has_one_host(request.version(), request.headers()) {
        return answer(request).await;
    }
    let message = "the request must have exactly one valid Host header";
    bad_request(message, request.extensions().get::<RequestId>())
}

fn has_one_host(version: Version, headers: &HeaderMap) -> bool {
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

    fn accepts(version: Version, hosts: &[&'static str]) -> bool {
        let headers: HeaderMap = hosts.iter().map(|host| (HOST, host.parse().unwrap())).collect();
        has_one_host(version, &headers)
    }

    #[test]
    fn exactly_one_valid_host_is_accepted() {
        for host in ["gateway", "gateway.example:8080", "[::1]:8080", "127.0.0.1"] {
            assert!(accepts(Version::HTTP_11, &[host]), "{host}");
        }
        assert!(accepts(Version::HTTP_10, &[]));
        assert!(
            !accepts(Version::HTTP_11, &[])
                && !accepts(Version::HTTP_11, &["a b"])
                && !accepts(Version::HTTP_11, &[""])
        );
        let mut two = HeaderMap::new();
        two.append(HOST, "a".parse().unwrap());
        two.append(HOST, "a".parse().unwrap());
        assert!(!has_one_host(Version::HTTP_11, &two) && !has_one_host(Version::HTTP_10, &two));
    }
}
