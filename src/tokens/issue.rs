//! Issues access tokens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::claims::{Claims, SCOPE};
use super::keys::KeyRing;
use crate::clock::{Clock, Timestamp};
use crate::database_time::DatabaseTime;
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::{ClientId, SubjectId, TenantId, TokenId, UserId};

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

/// The user that a token is issued to.
#[derive(Clone, Debug)]
pub struct UserSubject {
    /// The user.
    pub user: UserId,
    /// The tenant that they belong to.
    pub tenant: TenantId,
    /// Their present token generation.
    pub generation: i64,
}

/// When and how a person signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// When.
    pub auth_time: Timestamp,
    /// How, in the values of RFC 8176: `pwd`, `otp`, `hwk`, `mfa` and what a provider said.
    pub methods: Vec<String>,
}

/// The longest life of a person's token: nothing refreshes it, and the person is asked again.
const USER_LIFETIME_MAX: Duration = Duration::from_hours(1);

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

/// The subject of a token of either kind.
struct Holder<'a> {
    subject: SubjectId,
    client_id: &'a str,
    tenant: TenantId,
    generation: i64,
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
        let holder = Holder {
            subject: subject.client.into(),
            client_id: &subject.client_id,
            tenant: subject.tenant,
            generation: subject.generation,
        };
        self.sign(&holder, narrowing, self.lifetime, None).await
    }

    /// Issues a token to a person who signed in to the program with that `client_id`. It lives an
    /// hour at most.
    ///
    /// # Errors
    /// As [`Issuer::issue_narrowed`].
    pub async fn issue_to_user(
        &self,
        subject: &UserSubject,
        client_id: &str,
        narrowing: &Narrowing,
        authentication: &Authentication,
    ) -> Result<IssuedToken> {
        let holder = Holder {
            subject: subject.user.into(),
            client_id,
            tenant: subject.tenant,
            generation: subject.generation,
        };
        let lifetime = self.lifetime.min(USER_LIFETIME_MAX);
        self.sign(&holder, narrowing, lifetime, Some(authentication)).await
    }

    async fn sign(
        &self,
        holder: &Holder<'_>,
        narrowing: &Narrowing,
        lifetime: Duration,
        authentication: Option<&Authentication>,
    ) -> Result<IssuedToken> {
        self.time.require_usable()?;
        self.keys.freshen().await?;
        let key = self.keys.current()?;
        let issued_at = self.time.now().seconds();
        let expires_in = lifetime.as_secs();
        let tenant = narrowing.tenant.unwrap_or(holder.tenant);
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: holder.subject.uuid(),
            subject_type: holder.subject.into(),
            aud: self.audience.clone(),
            exp: issued_at.saturating_add_unsigned(expires_in),
            iat: issued_at,
            jti: TokenId::random(&*self.entropy),
            client_id: holder.client_id.to_owned(),
            scope: narrowing.scope.clone(),
            tenant_id: tenant,
            tenant_ids: tenant.to_string(),
            tenant_only: narrowing.tenant.is_some(),
            generation: holder.generation,
            auth_time: authentication.map(|signed_in| signed_in.auth_time.seconds()),
            amr: authentication.map(|signed_in| signed_in.methods.clone()).unwrap_or_default(),
        };
        Ok(IssuedToken { token: key.signer.sign(&claims)?, expires_in })
    }
}
