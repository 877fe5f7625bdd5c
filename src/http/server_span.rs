//! The span of a request, by the semantic conventions of OpenTelemetry for HTTP servers.

use std::future::Future;

use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Level, Span};

use super::graphql::Summaries;
use super::paths;
use crate::single_sign_on::CALLBACK_PATH;
use crate::telemetry::{SPANS, TraceContext, continue_trace, within};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// Probes, which would make most of the traces of an idle node.
const NOT_RECORDED: [&str; 4] = [paths::LIVE, paths::HEALTHZ, paths::READY, paths::READYZ];

/// Paths that are constants.
const HTTP_ROUTES: [&str; 27] = [
    paths::GRAPHQL,
    paths::PUBLIC_QUERY,
    paths::PLAYGROUND,
    paths::PLAYGROUND_SIGN_IN,
    paths::TOKEN,
    paths::TAEGIS_TOKEN,
    paths::INTROSPECT,
    paths::REVOKE,
    paths::JWKS,
    paths::AUTHORIZATION_SERVER,
    paths::OPENID_CONFIGURATION,
    paths::DEVICE_AUTHORIZATION,
    paths::TAEGIS_DEVICE_CODE,
    paths::TAEGIS_DEVICE_TOKEN,
    paths::LOGIN,
    paths::LOGIN_CODE,
    paths::LOGIN_SSO,
    paths::LOGIN_PASSKEY,
    paths::LOGIN_PASSKEY_OPTIONS,
    paths::LOGOUT,
    paths::ACCOUNT,
    paths::ACCOUNT_SESSIONS,
    paths::ACCOUNT_TOTP,
    paths::ACCOUNT_PASSKEYS,
    paths::DEVICE,
    paths::SESSION,
    CALLBACK_PATH,
];

/// Paths with one more segment, which may be a secret.
const HTTP_ROUTES_BELOW: [&str; 5] =
    [paths::INVITE, paths::ASSETS, paths::PLAYGROUND, paths::ACCOUNT_PASSKEYS, CALLBACK_PATH];

/// The span of a request. It names neither its path nor its query, which may hold credentials, but
/// the route.
pub struct ServerSpan(Span);

impl ServerSpan {
    /// Begins it, as a child of the caller's span if the request names one.
    pub fn begin(request: &Request, request_id: &str) -> Self {
        let path = request.uri().path();
        // Without traces, not even the route is looked for.
        if NOT_RECORDED.contains(&path) || !tracing::span_enabled!(target: SPANS, Level::INFO) {
            return Self(Span::none());
        }
        let method = method_name(request.method());
        let route = http_route(path);
        let span = tracing::info_span!(
            target: SPANS,
            parent: None,
            "request",
            otel.kind = "server",
            otel.name = span_name(method, route.as_deref()),
            http.request.method = method,
            http.route = route,
            http.response.status_code = Empty,
            url.scheme = "http",
            tenant_gateway.request.id = request_id,
            tenant_gateway.error.codes = Empty,
            error.type = Empty,
            otel.status_code = Empty,
        );
        if !span.is_disabled()
            && let Some(caller) = traceparent(request.headers())
        {
            continue_trace(&span, caller, &tracestate(request.headers()));
        }
        Self(span)
    }

    /// Runs the handling of the request in it.
    pub fn within<F: Future>(&self, work: F) -> impl Future<Output = F::Output> {
        within(self.0.clone(), work)
    }

    /// Adds the outcome. A status of the caller's fault does not mark it as failed.
    pub fn complete(&self, response: &Response) {
        if self.0.is_disabled() {
            return;
        }
        let status = response.status();
        self.0.record("http.response.status_code", i64::from(status.as_u16()));
        if let Some(Summaries(operations)) = response.extensions().get() {
            let codes = distinct(operations.iter().flat_map(|one| one.codes.iter().copied()));
            if !codes.is_empty() {
                self.0.record("tenant_gateway.error.codes", codes.join(","));
            }
        }
        if status.is_server_error() {
            self.0.record("error.type", status.as_str());
            self.0.record("otel.status_code", "ERROR");
        }
    }
}

/// Each code once: a batch may have thousands of errors, and there are few codes.
fn distinct(codes: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut distinct = Vec::new();
    for code in codes {
        if !distinct.contains(&code) {
            distinct.push(code);
        }
    }
    distinct
}

/// The span that the request names; a repeated header counts as none.
fn traceparent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut given = headers.get_all(TRACEPARENT).iter();
    let only = given.next().filter(|_| given.next().is_none())?;
    TraceContext::parse(only.to_str().ok()?)
}

/// The state of the caller's trace: headers of this name are one list (W3C Trace Context, section
/// 3.3).
fn tracestate(headers: &HeaderMap) -> String {
    let given = headers.get_all(TRACESTATE).iter();
    let given: Option<Vec<_>> = given.map(|value| value.to_str().ok()).collect();
    given.unwrap_or_default().join(",")
}

/// A method is any word that a client sends; the conventions have one for all unknown ones.
fn method_name(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

fn span_name(method: &'static str, route: Option<&str>) -> String {
    let method = if method == "_OTHER" { "HTTP" } else { method };
    route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"))
}

/// The route of a path that is served.
fn http_route(path: &str) -> Option<String> {
    if let Some(route) = HTTP_ROUTES.into_iter().find(|route| *route == path) {
        return Some(route.to_owned());
    }
    let below = |base: &&str| path.strip_prefix(*base).is_some_and(|rest| rest.starts_with('/'));
    HTTP_ROUTES_BELOW.into_iter().find(below).map(|base| format!("{base}/{{}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn route_never_holds_a_segment_of_the_caller() {
        assert_eq!(http_route("/graphql").as_deref(), Some("/graphql"));
        assert_eq!(http_route("/invite/a-secret-token").as_deref(), Some("/invite/{}"));
        assert_eq!(
            http_route("/account/passkeys/options").as_deref(),
            Some("/account/passkeys/{}")
        );
        for unknown in ["/", "/graphqlx", "/a-secret", "/INVITE/a-secret", "/invited/x"] {
            assert_eq!(http_route(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn codes_of_a_batch_are_named_once() {
        let codes = ["NOT_FOUND", "FORBIDDEN"].into_iter().cycle().take(10_000);
        assert_eq!(distinct(codes), ["NOT_FOUND", "FORBIDDEN"]);
    }

    #[test]
    fn unknown_method_is_not_named() {
        assert_eq!(method_name(&Method::POST), "POST");
        let method = method_name(&"SECRET".parse().unwrap());
        assert_eq!((method, span_name(method, None).as_str()), ("_OTHER", "HTTP"));
    }

    #[test]
    fn repeated_traceparent_counts_as_none_and_tracestates_are_joined() {
        const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(traceparent(&headers(TRACEPARENT, &[GIVEN])).is_some());
        assert!(traceparent(&headers(TRACEPARENT, &[GIVEN, GIVEN])).is_none());
        assert!(traceparent(&headers(TRACEPARENT, &["nonsense"])).is_none());
        assert_eq!(tracestate(&headers(TRACESTATE, &["a=1", "b=2"])), "a=1,b=2");
    }
}
