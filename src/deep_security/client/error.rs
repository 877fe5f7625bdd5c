//! The errors of calls to Deep Security, without any of the vendor's text.

use crate::deep_security::model::ObjectId;
use crate::error::{Error, ErrorCode, UpstreamDetail};
use crate::outbound::UpstreamRoute;

/// Why a call failed.
#[derive(Debug)]
pub enum CallError {
    /// 401 or 403: the credential is invalid, or its role lacks a right. Nothing was done. No
    /// source says which of the two statuses means what (`docs/reference/deep-security-api.md`,
    /// section 4).
    Credential(u16),
    /// Any other failure.
    Other(Error),
}

impl CallError {
    /// The error for the caller, where the gateway's own credential was used.
    pub fn into_error(self, route: &UpstreamRoute) -> Error {
        match self {
            Self::Credential(status) => unauthorized(route, status),
            Self::Other(error) => error,
        }
    }
}

/// Names the system and the tenant in an error.
pub fn with_upstream(error: Error, route: &UpstreamRoute, status: Option<u16>) -> Error {
    let detail = UpstreamDetail { system: route.endpoint.system, status, code: None };
    error.of_upstream(detail).of_tenant(route.tenant)
}

/// `UPSTREAM_UNAUTHORIZED`: the operator of the installation has to renew the credential or to
/// grant it more rights.
fn unauthorized(route: &UpstreamRoute, status: u16) -> Error {
    let message = format!("Deep Security refused the gateway's credential ({status})");
    with_upstream(Error::new(ErrorCode::UpstreamUnauthorized, message), route, Some(status))
}

/// `UPSTREAM_REJECTED`: the key is valid, but its role lacks a right.
pub fn lacks_right(route: &UpstreamRoute, status: u16) -> Error {
    let message = "the gateway's role in Deep Security lacks the right for this request";
    with_upstream(Error::new(ErrorCode::UpstreamRejected, message), route, Some(status))
}

/// `NOT_FOUND`: a link names a tenant that the installation does not have.
pub fn no_such_tenant(route: &UpstreamRoute, id: ObjectId) -> Error {
    let message = format!(
        "Deep Security has no tenant {}: the link's remoteTenantID is wrong, \
         or the tenant was deleted there",
        id.0
    );
    with_upstream(Error::new(ErrorCode::NotFound, message), route, Some(404))
}

/// `UPSTREAM_MALFORMED`: the response does not follow the API reference. Only the log shows the
/// cause.
pub fn malformed(route: &UpstreamRoute, cause: String) -> Error {
    let message = "Deep Security returned a response that does not follow its API reference";
    let error = Error::new(ErrorCode::UpstreamMalformed, message);
    with_upstream(error.because(cause), route, Some(200))
}

/// `UPSTREAM_MALFORMED`: the base URL leads to something other than the API.
pub(super) fn not_the_api(route: &UpstreamRoute, status: u16) -> Error {
    let message = format!(
        "no Deep Security API at the upstream's base URL ({status}); the URL must end with /api"
    );
    with_upstream(Error::new(ErrorCode::UpstreamMalformed, message), route, Some(status))
}

/// The error of an unsuccessful status.
pub(super) fn of_status(route: &UpstreamRoute, status: u16, is_write: bool) -> Error {
    let error = match status {
        404 => Error::not_found("object in Deep Security"),
        // Not RATE_LIMITED, which is the gateway's own and says when to retry: the vendor does not
        // tell, and other clients use up the same allowance.
        429 => Error::new(
            ErrorCode::UpstreamUnavailable,
            "Deep Security refused the request: too many requests (429)",
        ),
        408 => Error::new(
            ErrorCode::UpstreamUnavailable,
            "Deep Security gave up waiting for the request (408)",
        ),
        400..=499 => Error::new(
            ErrorCode::UpstreamRejected,
            format!("Deep Security rejected the request ({status})"),
        ),
        _ => Error::new(
            ErrorCode::UpstreamUnavailable,
            format!("Deep Security returned a server error ({status})"),
        ),
    };
    let error = with_upstream(error, route, Some(status));
    // A server error may follow a completed write.
    if is_write && status >= 500 { error.with_unknown_outcome() } else { error }
}
