//! Making tokens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Header;

use super::claims::{Claims, SCOPE, TOKEN_TYPE};
use super::keys::KeyRing;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::{ClientId, TenantId, random_uuid};

/// Whom a token is made for.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The client.
    pub client: ClientId,
    /// Its OAuth `client_id`.
    pub client_id: String,
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// Its present token generation.
    pub generation: i64,
}

/// A signed token and how long it lives.
pub struct IssuedToken {
    /// The JWT.
    pub token: String,
    /// Its life from now on, in whole seconds.
    pub expires_in: u64,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Makes tokens.
pub struct Issuer {
    keys: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    issuer: String,
    audience: String,
    lifetime: Duration,
}

impl Issuer {
    /// Tokens will name that issuer and that audience and live that long.
    pub fn new(
        keys: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        issuer: String,
        audience: String,
        lifetime: Duration,
    ) -> Self {
        Self { keys, clock, entropy, issuer, audience, lifetime }
    }

    /// A new token for the client.
    ///
    /// # Errors
    /// If there is no key to sign with.
    pub fn issue(&self, subject: &Subject) -> Result<IssuedToken> {
        let key = self.keys.current()?;
        let header = Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            kid: Some(key.id.to_string()),
            ..Header::new(key.algorithm.jwt())
        };
        let issued_at = self.clock.now().seconds();
        let expires_in = self.lifetime.as_secs();
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: subject.client,
            aud: self.audience.clone(),
            exp: issued_at.saturating_add_unsigned(expires_in),
            iat: issued_at,
            jti: random_uuid(&*self.entropy).to_string(),
            client_id: subject.client_id.clone(),
            scope: SCOPE.to_owned(),
            tenant_id: subject.tenant,
            tenant_ids: subject.tenant.to_string(),
            generation: subject.generation,
        };
        let token = jsonwebtoken::encode(&header, &claims, &key.encoding).map_err(Error::internal)?;
        Ok(IssuedToken { token, expires_in })
    }
}
