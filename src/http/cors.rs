//! Which web pages may call from a browser (the Fetch standard, section 3.3). Nobody's cookies are
//! involved: who calls is told by the `Authorization` header alone, which no page can send across
//! origins before this file allows it.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST,
    ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::AppState;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, X-Tenant-Context, X-Tenant-ID, X-Request-Id, X-Query-Cost, X-Requested-With, \
     Apollo-Require-Preflight, traceparent",
);
const EXPOSED: HeaderValue =
    HeaderValue::from_static("X-Request-Id, Retry-After, RateLimit, RateLimit-Policy");
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins that are allowed.
pub struct Cors {
    origins: Vec<String>,
}

impl Cors {
    /// Those and no others; without any, no page of another origin is.
    pub fn new(origins: Vec<String>) -> Self {
        Self { origins }
    }

    fn allowed<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then_some(origin)
    }

    /// Whether a WebSocket may be opened from where the request comes: browsers ask nobody before
    /// they open one. A program sends no `Origin`. Where no origin is configured nothing is
    /// compared, since the token is what opens the socket.
    pub fn admits_socket(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let host = headers.get(HOST).map(HeaderValue::as_bytes);
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        let own = authority.is_some_and(|(_, authority)| Some(authority.as_bytes()) == host);
        self.origins.is_empty() || own || self.allowed(headers).is_some()
    }
}

/// Answers preflights of allowed origins, and marks the answers that their pages may read.
pub async fn cors(
    state: &AppState,
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if state.cors.origins.is_empty() {
        return answer(request).await;
    }
    let allowed = state.cors.allowed(request.headers()).cloned();
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &allowed {
        Some(_) if preflight => {
            let lines = [
                (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
                (ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
                (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            ];
            (StatusCode::NO_CONTENT, lines).into_response()
        }
        _ => answer(request).await,
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("gateway.example"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_exact_origins_are_allowed() {
        let cors = Cors::new(vec!["https://console.example".into()]);
        assert!(cors.allowed(&headers(Some("https://console.example"))).is_some());
        for other in [
            "null",
            "*",
            "http://console.example",
            "https://console.example.evil",
            "https://console.example:8443",
        ] {
            assert!(cors.allowed(&headers(Some(other))).is_none(), "{other}");
        }
    }

    #[test]
    fn a_socket_comes_from_a_program_from_us_or_from_an_allowed_page() {
        let cors = Cors::new(vec!["https://console.example".into()]);
        for admitted in [None, Some("https://gateway.example"), Some("https://console.example")] {
            assert!(cors.admits_socket(&headers(admitted)), "{admitted:?}");
        }
        for other in ["null", "https://evil.example", "https://gateway.example.evil"] {
            assert!(!cors.admits_socket(&headers(Some(other))), "{other}");
        }
        assert!(Cors::new(vec![]).admits_socket(&headers(Some("https://evil.example"))));
    }
}
