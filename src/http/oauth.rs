//! The token endpoint (RFC 6749, section 4.4: client credentials).

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Door;
use super::reply::{JSON, json_response};
use super::request_id::peer;
use crate::audit::Refusal;
use crate::auth::RequestId;
use crate::clients;
use crate::error::Error;
use crate::tokens::{IssuedToken, SCOPE};

/// A token request is a few hundred bytes.
const BODY_LIMIT: usize = 16 * 1024;

/// The errors of RFC 6749, section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OauthError {
    InvalidRequest(&'static str),
    InvalidClient,
    UnsupportedGrantType,
    InvalidScope,
    ServerError,
}

/// What the form of a token request holds; each parameter once.
#[derive(Debug, Default)]
struct Form {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
    tenant: Option<String>,
}

/// A `client_id` and a secret, as presented.
struct Credentials {
    client_id: String,
    secret: String,
}

/// Serves the token endpoint.
pub async fn token(
    State(door): State<Arc<Door>>,
    Extension(request_id): Extension<RequestId>,
    from: Option<Extension<ConnectInfo<SocketAddr>>>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if method != Method::POST {
        return method_not_allowed();
    }
    match grant(&door, &request_id, from.as_deref(), &headers, body).await {
        Ok(issued) => {
            let body = json!({
                "access_token": issued.token,
                "token_type": "Bearer",
                "expires_in": issued.expires_in,
                "scope": SCOPE,
            });
            no_store(json_response(StatusCode::OK, JSON, &body))
        }
        Err(error) => error.into_response(),
    }
}

async fn grant(
    door: &Arc<Door>,
    request_id: &RequestId,
    from: Option<&ConnectInfo<SocketAddr>>,
    headers: &HeaderMap,
    body: Body,
) -> Result<IssuedToken, OauthError> {
    let form = read_form(door, headers, body).await?;
    let presented = credentials(headers, &form)?;
    match form.grant_type.as_deref() {
        None | Some("") => return Err(OauthError::InvalidRequest("grant_type is required")),
        Some("client_credentials") => {}
        Some(_) => return Err(OauthError::UnsupportedGrantType),
    }
    if form.scope.as_deref().is_some_and(|scope| scope.split(' ').any(|scope| !scope.is_empty() && scope != SCOPE)) {
        return Err(OauthError::InvalidScope);
    }
    if form.tenant.is_some() {
        // To ignore it would give a token that reaches further than was asked for.
        return Err(OauthError::InvalidRequest("a token for one tenant alone is not offered"));
    }
    let failed = |error: Error| {
        error.log_cause();
        OauthError::ServerError
    };
    let judged = door.authenticator.authenticate(&presented.client_id, &presented.secret, peer(from)).await;
    match judged.map_err(failed)? {
        Ok(subject) => door.issuer.issue(&subject).map_err(failed),
        Err(refused) => {
            record_refusal(door, request_id, refused);
            Err(OauthError::InvalidClient)
        }
    }
}

async fn read_form(door: &Door, headers: &HeaderMap, body: Body) -> Result<Form, OauthError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OauthError::InvalidRequest("the body must be application/x-www-form-urlencoded"));
    }
    let bytes = tokio::time::timeout(door.body_timeout, to_bytes(body, BODY_LIMIT)).await;
    let bytes = bytes.map_err(|_| OauthError::InvalidRequest("the body took too long to arrive"))?;
    let bytes = bytes.map_err(|_| OauthError::InvalidRequest("the body is too large or broke off"))?;
    parse_form(&bytes)
}

/// Parameters that are not known are ignored, ones that stand twice are refused (RFC 6749, section 3.2).
fn parse_form(bytes: &[u8]) -> Result<Form, OauthError> {
    let mut form = Form::default();
    for (name, value) in form_urlencoded::parse(bytes) {
        let place = match &*name {
            "grant_type" => &mut form.grant_type,
            "client_id" => &mut form.client_id,
            "client_secret" => &mut form.client_secret,
            "scope" => &mut form.scope,
            "tenant" => &mut form.tenant,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(OauthError::InvalidRequest("a parameter stands twice"));
        }
    }
    Ok(form)
}

/// The credentials, from the Basic header or from the form, never from both (RFC 6749, section 2.3).
fn credentials(headers: &HeaderMap, form: &Form) -> Result<Credentials, OauthError> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let Some(header) = headers.next() else {
        let (client_id, secret) =
            form.client_id.clone().zip(form.client_secret.clone()).ok_or(OauthError::InvalidClient)?;
        return Ok(Credentials { client_id, secret });
    };
    if headers.next().is_some() || form.client_secret.is_some() {
        return Err(OauthError::InvalidRequest("one way of authentication at a time"));
    }
    let basic = basic(header).ok_or(OauthError::InvalidClient)?;
    if form.client_id.as_ref().is_some_and(|client_id| *client_id != basic.client_id) {
        return Err(OauthError::InvalidRequest("client_id differs between header and form"));
    }
    Ok(basic)
}

/// Reads `Basic base64(client_id ":" client_secret)`, both parts form-encoded (RFC 6749, section 2.3.1). Clients that do not
/// encode them send the same bytes, since ours need no encoding.
fn basic(header: &HeaderValue) -> Option<Credentials> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = pair.split_once(':')?;
    Some(Credentials { client_id: form_decoded(client_id), secret: form_decoded(secret) })
}

fn form_decoded(text: &str) -> String {
    // A lone value has no `=` or `&` of its own once encoded; one that was not encoded keeps them.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes()).next().map_or_else(String::new, |(name, _)| Cow::into_owned(name))
}

/// Writes down why a known client was refused, after the answer: the caller must not see from the time it takes that there
/// is such a client.
fn record_refusal(door: &Arc<Door>, request_id: &RequestId, refused: clients::Refused) {
    tracing::warn!(reason = refused.reason, "client authentication refused");
    let Some((client, tenant)) = refused.client else { return };
    let refusal = Refusal {
        actor: client.to_string(),
        acting_tenant: Some(tenant),
        tenant,
        operation: "token".to_owned(),
        code: "invalid_client",
        reason: Some(refused.reason),
        request_id: request_id.clone(),
    };
    let door = door.clone();
    tokio::spawn(async move { door.audit.refused(refusal).await });
}

impl OauthError {
    const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(description) => description,
            Self::InvalidClient => "unknown client, wrong secret, or no credentials",
            Self::UnsupportedGrantType => "the grant offered is client_credentials",
            Self::InvalidScope => "the scope offered is graphql",
            Self::ServerError => "something failed on our side",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest(_) | Self::UnsupportedGrantType | Self::InvalidScope => StatusCode::BAD_REQUEST,
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn into_response(self) -> Response {
        let body = json!({ "error": self.code(), "error_description": self.description() });
        let mut response = json_response(self.status(), JSON, &body);
        if self == Self::InvalidClient {
            let challenge = HeaderValue::from_static(r#"Basic realm="tenant-gateway", charset="UTF-8""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        no_store(response)
    }
}

fn method_not_allowed() -> Response {
    let body = json!({ "error": "invalid_request", "error_description": "the token endpoint takes POST" });
    let mut response = json_response(StatusCode::METHOD_NOT_ALLOWED, JSON, &body);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    no_store(response)
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> HeaderValue {
        HeaderValue::from_str(&format!("bAsIc {}", STANDARD.encode(text))).unwrap()
    }

    #[test]
    fn basic_is_form_decoded_and_its_scheme_knows_no_case() {
        let read = basic(&header("a%2Bb:c%3A%25d+e")).unwrap();
        assert_eq!((read.client_id.as_str(), read.secret.as_str()), ("a+b", "c:%d e"));
    }

    #[test]
    fn only_the_first_colon_separates() {
        assert_eq!(basic(&header("id:a:b=c&d")).unwrap().secret, "a:b=c&d");
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        assert!(parse_form(b"grant_type=a&grant_type=a").is_err());
        assert!(parse_form(b"unknown=a&unknown=a").is_ok());
    }

    #[test]
    fn two_ways_of_authentication_are_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header("id:secret"));
        let form = parse_form(b"client_secret=secret").unwrap();
        assert!(matches!(credentials(&headers, &form), Err(OauthError::InvalidRequest(_))));
        let form = parse_form(b"client_id=other").unwrap();
        assert!(matches!(credentials(&headers, &form), Err(OauthError::InvalidRequest(_))));
        let form = parse_form(b"client_id=id").unwrap();
        assert!(credentials(&headers, &form).is_ok());
    }
}
