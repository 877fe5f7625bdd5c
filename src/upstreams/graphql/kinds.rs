//! Enums of upstreams and links.

use async_graphql::Enum;

use crate::error::{Error, Result};
use crate::outbound::Circuit;
use crate::upstreams::link_check;
use crate::upstreams::model::{Authentication, System};

/// A kind of legacy system.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum LegacySystem {
    /// Trend Micro Deep Security Manager, or Workload Security.
    DeepSecurity,
    /// Kaspersky Integration Server.
    IntegrationServer,
    /// A system that this version of the gateway does not know; `systemText` has it.
    Unknown,
}

impl LegacySystem {
    pub(super) fn read(name: &str) -> Self {
        match System::from_name(name) {
            Ok(System::DeepSecurity) => Self::DeepSecurity,
            Ok(System::IntegrationServer) => Self::IntegrationServer,
            Err(_) => Self::Unknown,
        }
    }

    /// The system that a caller names.
    pub(super) fn known(self) -> Result<System> {
        match self {
            Self::DeepSecurity => Ok(System::DeepSecurity),
            Self::IntegrationServer => Ok(System::IntegrationServer),
            Self::Unknown => {
                Err(Error::bad_input("system", "must be DEEP_SECURITY or INTEGRATION_SERVER"))
            }
        }
    }
}

/// How the gateway authenticates at an upstream.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum UpstreamAuthentication {
    /// A secret key in the header `api-secret-key`.
    SecretKey,
    /// An API key in the header `Authorization: ApiKey`.
    CloudOneApiKey,
    /// HTTP Basic authentication.
    Basic,
    /// A way that this version of the gateway does not know; `authenticationText` has it.
    Unknown,
}

impl UpstreamAuthentication {
    pub(super) fn read(name: &str) -> Self {
        match Authentication::from_name(name) {
            Ok(Authentication::SecretKey) => Self::SecretKey,
            Ok(Authentication::CloudOneApiKey) => Self::CloudOneApiKey,
            Ok(Authentication::Basic) => Self::Basic,
            Err(_) => Self::Unknown,
        }
    }
}

/// The state of a circuit breaker.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Circuit")]
pub enum CircuitState {
    /// Calls go through.
    Closed,
    /// Calls fail immediately for some seconds.
    Open,
    /// One call is let through as a probe.
    HalfOpen,
}

/// Whether the tenant that a link names was found at the installation.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "link_check::LinkState")]
pub enum LinkState {
    /// Not yet: the installation could not be asked. The gateway asks again by itself.
    Pending,
    /// The installation has the tenant.
    Verified,
    /// The installation has no such tenant.
    Failed,
}

/// Why a link could not be verified.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "link_check::LinkFailure")]
pub enum LinkFailure {
    /// The installation has no such tenant: `remoteTenantID` is wrong, or the tenant was deleted
    /// there.
    RemoteTenantNotFound,
    /// The installation refuses the credential of the upstream: renew it with `updateUpstream`.
    CredentialRefused,
    /// The credential of the upstream lacks the right to see the tenant: give its role that right
    /// at the installation.
    AccessDenied,
    /// The installation does not answer.
    Unreachable,
    /// The answer is not one of the API of that system: check `baseURL`.
    UnexpectedAnswer,
}
