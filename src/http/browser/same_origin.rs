//! The origin check: only pages of the gateway itself may use the cookies.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header of browsers that no page can set or leave out (Fetch Metadata).
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of the gateway's own origin sent the request. Every current browser sends `Origin`
/// or `Sec-Fetch-Site`: a request without both is refused, and each that is present must match:
/// `Origin` in scheme, host and port the public URL, or `Host` where no public URL is set.
pub fn is_own_page(public_origin: Option<&str>, headers: &HeaderMap) -> bool {
    let mut is_told = false;
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        if site != "same-origin" {
            return false;
        }
        is_told = true;
    }
    if let Some(origin) = headers.get(ORIGIN) {
        if !is_own(public_origin, headers, origin) {
            return false;
        }
        is_told = true;
    }
    is_told
}

/// Whether the person opened the page themselves, or a page of the gateway led to it. Browsers that do
/// not tell are taken to come from elsewhere.
pub fn is_own_navigation(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE);
    site.is_some_and(|site| site == "none" || site == "same-origin")
}

fn is_own(public_origin: Option<&str>, headers: &HeaderMap, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    if let Some(public_origin) = public_origin {
        return origin == public_origin;
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    // The listener has no TLS. Whether a proxy in front has it, only the browser can tell: a page
    // without TLS must not pass for one behind it.
    let is_own_scheme = match scheme {
        "http" => true,
        "https" => headers.get(SEC_FETCH_SITE).is_some_and(|site| site == "same-origin"),
        _ => false,
    };
    is_own_scheme && Some(authority) == host
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Option<&str> = Some("https://gateway.example");

    fn headers(origin: Option<&'static str>, site: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("10.0.0.7:8080"));
        let pairs = [(ORIGIN, origin), (SEC_FETCH_SITE, site)];
        for (name, value) in pairs {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        headers
    }

    #[test]
    fn own_pages_are_admitted() {
        for (public, origin, site) in [
            (PUBLIC, Some("https://gateway.example"), Some("same-origin")),
            (PUBLIC, Some("https://gateway.example"), None),
            (PUBLIC, None, Some("same-origin")),
            (None, Some("http://10.0.0.7:8080"), None),
            (None, Some("http://10.0.0.7:8080"), Some("same-origin")),
            (None, Some("https://10.0.0.7:8080"), Some("same-origin")),
        ] {
            assert!(is_own_page(public, &headers(origin, site)), "{origin:?} {site:?}");
        }
    }

    #[test]
    fn other_pages_and_requests_that_do_not_tell_are_refused() {
        for (origin, site) in [
            (None, None),
            (Some("null"), None),
            (Some("https://evil.example"), None),
            (Some("http://gateway.example"), None),
            (Some("https://gateway.example:8443"), None),
            (Some("https://gateway.example"), Some("same-site")),
            (Some("https://evil.example"), Some("same-origin")),
            (None, Some("cross-site")),
            (None, Some("none")),
        ] {
            assert!(!is_own_page(PUBLIC, &headers(origin, site)), "{origin:?} {site:?}");
        }
        assert!(!is_own_page(None, &headers(Some("https://gateway.example"), None)));
    }

    #[test]
    fn page_with_the_scheme_of_another_origin_is_refused() {
        let mut headers = headers(Some("http://gateway.example"), None);
        headers.insert(HOST, HeaderValue::from_static("gateway.example"));
        assert!(!is_own_page(PUBLIC, &headers), "the public URL has TLS");
        headers.insert(ORIGIN, HeaderValue::from_static("https://gateway.example"));
        assert!(!is_own_page(None, &headers), "nobody tells that a proxy has TLS");
        headers.insert(ORIGIN, HeaderValue::from_static("ws://gateway.example"));
        assert!(!is_own_page(None, &headers));
    }
}
