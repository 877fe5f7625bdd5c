//! Requests of a page's script: JSON, with the token against forged requests in a header.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::visit::{Visit, page_headers};
use crate::http::body::{self, ContentType, is_encoded};
use crate::http::browser::{csrf, same_origin};
use crate::http::json_reply::{JSON, json_response};
use crate::http::state::AppState;

/// In bytes. The attestation of an authenticator has a few thousand.
const BODY_LIMIT: usize = 64 * 1024;

/// A request that a script of the gateway's own page sends by POST.
pub struct JsonVisit {
    /// The browser and its session.
    pub visit: Visit,
    /// The body.
    pub body: Value,
}

impl FromRequest<Arc<AppState>> for JsonVisit {
    type Rejection = Response;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let headers = parts.headers.clone();
        let content_type = ContentType::of(&headers);
        let is_json = content_type.is_some_and(|content_type| content_type.is("application/json"));
        if !is_json || is_encoded(&headers) {
            return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be JSON"));
        }
        let token = headers.get(csrf::HEADER).and_then(|token| token.to_str().ok());
        let is_own = same_origin::is_own_page(state.pages.origin.as_deref(), &headers);
        if !is_own || !csrf::is_valid(&headers, token.unwrap_or_default()) {
            let message = "X-CSRF-Token is missing or not valid; load the page again";
            return Err(refused(StatusCode::FORBIDDEN, message));
        }
        let bytes = body::read(body, BODY_LIMIT, state.body_timeout).await;
        let body = bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let body = body.ok_or_else(|| refused(StatusCode::BAD_REQUEST, "the body must be JSON"))?;
        let visit = Visit::of_script(state, &parts).await?;
        Ok(Self { visit, body })
    }
}

/// A response that says why nothing was done.
pub fn refused(status: StatusCode, message: &str) -> Response {
    page_headers(json_response(status, JSON, &json!({ "error": message })))
}
