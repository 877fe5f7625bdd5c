//! The answers to a browser: pages, redirects and failures.

use askama::Template;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    SET_COOKIE, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::Visit;
use crate::error::{Error, ErrorCode};
use crate::http::browser::cookies;
use crate::http::json_reply::DATABASE_RETRY_AFTER;
use crate::http::pages::views::MessagePage;
use crate::http::paths;
use crate::secret::PlainSecret;

/// The Content-Security-Policy: only the gateway's own files, forms only to the gateway, no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

impl Visit {
    /// A page.
    pub fn page(&self, status: StatusCode, page: &impl Template) -> Response {
        match page.render() {
            Ok(html) => self.html(status, html),
            Err(error) => {
                Error::internal(error).log_cause();
                self.html(StatusCode::INTERNAL_SERVER_ERROR, String::new())
            }
        }
    }

    fn html(&self, status: StatusCode, html: String) -> Response {
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let media_type = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        self.guard(response)
    }

    /// The response with [`page_headers`], and the cookie of a new browser.
    pub fn guard(&self, response: Response) -> Response {
        let mut response = page_headers(response);
        if self.is_new
            && let Some(cookie) = cookies::set(cookies::CSRF, &self.csrf_cookie)
        {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// Status 303 to a path of the gateway, also after a form.
    pub fn redirect(&self, path: &str) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let location = HeaderValue::from_str(&format!("{}{path}", self.state.pages.base));
        if let Ok(location) = location {
            response.headers_mut().insert(LOCATION, location);
        }
        self.guard(response)
    }

    /// Status 303 to another site, after a link: the policy of the pages keeps forms from it.
    pub fn leave(&self, url: &str) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        if let Ok(location) = HeaderValue::from_str(url) {
            response.headers_mut().insert(LOCATION, location);
        }
        self.guard(response)
    }

    /// Status 303 to a path of the gateway, with the cookie of a new session.
    pub fn redirect_with(&self, path: &str, session: &PlainSecret) -> Response {
        with_session(self.redirect(path), session)
    }

    /// Status 303 to a path of the gateway; the browser forgets its session cookie.
    pub fn redirect_without_session(&self, path: &str) -> Response {
        let mut response = self.redirect(path);
        if let Some(cookie) = cookies::clear(cookies::SESSION) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// A page that says why nothing was done.
    pub fn message(&self, status: StatusCode, heading: &'static str, text: &str) -> Response {
        let page = MessagePage {
            page: self.frame(),
            heading,
            text: text.to_owned(),
            is_success: false,
            link: None,
        };
        self.page(status, &page)
    }

    /// A page for a request that cannot be read.
    pub(super) fn refuse(&self, status: StatusCode) -> Response {
        let text = "The request is malformed. Open the page again and repeat what you did.";
        self.message(status, "Something is wrong with this request", text)
    }

    /// A page for an error, whose cause is logged.
    pub fn failed(&self, error: &Error) -> Response {
        error.log_cause();
        if error.code() == ErrorCode::Unauthenticated {
            return self.redirect_without_session(paths::LOGIN);
        }
        let is_unavailable = error.code() == ErrorCode::DatabaseUnavailable;
        let status = StatusCode::from_u16(error.code().http_status());
        let text = if is_unavailable {
            "The service is temporarily unavailable. Try again in a moment."
        } else {
            "Something failed on our side. Try again; if it fails again, tell your administrator \
             the request id in the response header X-Request-ID."
        };
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.message(status, "That did not work", text);
        if is_unavailable {
            response.headers_mut().insert(RETRY_AFTER, DATABASE_RETRY_AFTER);
        }
        response
    }

    /// The answer, or the page for its error.
    pub fn answer(&self, answer: Result<Response, Error>) -> Response {
        answer.unwrap_or_else(|error| self.failed(&error))
    }
}

/// Adds the headers of every answer to a browser: nothing of it is kept or shown elsewhere.
pub fn page_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        // Without a referrer browsers would send forms with the origin `null`.
        (REFERRER_POLICY, "same-origin"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The seconds after which a refused request may be repeated.
#[derive(Clone, Copy, Debug)]
pub struct RetryAfter(pub u64);

impl RetryAfter {
    /// The refusal with the header that says so.
    pub fn on(self, mut refusal: Response) -> Response {
        refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.0));
        refusal
    }
}

/// Sets the session cookie of the browser.
pub fn with_session(mut response: Response, session: &PlainSecret) -> Response {
    if let Some(cookie) = cookies::set(cookies::SESSION, session) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
