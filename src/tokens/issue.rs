//! Issues access tokens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::claims::{Claims, SCOPE};
use super::keys::KeyRing;
use crate::clock::Clock;
use crate::database_time::DatabaseTime;
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::{ClientId, TenantId, TokenId};

/// The client that a token is issued to.
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

/// The requested restriction of a token. The client's own access is checked at each use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowing {
    /// The only tenant in which it is valid; all tenants of the client if absent.
    pub tenant: Option<TenantId>,
    /// The scopes, separated by spaces.
    pub scope: String,
}

impl Default for Narrowing {
    /// No restriction.
    fn default() -> Self {
        Self { tenant: None, scope: SCOPE.to_owned() }
    }
}

/// A signed token and its lifetime.
pub struct IssuedToken {
    /// The JWT.
    pub token: String,
    /// Its lifetime in whole seconds.
    pub expires_in: u64,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Issues access tokens.
pub struct Issuer {
    keys: Arc<KeyRing>,
    time: Arc<DatabaseTime>,
    entropy: Arc<dyn Entropy>,
    issuer: String,
    audience: String,
    lifetime: Duration,
}

impl Issuer {
    /// Creates an issuer of tokens with this issuer, audience and lifetime.
    pub fn new(
        keys: Arc<KeyRing>,
        time: Arc<DatabaseTime>,
        entropy: Arc<dyn Entropy>,
        issuer: String,
        audience: String,
        lifetime: Duration,
    ) -> Self {
        Self { keys, time, entropy, issuer, audience, lifetime }
    }

    /// Issues a token without restriction.
    ///
    /// # Errors
    /// As [`Issuer::issue_narrowed`].
    pub async fn issue(&self, subject: &Subject) -> Result<IssuedToken> {
        self.issue_narrowed(subject, &Narrowing::default()).await
    }

    /// Issues a token with that restriction.
    ///
    /// # Errors
    /// `DATABASE_UNAVAILABLE` while the node's clock is unusable; if there is no key to sign with,
    /// or the database cannot be asked whether the key was revoked.
    pub async fn issue_narrowed(
        &self,
        subject: &Subject,
        narrowing: &Narrowing,
    ) -> Result<IssuedToken> {
        self.time.require_usable()?;
        self.keys.freshen().await?;
        let key = self.keys.current()?;
        let issued_at = self.time.now().seconds();
        let expires_in = self.lifetime.as_secs();
        let tenant = narrowing.tenant.unwrap_or(subject.tenant);
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: subject.client,
            aud: self.audience.clone(),
            exp: issued_at.saturating_add_unsigned(expires_in),
            iat: issued_at,
            jti: TokenId::random(&*self.entropy),
            client_id: subject.client_id.clone(),
            scope: narrowing.scope.clone(),
            tenant_id: tenant,
            tenant_ids: tenant.to_string(),
            tenant_only: narrowing.tenant.is_some(),
            generation: subject.generation,
        };
        Ok(IssuedToken { token: key.signer.sign(&claims)?, expires_in })
    }
}
