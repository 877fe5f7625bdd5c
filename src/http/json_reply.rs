//! JSON replies that are not GraphQL responses.

use axum::Extension;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use crate::auth::RequestId;

/// The media type of JSON.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// `Retry-After` while the database is unavailable, in seconds: the gateway tries to reach it twice
/// a second.
pub const DATABASE_RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// A response with a JSON body.
pub fn json_response(
    status: StatusCode,
    content_type: HeaderValue,
    body: &impl serde::Serialize,
) -> Response {
    // Serialization cannot fail: all bodies are maps with text keys.
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// Status 400 for a request that violates HTTP.
pub fn bad_request(message: &str, id: Option<&RequestId>) -> Response {
    let id = id.map(RequestId::as_str);
    let body = json!({ "error": "bad_request", "message": message, "requestId": id });
    json_response(StatusCode::BAD_REQUEST, JSON, &body)
}

/// Status 404, with a hint where the path was probably meant to lead.
pub async fn no_such_path(uri: Uri, id: Option<Extension<RequestId>>) -> Response {
    let path = uri.path().trim_end_matches('/');
    let message = match path {
        "/playground" => {
            "the playground is off; playground.enabled = true in the settings turns it on"
        }
        "" => "nothing is served at this path; the GraphQL endpoint is /graphql",
        path if path.ends_with("/graphql") => "the GraphQL endpoint is /graphql",
        path if path.ends_with("/token") => "the token endpoint is /oauth2/token",
        "/health" => "the health checks are /health/live and /health/ready",
        "/metrics" => "the metrics are at the listener that the setting admin.listen names",
        _ => "no such path; the GraphQL endpoint is /graphql, the token endpoint /oauth2/token",
    };
    not_found(message, id)
}

/// Status 404 of the admin listener.
pub async fn no_such_admin_path(id: Option<Extension<RequestId>>) -> Response {
    let message = "this is the admin listener, which serves /health/live, /health/ready, /metrics \
        and POST /reload; everything else is at the address of server.listen";
    not_found(message, id)
}

fn not_found(message: &str, id: Option<Extension<RequestId>>) -> Response {
    let id = id.map(|Extension(id)| id.as_str().to_owned());
    let body: Value = json!({ "error": "not_found", "message": message, "requestId": id });
    json_response(StatusCode::NOT_FOUND, JSON, &body)
}
