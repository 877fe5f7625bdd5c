//! The headers that authenticate a request.

use crate::deep_security::wire::SecretKey;
use crate::error::{Error, Result};
use crate::upstreams::Credential;

/// The headers that authenticate a request (`docs/reference/deep-security-api.md`, section 3).
pub struct AuthHeaders(pub(super) Vec<(&'static str, String)>);

impl AuthHeaders {
    /// Authenticates with an API key of Deep Security.
    pub fn secret_key(key: &SecretKey) -> Self {
        Self(vec![("api-secret-key", key.expose().to_owned())])
    }

    /// Authenticates with a session, which needs the cookie and the header.
    pub fn session(id: &str, rid: &str) -> Self {
        Self(vec![("cookie", format!("sID={id}")), ("rID", rid.to_owned())])
    }

    /// Sends no credential: for signing in.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// Authenticates with an installation's own credential.
    ///
    /// # Errors
    /// An internal error for a credential of another kind of system.
    pub fn installation(credential: &Credential) -> Result<Self> {
        match credential {
            Credential::SecretKey(key) => Ok(Self(vec![("api-secret-key", key.clone())])),
            Credential::CloudOneApiKey(key) => {
                Ok(Self(vec![("authorization", format!("ApiKey {key}"))]))
            }
            Credential::Basic { .. } => {
                Err(Error::internal("Deep Security cannot use a Basic credential"))
            }
        }
    }
}
