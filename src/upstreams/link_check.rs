//! Whether an installation has the tenant that a link names.

use crate::error::{Error, ErrorCode, Result};

/// Whether the remote tenant of a link was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Not yet: the installation could not be asked.
    Pending,
    /// The installation has the tenant.
    Verified,
    /// The installation says that it has no such tenant.
    Failed,
}

impl LinkState {
    /// The name, as the graph and the database have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Verified => "VERIFIED",
            Self::Failed => "FAILED",
        }
    }

    /// The state of that name. One that only a newer version knows counts as pending.
    pub fn from_name(name: &str) -> Self {
        let known = [Self::Pending, Self::Verified, Self::Failed];
        known.into_iter().find(|known| known.as_str() == name).unwrap_or(Self::Pending)
    }
}

/// Why a check of a link failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFailure {
    /// The installation has no such tenant.
    RemoteTenantNotFound,
    /// The installation refuses the upstream's credential.
    CredentialRefused,
    /// The credential lacks the right to see the tenant.
    AccessDenied,
    /// The installation does not answer, or not in time.
    Unreachable,
    /// The server at the base URL does not answer as that system's API does.
    UnexpectedAnswer,
}

impl LinkFailure {
    /// The name, as the graph and the database have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RemoteTenantNotFound => "REMOTE_TENANT_NOT_FOUND",
            Self::CredentialRefused => "CREDENTIAL_REFUSED",
            Self::AccessDenied => "ACCESS_DENIED",
            Self::Unreachable => "UNREACHABLE",
            Self::UnexpectedAnswer => "UNEXPECTED_ANSWER",
        }
    }

    /// The failure of that name; `None` for one that only a newer version knows.
    pub fn from_name(name: &str) -> Option<Self> {
        let known = [
            Self::RemoteTenantNotFound,
            Self::CredentialRefused,
            Self::AccessDenied,
            Self::Unreachable,
            Self::UnexpectedAnswer,
        ];
        known.into_iter().find(|known| known.as_str() == name)
    }

    /// The finding for an error of the installation; `None` for an error of the gateway itself,
    /// which says nothing about the link.
    fn of(error: &Error) -> Option<Self> {
        match error.code() {
            ErrorCode::NotFound | ErrorCode::BadUserInput => Some(Self::RemoteTenantNotFound),
            ErrorCode::UpstreamUnauthorized => Some(Self::CredentialRefused),
            ErrorCode::UpstreamRejected => Some(Self::AccessDenied),
            ErrorCode::UpstreamMalformed => Some(Self::UnexpectedAnswer),
            ErrorCode::UpstreamUnavailable
            | ErrorCode::UpstreamTimeout
            | ErrorCode::CircuitOpen => Some(Self::Unreachable),
            _ => None,
        }
    }
}

/// The result of the last check of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCheck {
    /// The installation has the tenant.
    Verified,
    /// The check could not tell; the reason if one was made. The previous result still applies.
    Unknown(Option<LinkFailure>),
    /// It has no such tenant.
    Missing,
}

impl LinkCheck {
    /// Not checked yet.
    pub const PENDING: Self = Self::Unknown(None);

    /// Turns the installation's answer into a finding.
    ///
    /// # Errors
    /// If the gateway itself failed, so that nothing was learned.
    pub fn of(asked: &Result<()>) -> Result<Self> {
        let Err(error) = asked else { return Ok(Self::Verified) };
        match LinkFailure::of(error) {
            Some(LinkFailure::RemoteTenantNotFound) => Ok(Self::Missing),
            Some(failure) => Ok(Self::Unknown(Some(failure))),
            None => Err(error.clone()),
        }
    }

    /// The state of a link after this check; `None` if unchanged.
    pub fn state(self) -> Option<LinkState> {
        match self {
            Self::Verified => Some(LinkState::Verified),
            Self::Unknown(_) => None,
            Self::Missing => Some(LinkState::Failed),
        }
    }

    /// Why it failed, if it did.
    pub fn failure(self) -> Option<LinkFailure> {
        match self {
            Self::Verified => None,
            Self::Unknown(failure) => failure,
            Self::Missing => Some(LinkFailure::RemoteTenantNotFound),
        }
    }
}
