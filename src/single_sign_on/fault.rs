//! The ways in which a provider, or a sign-in at it, can fail.

use crate::error::Error;
use crate::outbound::Failure;

/// Why a provider cannot be used, in words for the administrator who set it. They name no text of
/// the provider's answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    /// No connection could be made, or the provider failed repeatedly.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// It did not answer in time.
    #[error("the provider did not respond in time")]
    Timeout,
    /// Its answer is not what the protocol requires.
    #[error("the provider's response is not valid: {0}")]
    Malformed(String),
    /// One of its endpoints is at an address that the gateway must not call, or that it cannot.
    #[error("the provider's endpoint {0}")]
    Endpoint(String),
    /// It refused the authorization code or the client's credentials.
    #[error("the provider refused the client: check client id and secret")]
    ClientRefused,
}

impl From<Failure> for ProviderFault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout { .. } | Failure::Deadline => Self::Timeout,
            Failure::Malformed(_) => Self::Malformed("it is not HTTP, or is too long".to_owned()),
            Failure::InvalidRequest(what) => Self::Endpoint(format!("cannot be called: {what}")),
            Failure::Unreachable(_)
            | Failure::ConnectionLost(_)
            | Failure::CircuitOpen
            | Failure::CallLimit { .. }
            | Failure::QueueFull
            | Failure::NoRoom { .. }
            | Failure::OverShare => Self::Unreachable,
        }
    }
}

/// Why a sign-in at a provider did not succeed.
#[derive(Clone, Debug)]
pub enum SignInFailure {
    /// There is no such sign-in: it expired, was finished already, or began in another browser.
    Expired,
    /// The provider cannot be used at present.
    Unavailable(ProviderFault),
    /// The person or the provider declined.
    Declined,
    /// The provider's answer was refused, or does not lead to an account; the reason is for the
    /// audit log alone.
    Refused(&'static str),
    /// The gateway failed.
    Internal(Error),
}

impl SignInFailure {
    /// The reason as the audit log has it; `None` for failures that say nothing about a person.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Expired => Some("sign_in_expired"),
            Self::Unavailable(_) => Some("provider_unavailable"),
            Self::Declined => Some("declined_by_provider"),
            Self::Refused(reason) => Some(reason),
            Self::Internal(_) => None,
        }
    }
}

impl From<Error> for SignInFailure {
    fn from(error: Error) -> Self {
        Self::Internal(error)
    }
}

impl From<ProviderFault> for SignInFailure {
    fn from(fault: ProviderFault) -> Self {
        match fault {
            ProviderFault::ClientRefused => Self::Refused("provider_refused_client"),
            fault => Self::Unavailable(fault),
        }
    }
}
