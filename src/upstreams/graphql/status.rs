//! The status of upstreams and links.

use async_graphql::SimpleObject;

use super::kinds::{CircuitState, LinkFailure, LinkState};
use crate::error::ErrorCode;
use crate::graph::graphql::DateTime;
use crate::outbound::Status;
use crate::upstreams::link_check;
use crate::upstreams::model::Link;

/// The status of a tenant's calls to an upstream.
#[derive(SimpleObject)]
pub struct UpstreamStatus {
    /// Whether the API responded to the last call; null before the first call.
    reachable: Option<bool>,
    /// When a call last succeeded, in RFC 3339.
    last_success_at: Option<String>,
    /// The error code of the last call; null if it succeeded.
    last_error_code: Option<ErrorCode>,
    /// The error code of the last call as text.
    last_error_code_text: Option<&'static str>,
    /// When the minted key in use expires, in RFC 3339.
    key_expires_at: Option<String>,
    /// The state of the circuit breaker between the tenant and the upstream.
    circuit: CircuitState,
    /// Whether the tenant that the link names was found at the upstream; null for an upstream
    /// itself.
    verification: Option<LinkVerification>,
}

impl UpstreamStatus {
    pub(super) fn of(status: Status, key_expires_at: Option<String>) -> Self {
        Self {
            reachable: status.reachable,
            last_success_at: status.last_success_at.map(|at| at.to_string()),
            last_error_code: status.last_error,
            last_error_code_text: status.last_error.map(ErrorCode::as_str),
            key_expires_at,
            circuit: status.circuit.into(),
            verification: None,
        }
    }

    pub(super) fn of_link(status: Status, key_expires_at: Option<String>, link: &Link) -> Self {
        let verification = Some(LinkVerification::of(link));
        Self { verification, ..Self::of(status, key_expires_at) }
    }
}

/// The result of the checks of a link. A link is checked when it is created, when it is used, by
/// `testLink`, and in the background while it is pending.
#[derive(SimpleObject)]
pub struct LinkVerification {
    /// Whether the tenant that the link names was found at the installation.
    state: LinkState,
    /// Why the last check failed; null if it did not.
    failure: Option<LinkFailure>,
    /// When the last check failed; null if it did not.
    failed_at: Option<DateTime>,
    /// When the tenant was last found; null if it never was.
    verified_at: Option<DateTime>,
}

impl LinkVerification {
    fn of(link: &Link) -> Self {
        let failure = link.failure.as_deref().and_then(link_check::LinkFailure::from_name);
        Self {
            state: link_check::LinkState::from_name(&link.verification).into(),
            failure: failure.map(LinkFailure::from),
            failed_at: link.failed_at.map(DateTime),
            verified_at: link.verified_at.map(DateTime),
        }
    }
}
