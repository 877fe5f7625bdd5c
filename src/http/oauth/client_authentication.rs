//! Who asks: the same three ways at every endpoint (RFC 6749, section 2.3; RFC 7523, section 2.2).

use std::borrow::Cow;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Request;
use super::error::OauthError;
use super::form::Form;
use crate::audit::FailedAuthentication;
use crate::clients::{Purpose, Refused};
use crate::error::Error;
use crate::tokens::{Assertion, Subject};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How much of a made-up `client_id` the audit log keeps.
const CLAIMED_LENGTH_MAX: usize = 64;

/// What a client shows to prove itself.
enum ClientCredentials {
    Secret { client_id: String, secret: String },
    Assertion(Assertion),
}

/// The client that asks, if it proves itself.
///
/// # Errors
/// `invalid_client`, in the same words whatever is wrong; `invalid_request` for two ways at once;
/// 429 after too many failures, known client or not, right credentials or not.
pub(super) async fn authenticate(
    request: &Request,
    operation: &'static str,
    purpose: Purpose,
) -> Result<Subject, OauthError> {
    let (state, address) = (&request.state, request.address);
    // Before anything is judged by time: nobody must be told that right credentials are wrong.
    state.time.require_usable().map_err(|error| OauthError::ours(&error))?;
    let now = state.authorizer.monotonic();
    let presented = present(&request.headers, &request.form)?;
    let client_id = presented.as_ref().map_or("", ClientCredentials::client_id).to_owned();
    let throttle = &state.oauth.throttle;
    if let Some(seconds) = throttle.blocked(&client_id, address, now) {
        tracing::warn!(address = %address, seconds, "client authentication not heard: too many failures");
        return Err(OauthError::TooManyFailures(seconds));
    }
    let judged = match presented {
        None => Err(Refused { client: None, reason: "no_credentials" }),
        Some(presented) => judge(request, purpose, &presented).await?,
    };
    judged.inspect(|_| throttle.proved(&client_id, address, now)).map_err(|refused| {
        throttle.failed(&client_id, address, now);
        record(request, operation, &client_id, refused);
        OauthError::InvalidClient
    })
}

async fn judge(
    request: &Request,
    purpose: Purpose,
    presented: &ClientCredentials,
) -> Result<Result<Subject, Refused>, OauthError> {
    let (state, from) = (&request.state, request.address);
    let ours = |error: Error| OauthError::ours(&error);
    match presented {
        ClientCredentials::Secret { client_id, secret } => {
            state.authenticator.by_secret(client_id, secret, from, purpose).await.map_err(ours)
        }
        ClientCredentials::Assertion(assertion) => {
            let proved = state
                .authenticator
                .by_assertion(assertion, &state.oauth.audiences)
                .await
                .map_err(ours)?;
            let proved = match proved {
                Ok(proved) => proved,
                Err(refused) => return Ok(Err(refused)),
            };
            // Each assertion that is used costs a write: counted like an operation of the graph.
            let taken = state.rate_limits.take_client(proved.client(), 1);
            taken.map_err(|exceeded| OauthError::TooManyRequests(exceeded.retry_after))?;
            state.authenticator.use_assertion(proved, from, purpose).await.map_err(ours)
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

/// The credentials, by one way; nothing if there are none that can be read.
fn present(headers: &HeaderMap, form: &Form) -> Result<Option<ClientCredentials>, OauthError> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let (header, more) = (headers.next(), headers.next());
    let by_assertion = form.has("client_assertion") || form.has("client_assertion_type");
    let ways = [header.is_some(), more.is_some(), form.has("client_secret"), by_assertion];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        return Err(OauthError::InvalidRequest("one way of authentication at a time"));
    }
    let presented = match header {
        Some(header) => basic(header),
        None if by_assertion => assertion(form)?,
        None => form.get("client_id").zip(form.get("client_secret")).map(|(client_id, secret)| {
            ClientCredentials::Secret { client_id: client_id.to_owned(), secret: secret.to_owned() }
        }),
    };
    let named = form.get("client_id").zip(presented.as_ref());
    if named.is_some_and(|(client_id, presented)| client_id != presented.client_id()) {
        return Err(OauthError::InvalidRequest(
            "client_id differs from the one that is authenticated",
        ));
    }
    Ok(presented)
}

fn assertion(form: &Form) -> Result<Option<ClientCredentials>, OauthError> {
    if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(OauthError::InvalidRequest(
            "the client_assertion_type offered is that of RFC 7523",
        ));
    }
    let jwt = form
        .get("client_assertion")
        .ok_or(OauthError::InvalidRequest("client_assertion is required"))?;
    Ok(Assertion::read(jwt).map(ClientCredentials::Assertion))
}

/// Reads `Basic base64(client_id ":" client_secret)`, both parts form-encoded (RFC 6749, section
/// 2.3.1). Clients that do not encode them send the same bytes, since ours need no encoding.
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
    // A lone value has no `=` or `&` of its own once encoded; one that was not encoded keeps them.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| Cow::into_owned(name))
}

/// Takes down why a client was refused. It is written after the answer: the caller must not see
/// from the time it takes whether there is such a client. Where there is none, the log of the
/// tenant at the top keeps what was claimed.
fn record(request: &Request, operation: &'static str, claimed: &str, refused: Refused) {
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
        reason,
        request_id,
    });
}

/// A stranger's text, made safe to keep.
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
    fn basic_is_form_decoded_and_its_scheme_knows_no_case() {
        assert_eq!(secret_of(&header("a%2Bb:c%3A%25d+e")), ("a+b".to_owned(), "c:%d e".to_owned()));
    }

    #[test]
    fn only_the_first_colon_separates() {
        assert_eq!(secret_of(&header("id:a:b=c&d")).1, "a:b=c&d");
    }

    #[test]
    fn two_ways_of_authentication_are_refused() {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header("id:secret"))]);
        let refused = |headers: &HeaderMap, form: &[u8]| {
            present(headers, &Form::parse(form).unwrap()).is_err()
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
    fn what_a_stranger_claims_is_cut_and_printable() {
        assert_eq!(printable("a\0b\nc"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(printable(&"x".repeat(1000)).len(), CLAIMED_LENGTH_MAX);
    }
}
