//! Requests keys and verifies their tenant, role and rights before they are used.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::entity::Model;
use super::state::Keys;
use crate::clock::Timestamp;
use crate::deep_security::client::{self, ApiRequest, ApiResponse, AuthHeaders, CallError};
use crate::deep_security::model::{KeyAccess, ObjectId};
use crate::deep_security::query::exact_name;
use crate::deep_security::wire::{
    self, ApiKey, CurrentKey, KeyBody, KeyWithSecret, Page, Role, SecretKey,
};
use crate::error::{Error, ErrorCode, Result};
use crate::outbound::{Identity, Operation, UpstreamRoute};
use crate::upstreams::Connection;

/// The role with full access of every tenant (`docs/reference/deep-security-api.md`, section 7).
pub(super) const FULL_ACCESS: i64 = 1;

/// The lifetime of a key of full access until it is verified, and of a temporary key. If the
/// response that contains the key is lost, the key expires that soon. The lifetime allows for some
/// minutes of difference between the clocks of the gateway and the manager.
pub(super) const FIRST_LIFETIME: Duration = Duration::from_mins(10);

/// The minting of one key.
pub(super) struct MintContext<'a> {
    pub keys: &'a Keys,
    pub connection: &'a Connection,
    /// The tenant of the installation.
    pub tenant: ObjectId,
    /// The claimed row.
    pub row: &'a Model,
    pub operation: &'a Operation,
}

/// A key that was minted and not yet verified.
pub(super) struct UnverifiedKey {
    pub id: ObjectId,
    pub secret: SecretKey,
    pub route: UpstreamRoute,
    auth: AuthHeaders,
}

impl Keys {
    /// Sends a request with the installation's own credential.
    pub(super) async fn send_as_installation<T: DeserializeOwned>(
        &self,
        connection: &Connection,
        request: &ApiRequest,
        operation: &Operation,
    ) -> Result<T> {
        let route = connection.installation_route();
        let auth = AuthHeaders::installation(&connection.credential)?;
        let sent = client::send(&self.outbound, operation, &route, &auth, request).await;
        sent.map_err(|error| error.into_error(&route))?.read()
    }
}

impl MintContext<'_> {
    async fn send_as(
        &self,
        key: &UnverifiedKey,
        request: &ApiRequest,
    ) -> Result<ApiResponse, CallError> {
        client::send(&self.keys.outbound, self.operation, &key.route, &key.auth, request).await
    }

    /// Requests a key with that role from the primary manager.
    pub async fn request_key(&self, role: i64, expires_at: Timestamp) -> Result<UnverifiedKey> {
        let path = ["tenants".into(), self.tenant.into(), "apikeys".into()];
        let body = key_body(self.row, role, expires_at);
        let request = ApiRequest::post(path, Some(wire::write(&body)?));
        let minted: KeyWithSecret =
            self.keys.send_as_installation(self.connection, &request, self.operation).await?;
        let Connection { tenant, endpoint, .. } = self.connection;
        let identity = Identity::new(format!("new:{}", minted.key.id));
        Ok(UnverifiedKey {
            id: ObjectId(minted.key.id),
            auth: AuthHeaders::secret_key(&minted.secret),
            secret: minted.secret,
            route: UpstreamRoute { tenant: *tenant, endpoint: endpoint.clone(), identity },
        })
    }

    /// Whether a key has the requested role, and the role has exactly that access.
    ///
    /// # Errors
    /// `UPSTREAM_MALFORMED` for a key of another tenant or role; as every call.
    pub async fn verify_key(
        &self,
        key: &UnverifiedKey,
        role: i64,
        access: KeyAccess,
    ) -> Result<bool> {
        self.require_own(key, role).await?;
        if access == KeyAccess::Full {
            return Ok(true);
        }
        let request = ApiRequest::get(["roles".into(), ObjectId(role).into()]);
        match self.send_as(key, &request).await {
            Ok(response) => Ok(self.is_read_only(&response.read()?)),
            // The key cannot read its role, or the role is gone: nothing is verified.
            Err(CallError::Credential(_)) => Ok(false),
            Err(CallError::Other(error)) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(CallError::Other(error)) => Err(error),
        }
    }

    /// Requires that a key belongs to the tenant and has that role. Only this resource names the
    /// tenant of a key (`docs/reference/deep-security-api.md`, section 9).
    pub async fn require_own(&self, key: &UnverifiedKey, role: i64) -> Result<()> {
        let response = self.send_as(key, &ApiRequest::current_key()).await;
        let response = response.map_err(|error| error.into_error(&key.route))?;
        let current: CurrentKey = response.read()?;
        if current.tenant_id == Some(self.tenant.0) && current.role_id == Some(role) {
            return Ok(());
        }
        let cause = "the new key belongs to another tenant or role".to_owned();
        Err(client::malformed(&key.route, cause))
    }

    fn is_read_only(&self, role: &Role) -> bool {
        let names = &self.keys.settings.read_only_roles;
        role.name.as_ref().is_some_and(|name| names.contains(name)) && role.only_views()
    }

    /// Looks up the tenant's read-only role by its name, with a temporary key of full access, which
    /// also deletes a key that proved `unfit`.
    pub async fn look_up_role(&self, unfit: Option<UnverifiedKey>) -> Result<i64> {
        // The temporary key has the name of the key to be minted, so that cleanup finds both after
        // a crash.
        let expires_at = self.keys.clock.now().plus(FIRST_LIFETIME);
        let temporary = self.request_key(FULL_ACCESS, expires_at).await?;
        let found = match self.require_own(&temporary, FULL_ACCESS).await {
            Ok(()) => {
                if let Some(unfit) = unfit {
                    self.delete(&temporary, unfit.id).await;
                }
                self.find_role(&temporary).await
            }
            Err(error) => Err(error),
        };
        self.discard(&temporary).await;
        found?.ok_or_else(|| {
            let message = "the tenant has no read-only role in Deep Security";
            let error = Error::new(ErrorCode::UpstreamRejected, message);
            client::with_upstream(error, &self.connection.installation_route(), Some(200))
        })
    }

    async fn find_role(&self, key: &UnverifiedKey) -> Result<Option<i64>> {
        for name in &self.keys.settings.read_only_roles {
            let request = ApiRequest::search("roles", exact_name::<Role>(name)?);
            let response = self.send_as(key, &request).await;
            let response = response.map_err(|error| error.into_error(&key.route))?;
            let Page(roles) = response.read::<Page<Role>>()?;
            if let Some(role) = roles.iter().find(|role| self.is_read_only(role)) {
                return Ok(Some(role.id));
            }
        }
        Ok(None)
    }

    /// Deletes a key that must not be used, with its own secret, and returns whether it is deleted.
    /// A key that cannot delete itself expires, unless cleanup deletes it earlier.
    pub async fn discard(&self, key: &UnverifiedKey) -> bool {
        self.delete(key, key.id).await
    }

    async fn delete(&self, holder: &UnverifiedKey, id: ObjectId) -> bool {
        let request = ApiRequest::delete(["apikeys".into(), id.into()]);
        let sent = self.send_as(holder, &request).await;
        if sent.is_err() {
            let tenant = holder.route.tenant;
            tracing::warn!(%tenant, "could not delete an unused Deep Security key");
        }
        sent.is_ok()
    }

    /// Extends a verified key of full access, with its own secret. Returns when it expires: as
    /// before, if the manager refuses.
    pub async fn extend(
        &self,
        key: &UnverifiedKey,
        present: Timestamp,
        wanted: Timestamp,
    ) -> Result<Timestamp> {
        let body = KeyBody { expiry_date: Some(wanted.millis()), ..KeyBody::default() };
        let path = ["apikeys".into(), key.id.into()];
        let request = ApiRequest::post(path, Some(wire::write(&body)?));
        let changed: Option<ApiKey> = match self.send_as(key, &request).await {
            Ok(response) => response.read().ok(),
            Err(CallError::Other(error)) if error.is_outcome_unknown() => None,
            Err(_) => {
                let tenant = key.route.tenant;
                tracing::warn!(%tenant, "could not extend a Deep Security key");
                return Ok(present);
            }
        };
        let changed = match changed {
            Some(changed) => changed,
            None => self.read_itself(key).await?,
        };
        Ok(changed.expiry_date.map_or(wanted, Timestamp::from_millis).min(wanted))
    }

    /// Reads a key with its own secret.
    async fn read_itself(&self, key: &UnverifiedKey) -> Result<ApiKey> {
        let request = ApiRequest::get(["apikeys".into(), key.id.into()]);
        let response = self.send_as(key, &request).await;
        response.map_err(|error| error.into_error(&key.route))?.read()
    }
}

/// The body that requests a key. It always has a role and an expiry date: the vendor's defaults are
/// full access for six hours.
fn key_body(row: &Model, role: i64, expires_at: Timestamp) -> KeyBody {
    KeyBody {
        key_name: Some(row.key_name.clone()),
        description: Some("Created and deleted by Tenant Gateway".to_owned()),
        role_id: Some(role),
        expiry_date: Some(expires_at.millis()),
        ..KeyBody::default()
    }
}
