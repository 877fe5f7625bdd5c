//! `/session`: describes the session to scripts of the gateway's own pages.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::visit::Visit;
use crate::http::json_reply::{JSON, json_response};

/// Returns the signed-in person, and the token that GraphQL requests with the cookie need in the
/// header `X-CSRF-Token`. Pages of other origins cannot read it: no answer allows them to send cookies.
pub async fn show(visit: Visit) -> Response {
    let session = visit.session.as_ref().filter(|session| session.is_active());
    let user = session.map(
        |session| json!({ "id": session.user, "email": session.email, "tenantID": session.home }),
    );
    let body = json!({
        "signedIn": session.is_some(),
        "user": user,
        "csrfToken": visit.csrf_token(),
    });
    visit.guard(json_response(StatusCode::OK, JSON, &body))
}
