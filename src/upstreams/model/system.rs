//! Kinds of legacy systems, and their ways of authentication.

use crate::error::{Error, Result};

/// A kind of legacy system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// Trend Micro Deep Security Manager, or Workload Security.
    DeepSecurity,
    /// Kaspersky Integration Server.
    IntegrationServer,
}

impl System {
    /// All systems.
    pub const ALL: [Self; 2] = [Self::DeepSecurity, Self::IntegrationServer];

    /// The name, as `LegacySystem` in the graph, the database and errors have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeepSecurity => "DEEP_SECURITY",
            Self::IntegrationServer => "INTEGRATION_SERVER",
        }
    }

    /// The system of that name.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` for a name that only a newer version knows.
    pub fn from_name(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|system| system.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("the legacy system `{name}` is not known")))
    }
}

/// How the gateway authenticates at an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Deep Security: the header `api-secret-key`.
    SecretKey,
    /// Workload Security: `Authorization: ApiKey`.
    CloudOneApiKey,
    /// Integration Server: HTTP Basic.
    Basic,
}

impl Authentication {
    /// The name, as `UpstreamAuthentication` in the graph and the database have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretKey => "SECRET_KEY",
            Self::CloudOneApiKey => "CLOUD_ONE_API_KEY",
            Self::Basic => "BASIC",
        }
    }

    /// The method of that name.
    ///
    /// # Errors
    /// `INTERNAL_SERVER_ERROR` for a name that only a newer version knows.
    pub fn from_name(name: &str) -> Result<Self> {
        let known = [Self::SecretKey, Self::CloudOneApiKey, Self::Basic];
        let known = known.into_iter().find(|known| known.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("the authentication `{name}` is not known")))
    }

    /// Checks that this kind of system accepts it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the credentials that the system accepts.
    pub fn require_for(self, system: System) -> Result<()> {
        let accepted = match (system, self) {
            (System::DeepSecurity, Self::SecretKey | Self::CloudOneApiKey)
            | (System::IntegrationServer, Self::Basic) => return Ok(()),
            (System::DeepSecurity, _) => {
                "DEEP_SECURITY accepts `secretKey`, `session` or `cloudOneApiKey`"
            }
            (System::IntegrationServer, _) => "INTEGRATION_SERVER accepts `basic`",
        };
        Err(Error::bad_input("credential", accepted))
    }
}
