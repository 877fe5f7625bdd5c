//! `/session`: describes the session to scripts of the gateway's own pages.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::visit::{Visit, page_headers};
use crate::http::json_reply::{JSON, json_response};

/// Returns the signed-in person, and the token that GraphQL requests with the cookie need in the
/// header `X-CSRF-Token`. Pages of other origins cannot read it: no answer allows them to send cookies.
/// A browser without a session that has opened no page yet has no token.
pub async fn show(visit: Visit) -> Response {
    let session = visit.session.as_ref().filter(|session| session.is_active());
    let user = session.map(
        |session| json!({ "id": session.user, "email": session.email, "tenantID": session.home }),
    );
    let has_token = visit.session.is_some() || !visit.is_new;
    let body = json!({
        "signedIn": session.is_some(),
        "user": user,
        "csrfToken": has_token.then(|| visit.csrf_token()),
    });
    let response = json_response(StatusCode::OK, JSON, &body);
    // A page that is opened at the same moment gives the browser its cookie. A second cookie would
    // replace it, and the page's forms would be refused as forged.
    if has_token { visit.guard(response) } else { page_headers(response) }
}
