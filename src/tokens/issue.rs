//! Making tokens.

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

/// How far a token is to reach. Whether the client itself reaches that far is asked at each use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowing {
    /// The one tenant that it is good in; every one that the client may enter if absent.
    pub tenant: Option<TenantId>,
    /// The scopes, separated by spaces.
    pub scope: String,
}

impl Default for Narrowing {
    /// As far as the client.
    fn default() -> Self {
        Self { tenant: None, scope: SCOPE.to_owned() }
    }
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
    time: Arc<DatabaseTime>,
    entropy: Arc<dyn Entropy>,
    issuer: String,
    audience: String,
    lifetime: Duration,
}

impl Issuer {
    /// Tokens will name that issuer and that audience and live that long.
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

    /// A new token for the client that reaches as far as the client does.
    ///
    /// # Errors
    /// As [`Issuer::issue_narrowed`].
    pub async fn issue(&self, subject: &Subject) -> Result<IssuedToken> {
        self.issue_narrowed(subject, &Narrowing::default()).await
    }

    /// A new token for the client that reaches no further than that.
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
