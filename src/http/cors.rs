//! Cross-origin requests from browsers (the Fetch standard, section 3.3). No cookies are involved:
//! callers from other origins authenticate by the `Authorization` header alone, which a page can
//! send there only after a preflight. No response allows them to send cookies.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use tower::{Layer, Service};
use tower_http::cors::{AllowOrigin, CorsLayer};

const ALLOWED: [HeaderName; 10] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    HeaderName::from_static("x-tenant-context"),
    HeaderName::from_static("x-tenant-id"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-query-cost"),
    HeaderName::from_static("x-requested-with"),
    HeaderName::from_static("apollo-require-preflight"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];
const EXPOSED: [HeaderName; 4] = [
    HeaderName::from_static("x-request-id"),
    RETRY_AFTER,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
];
const MAX_AGE: Duration = Duration::from_mins(10);

/// The web origins that are allowed.
pub struct Cors {
    origins: Vec<HeaderValue>,
    layer: CorsLayer,
}

impl Cors {
    /// Allows exactly these origins; without any, no page of another origin is allowed.
    pub fn new(origins: &[String]) -> Self {
        // The settings admit no origin that is not a header value.
        let origins: Vec<_> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins.clone()))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(ALLOWED)
            .expose_headers(EXPOSED)
            .max_age(MAX_AGE)
            .vary([ORIGIN]);
        Self { origins, layer }
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        headers.get(ORIGIN).is_some_and(|origin| self.origins.contains(origin))
    }

    /// Whether a request may open a WebSocket: browsers send no preflight before they open one.
    /// Programs, which send no `Origin`, and our own pages may. Without configured origins nothing
    /// is compared: a socket needs a token anyway.
    pub fn admits_socket(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let host = headers.get(HOST).map(HeaderValue::as_bytes);
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        let own = authority.is_some_and(|(_, authority)| Some(authority.as_bytes()) == host);
        self.origins.is_empty() || own || self.allows(headers)
    }
}

/// Answers preflights of allowed origins, and lets their pages read responses.
///
/// The layer of `tower-http` sees these requests alone: it takes every `OPTIONS` for a preflight,
/// and would tell foreign origins which methods and headers are allowed.
pub async fn with_cors<S>(cors: &Cors, mut inner: S, request: Request) -> Response
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    if cors.origins.is_empty() {
        return infallible(inner.call(request).await);
    }
    let options = request.method() == Method::OPTIONS;
    let preflight = options && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !cors.allows(request.headers()) || (options && !preflight) {
        let mut response = infallible(inner.call(request).await);
        response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
        return response;
    }
    let mut response = infallible(cors.layer.layer(inner).call(request).await);
    if preflight {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

fn infallible(result: Result<Response, Infallible>) -> Response {
    result.unwrap_or_else(|never| match never {})
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::{
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    };
    use tower::service_fn;

    use super::*;

    const CONSOLE: &str = "https://console.example";

    fn cors() -> Cors {
        Cors::new(&[CONSOLE.to_owned()])
    }

    fn headers(origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("gateway.example"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    /// The response to a request from that origin; that of the service itself has status 200.
    async fn respond(method: Method, origin: &str, preflight: bool) -> Response {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.headers_mut() = headers(Some(origin));
        if preflight {
            let post = HeaderValue::from_static("POST");
            request.headers_mut().insert(ACCESS_CONTROL_REQUEST_METHOD, post);
        }
        let inner = service_fn(|_: Request| async {
            let mut response = Response::new(Body::empty());
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
            Ok(response)
        });
        with_cors(&cors(), inner, request).await
    }

    #[test]
    fn only_exact_origins_are_allowed() {
        assert!(cors().allows(&headers(Some(CONSOLE))));
        for other in [
            "null",
            "*",
            "http://console.example",
            "https://console.example.evil",
            "https://console.example:8443",
        ] {
            assert!(!cors().allows(&headers(Some(other))), "{other}");
        }
    }

    #[test]
    fn socket_opens_for_programs_own_pages_and_allowed_origins() {
        for admitted in [None, Some("https://gateway.example"), Some(CONSOLE)] {
            assert!(cors().admits_socket(&headers(admitted)), "{admitted:?}");
        }
        for other in ["null", "https://evil.example", "https://gateway.example.evil"] {
            assert!(!cors().admits_socket(&headers(Some(other))), "{other}");
        }
        assert!(Cors::new(&[]).admits_socket(&headers(Some("https://evil.example"))));
    }

    #[tokio::test]
    async fn preflight_of_allowed_origin_does_not_reach_the_service() {
        let response = respond(Method::OPTIONS, CONSOLE, true).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], CONSOLE);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
        assert_eq!(response.headers()[VARY], "origin");
    }

    #[tokio::test]
    async fn foreign_origin_and_plain_options_get_the_answer_of_the_service() {
        for (method, origin, preflight) in [
            (Method::OPTIONS, "https://evil.example", true),
            (Method::POST, "https://evil.example", false),
            (Method::OPTIONS, CONSOLE, false),
        ] {
            let response = respond(method, origin, preflight).await;
            assert_eq!(response.status(), StatusCode::OK);
            let names = response.headers().keys().map(HeaderName::as_str);
            assert_eq!(names.filter(|name| name.starts_with("access-control")).count(), 0);
            let vary: Vec<_> = response.headers().get_all(VARY).iter().collect();
            assert_eq!(vary, ["accept", "origin"]);
        }
    }

    #[tokio::test]
    async fn allowed_page_reads_the_response_and_its_headers() {
        let response = respond(Method::POST, CONSOLE, false).await;
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], CONSOLE);
        let exposed = &response.headers()[ACCESS_CONTROL_EXPOSE_HEADERS];
        assert_eq!(exposed, "x-request-id,retry-after,ratelimit,ratelimit-policy");
        assert_eq!(response.headers().get_all(VARY).iter().count(), 2);
    }
}
