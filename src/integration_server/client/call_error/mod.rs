//! Errors of calls.

use crate::error::{Error, ErrorCode, UpstreamDetail};
use crate::integration_server::model::VendorCode;
use crate::integration_server::wire::{self, Malformed};
use crate::outbound::{Failure, Kind, UpstreamRoute};

/// Why a call failed: a kind, on which the service decides, and an error that callers may see.
#[derive(Debug)]
pub struct CallError {
    kind: CallErrorKind,
    error: Error,
}

/// Kinds of faults. Every call may end in the last five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallErrorKind {
    /// The server has no such tenant.
    TenantNotFound,
    /// The tenant has no such machine.
    MachineNotFound,
    /// The server has no such task, or no longer.
    TaskNotFound,
    /// The server has no such report, or no longer.
    ReportNotFound,
    /// The BIOS identifier is registered, perhaps by another tenant.
    BiosIdTaken,
    /// The task has ended, so that it cannot be canceled.
    TaskEnded,
    /// The task is part of another, with which alone it can be canceled.
    TaskIsPart,
    /// The server rejected the input.
    BadInput,
    /// The server refused the gateway's account: its operator has to act.
    Unauthorized,
    /// A write was sent, and whether it took effect is unknown: reconcile before anything is sent
    /// again.
    OutcomeUnknown,
    /// The server refused, and nothing changed.
    Refused,
    /// The server at the base URL does not offer the API.
    NoApi,
    /// There was no answer, or a malformed one; nothing changed.
    Failed,
}

impl CallError {
    /// The kind of error.
    pub fn kind(&self) -> CallErrorKind {
        self.kind
    }

    /// The code of the error.
    pub(super) fn code(&self) -> ErrorCode {
        self.error.code()
    }

    pub(super) fn of_failure(failure: Failure, route: &UpstreamRoute, kind: Kind) -> Self {
        let error = failure.into_error(route, kind == Kind::Write);
        let kind = if error.is_outcome_unknown() {
            CallErrorKind::OutcomeUnknown
        } else {
            CallErrorKind::Failed
        };
        Self { kind, error }
    }

    pub(super) fn malformed(malformed: Malformed, route: &UpstreamRoute) -> Self {
        let error = Error::new(
            ErrorCode::UpstreamMalformed,
            "the legacy system gave an answer that cannot be understood",
        );
        let detail = UpstreamDetail { system: route.endpoint.system, status: None, code: None };
        Self {
            kind: CallErrorKind::Failed,
            error: error.because(malformed).of_upstream(detail).of_tenant(route.tenant),
        }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        error.error
    }
}

/// The object of a call; it decides what a status without a vendor code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Tenant,
    Registration,
    Machine,
    Task,
    Report,
    /// Nothing that could be missing.
    Nothing,
}

/// Classifies a response without a success status: by the status, then by the vendor code in its
/// body (reference, section 6).
pub(super) fn refusal(
    answer: &wire::ResponseBody<'_>,
    (status, sent, about): (u16, Kind, About),
    route: &UpstreamRoute,
    what: &str,
) -> CallError {
    let code = answer.vendor_code();
    let kind = kind(status, code.as_ref(), sent, about);
    let (public, sentence) = told(kind, status, code.as_ref());
    let cause = format!("{what} was answered with {status} {code:?}");
    let detail = UpstreamDetail {
        system: route.endpoint.system,
        status: Some(status),
        code: code.and_then(|code| code.as_str()),
    };
    let error =
        Error::new(public, sentence).because(cause).of_upstream(detail).of_tenant(route.tenant);
    let error =
        if kind == CallErrorKind::OutcomeUnknown { error.with_unknown_outcome() } else { error };
    CallError { kind, error }
}

fn kind(status: u16, code: Option<&VendorCode>, sent: Kind, about: About) -> CallErrorKind {
    match (status, code) {
        (401 | 403, _) => CallErrorKind::Unauthorized,
        (400, Some(code)) if is_bad_input(code) => CallErrorKind::BadInput,
        (404, Some(VendorCode::TenantWithSpecifiedIdNotFound)) => CallErrorKind::TenantNotFound,
        (404, Some(VendorCode::VmWithSpecifiedIdNotFound)) => CallErrorKind::MachineNotFound,
        (404, _) => match about {
            About::Tenant | About::Registration => CallErrorKind::TenantNotFound,
            About::Machine => CallErrorKind::MachineNotFound,
            About::Task => CallErrorKind::TaskNotFound,
            About::Report => CallErrorKind::ReportNotFound,
            // A list is at the same path of every server.
            About::Nothing if sent == Kind::Read => CallErrorKind::NoApi,
            About::Nothing => CallErrorKind::Refused,
        },
        (405, None) if about == About::Nothing && sent == Kind::Read => CallErrorKind::NoApi,
        (405, _) if about == About::Task => CallErrorKind::TaskIsPart,
        (409, _) if about == About::Task => CallErrorKind::TaskEnded,
        (409, _) if about == About::Registration => CallErrorKind::BiosIdTaken,
        // Before it can start, by its own word.
        (501, _) | (_, Some(VendorCode::ServiceNotConfigured)) => CallErrorKind::Refused,
        // Includes 503: the documentation has none, and a proxy may send it after the request has
        // reached the server.
        (500.., _) if sent == Kind::Write => CallErrorKind::OutcomeUnknown,
        (500.., _) => CallErrorKind::Failed,
        // A success that is not the one of this method, or a redirect.
        (..400, _) => CallErrorKind::Failed,
        _ => CallErrorKind::Refused,
    }
}

fn is_bad_input(code: &VendorCode) -> bool {
    matches!(
        code,
        VendorCode::MandatoryParameterIsNotSpecified
            | VendorCode::InvalidTenantType
            | VendorCode::VKscCredentialsNotSpecified
            | VendorCode::InvalidViisAddressFormat
            | VendorCode::PasswordNotComplyPolicy
    )
}

/// The code and the message for the caller.
fn told(kind: CallErrorKind, status: u16, code: Option<&VendorCode>) -> (ErrorCode, &'static str) {
    let sentence = code.map(VendorCode::sentence);
    match kind {
        CallErrorKind::TenantNotFound => {
            (ErrorCode::NotFound, VendorCode::TenantWithSpecifiedIdNotFound.sentence())
        }
        CallErrorKind::MachineNotFound => {
            (ErrorCode::NotFound, VendorCode::VmWithSpecifiedIdNotFound.sentence())
        }
        CallErrorKind::TaskNotFound => (ErrorCode::NotFound, "no such task"),
        CallErrorKind::ReportNotFound => (ErrorCode::NotFound, "no such report"),
        CallErrorKind::BiosIdTaken => {
            (ErrorCode::Conflict, VendorCode::VmWithSpecifiedBiosIdAlreadyExists.sentence())
        }
        CallErrorKind::TaskEnded => (ErrorCode::Conflict, "the task has ended"),
        CallErrorKind::TaskIsPart => {
            (ErrorCode::Conflict, "the task can only be canceled together with its parent task")
        }
        CallErrorKind::BadInput => (
            ErrorCode::BadUserInput,
            sentence.unwrap_or("the Integration Server rejected the input"),
        ),
        CallErrorKind::Unauthorized => (
            ErrorCode::UpstreamUnauthorized,
            "the legacy system rejected the gateway's account; its operator must update it",
        ),
        CallErrorKind::OutcomeUnknown => (
            ErrorCode::UpstreamUnavailable,
            "the legacy system failed, and it is unknown whether the change took effect",
        ),
        CallErrorKind::NoApi => (
            ErrorCode::UpstreamMalformed,
            "the Integration Server's API does not answer at the upstream's base URL; set it to \
            the root of the server",
        ),
        CallErrorKind::Failed if status < 400 => (
            ErrorCode::UpstreamMalformed,
            "the legacy system gave an answer that cannot be understood",
        ),
        CallErrorKind::Failed => {
            (ErrorCode::UpstreamUnavailable, "the Integration Server returned a server error")
        }
        CallErrorKind::Refused => refused(status, sentence),
    }
}

fn refused(status: u16, sentence: Option<&'static str>) -> (ErrorCode, &'static str) {
    match status {
        408 | 429 => (
            ErrorCode::UpstreamUnavailable,
            "the legacy system does not accept requests at the moment; try again later",
        ),
        409 => (
            ErrorCode::Conflict,
            sentence.unwrap_or(
                "the request conflicts with the current state of the Integration Server",
            ),
        ),
        _ => (
            ErrorCode::UpstreamRejected,
            sentence.unwrap_or("the Integration Server rejected the request"),
        ),
    }
}

#[cfg(test)]
mod tests;
