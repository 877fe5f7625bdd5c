//! The origin check: only pages of the gateway itself may use the cookies.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header of browsers that no page can set or leave out (Fetch Metadata).
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of the gateway's own origin sent the request. Every current browser sends `Origin`
/// or `Sec-Fetch-Site`: a request without both is refused, and each that is present must match. A
/// proxy may have changed `Host`, so the origin of the public URL is accepted too.
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
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    public_origin == Some(origin) || (authority.is_some() && authority == host)
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
        for (origin, site) in [
            (Some("https://gateway.example"), Some("same-origin")),
            (Some("https://gateway.example"), None),
            (Some("http://10.0.0.7:8080"), None),
            (None, Some("same-origin")),
        ] {
            assert!(is_own_page(PUBLIC, &headers(origin, site)), "{origin:?} {site:?}");
        }
    }

    #[test]
    fn other_pages_and_requests_that_do_not_tell_are_refused() {
        for (origin, site) in [
            (None, None),
            (Some("null"), None),
            (Some("https://evil.example"), None),
            (Some("http://gateway.example"), None),
            (Some("https://gateway.example"), Some("same-site")),
            (Some("https://evil.example"), Some("same-origin")),
            (None, Some("cross-site")),
            (None, Some("none")),
        ] {
            assert!(!is_own_page(PUBLIC, &headers(origin, site)), "{origin:?} {site:?}");
        }
        assert!(!is_own_page(None, &headers(Some("https://gateway.example"), None)));
    }
}
