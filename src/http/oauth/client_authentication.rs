//! Client authentication, by the same three methods at every endpoint (RFC 6749, section 2.3; RFC
//! 7523, section 2.2).

use std::borrow::Cow;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Request;
use super::error::OauthError;
use super::form::Form;
use crate::audit::FailedAuthentication;
use crate::clients::{AuthenticationFailure, Purpose, Refused};
use crate::tokens::{Assertion, Subject};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How many characters of an unknown `client_id` the audit log keeps.
const CLAIMED_LENGTH_MAX: usize = 64;

/// The credentials of a client.
enum ClientCredentials {
    Secret { client_id: String, secret: String },
    Assertion(Assertion),
}

/// Authenticates the client of a request.
///
/// # Errors
/// `invalid_client`, with the same description whatever is wrong; `invalid_request` for more than
/// one authentication method; 429 after too many failures, whether or not the client exists and the
/// credentials are valid.
pub(super) async fn authenticate(
    request: &Request,
    operation: &'static str,
    purpose: Purpose,
) -> Result<Subject, OauthError> {
    let state = &request.state;
    let address = request.address;
    // A wrong clock would make valid credentials look expired.
    state.time.require_usable().map_err(|error| OauthError::internal(&error))?;
    let now = state.authorizer.monotonic();
    let credentials = read_credentials(&request.headers, &request.form)?;
    let client_id = credentials.as_ref().map_or("", ClientCredentials::client_id).to_owned();
    let throttle = &state.oauth.throttle;
    if let Some(seconds) = throttle.blocked(&client_id, address, now) {
        tracing::warn!(
            address = %address,
            seconds,
            "client authentication throttled after too many failures"
        );
        return Err(OauthError::TooManyFailures(seconds));
    }
    let verified = match credentials {
        None => Err(Refused { client: None, reason: "no_credentials" }.into()),
        Some(credentials) => verify(request, purpose, &credentials).await,
    };
    match verified {
        Ok(subject) => {
            throttle.succeeded(&client_id, address, now);
            Ok(subject)
        }
        Err(Unverified::Refused(refused)) => {
            throttle.failed(&client_id, address, now);
            record_failure(request, operation, &client_id, refused);
            Err(OauthError::InvalidClient)
        }
        Err(Unverified::Failed(error)) => Err(error),
    }
}

/// Why a client is not verified.
enum Unverified {
    Refused(Refused),
    Failed(OauthError),
}

impl From<Refused> for Unverified {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<AuthenticationFailure> for Unverified {
    fn from(failure: AuthenticationFailure) -> Self {
        match failure {
            AuthenticationFailure::Refused(refused) => Self::Refused(refused),
            AuthenticationFailure::Failed(error) => Self::Failed(OauthError::internal(&error)),
        }
    }
}

async fn verify(
    request: &Request,
    purpose: Purpose,
    credentials: &ClientCredentials,
) -> Result<Subject, Unverified> {
    let state = &request.state;
    let from = request.address;
    match credentials {
        ClientCredentials::Secret { client_id, secret } => {
            Ok(state.authenticator.by_secret(client_id, secret, from, purpose).await?)
        }
        ClientCredentials::Assertion(assertion) => {
            let audiences = &state.oauth.audiences;
            let proved = state.authenticator.by_assertion(assertion, audiences).await?;
            // Each use of an assertion costs a write: it counts like a GraphQL operation.
            let taken = state.rate_limits.take_subject(proved.client().into(), 1);
            taken.map_err(|exceeded| {
                Unverified::Failed(OauthError::TooManyRequests(exceeded.retry_after))
            })?;
            Ok(state.authenticator.use_assertion(proved, from, purpose).await?)
        }
    }
}

impl ClientCredentials {
    fn client_id(&self) -> &str {
        match self {
            Self::Secret { client_id, .. } => client_id,
            Self::Assertion(assertion) => assertion.client_id(),
        }
    }
}

/// The credentials of a request; `None` if there are no readable ones.
///
/// # Errors
/// `invalid_request` for more than one authentication method.
fn read_credentials(
    headers: &HeaderMap,
    form: &Form,
) -> Result<Option<ClientCredentials>, OauthError> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let header = headers.next();
    let more = headers.next();
    let by_assertion = form.has("client_assertion") || form.has("client_assertion_type");
    let methods = [header.is_some(), more.is_some(), form.has("client_secret"), by_assertion];
    if methods.into_iter().filter(|used| *used).count() > 1 {
        return Err(OauthError::InvalidRequest("use exactly one client authentication method"));
    }
    let credentials = match header {
        Some(header) => basic(header),
        None if by_assertion => assertion(form)?,
        None => form.get("client_id").zip(form.get("client_secret")).map(|(client_id, secret)| {
            ClientCredentials::Secret { client_id: client_id.to_owned(), secret: secret.to_owned() }
        }),
    };
    let named = form.get("client_id").zip(credentials.as_ref());
    if named.is_some_and(|(client_id, credentials)| client_id != credentials.client_id()) {
        return Err(OauthError::InvalidRequest(
            "client_id does not match the authenticated client",
        ));
    }
    Ok(credentials)
}

fn assertion(form: &Form) -> Result<Option<ClientCredentials>, OauthError> {
    if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(OauthError::InvalidRequest(
            "unsupported client_assertion_type; expected \
             urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ));
    }
    let jwt = form
        .get("client_assertion")
        .ok_or(OauthError::InvalidRequest("client_assertion is required"))?;
    Ok(Assertion::read(jwt).map(ClientCredentials::Assertion))
}

/// Reads `Basic base64(client_id ":" client_secret)`, both parts form-encoded (RFC 6749, section
/// 2.3.1). Our ids and secrets are the same with and without that encoding.
fn basic(header: &HeaderValue) -> Option<ClientCredentials> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = pair.split_once(':')?;
    Some(ClientCredentials::Secret {
        client_id: form_decoded(client_id),
        secret: form_decoded(secret),
    })
}

fn form_decoded(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    // An encoded value has no `=` or `&`; escaped, those of an unencoded value do not separate.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| Cow::into_owned(name))
}

/// Records a failed authentication, after the response: its duration must not reveal whether the
/// client exists. If it does not, the log of the root tenant keeps the claimed `client_id`.
fn record_failure(request: &Request, operation: &'static str, claimed: &str, refused: Refused) {
    let Refused { client, reason } = refused;
    tracing::warn!(reason, address = %request.address, "client authentication refused");
    let (actor, tenant) = match client {
        Some((client, tenant)) => (client.to_string(), Some(tenant)),
        None => (printable(claimed), None),
    };
    let request_id = request.id.clone();
    request.state.audit.authentication_failed(FailedAuthentication {
        actor,
        tenant,
        operation,
        code: "invalid_client",
        reason,
        request_id,
    });
}

/// A claimed `client_id`, shortened and without control characters.
fn printable(claimed: &str) -> String {
    let kept = claimed.chars().take(CLAIMED_LENGTH_MAX);
    kept.map(
        |character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character },
    )
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> HeaderValue {
        HeaderValue::from_str(&format!("bAsIc {}", STANDARD.encode(text))).unwrap()
    }

    fn secret_of(header: &HeaderValue) -> (String, String) {
        match basic(header) {
            Some(ClientCredentials::Secret { client_id, secret }) => (client_id, secret),
            _ => panic!("no secret"),
        }
    }

    #[test]
    fn basic_credentials_are_form_decoded_and_the_scheme_ignores_case() {
        assert_eq!(secret_of(&header("a%2Bb:c%3A%25d+e")), ("a+b".to_owned(), "c:%d e".to_owned()));
    }

    #[test]
    fn first_colon_separates_id_and_secret() {
        assert_eq!(secret_of(&header("id:a:b=c&d")).1, "a:b=c&d");
    }

    #[test]
    fn two_authentication_methods_are_rejected() {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header("id:secret"))]);
        let refused = |headers: &HeaderMap, form: &[u8]| {
            read_credentials(headers, &Form::parse(form).unwrap()).is_err()
        };
        for form in [
            &b"client_secret=secret"[..],
            b"client_secret=",
            b"client_assertion=x",
            b"client_id=other",
        ] {
            assert!(refused(&headers, form), "{}", String::from_utf8_lossy(form));
        }
        assert!(!refused(&headers, b"client_id=id"));
        assert!(refused(&HeaderMap::new(), b"client_secret=secret&client_assertion=x"));
        assert!(refused(&HeaderMap::new(), b"client_assertion=x"));
    }

    #[test]
    fn claimed_client_id_is_shortened_and_printable() {
        assert_eq!(printable("a\0b\nc"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(printable(&"x".repeat(1000)).len(), CLAIMED_LENGTH_MAX);
    }
}
