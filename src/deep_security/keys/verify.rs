//! Proving whose a new key is and what its role may, before it is used.

use std::time::Duration;

use super::entity::Model;
use super::service::Keys;
use crate::clock::Timestamp;
use crate::deep_security::client::{self, AuthHeaders, CallError, Request};
use crate::deep_security::listing::exactly;
use crate::deep_security::model::{KeyAccess, ObjectId};
use crate::deep_security::wire::{
    self, ApiKey, CurrentKey, KeyBody, KeyWithSecret, Page, Role, SecretKey,
};
use crate::error::{Error, ErrorCode, Result};
use crate::outbound::{Identity, Operation, UpstreamRoute};
use crate::upstreams::Connection;

/// The role with full access of every tenant (`docs/reference/deep-security-api.md`, section 7).
pub(super) const FULL_ACCESS: i64 = 1;

/// How long a key with full access lives until it is verified, or if it is used for one moment only.
/// One whose answer is lost ends by itself so soon. Long enough for the clocks of the gateway and
/// the manager to differ by some minutes.
pub(super) const FIRST_LIFETIME: Duration = Duration::from_mins(10);

/// A key that was made and not yet proven.
pub(super) struct UnverifiedKey {
    pub id: ObjectId,
    pub secret: SecretKey,
    pub route: UpstreamRoute,
    auth: AuthHeaders,
}

impl Keys {
    /// Calls with the installation's own credential.
    pub(super) async fn by_primary<T: serde::de::DeserializeOwned>(
        &self,
        connection: &Connection,
        request: &Request,
        operation: &Operation,
    ) -> Result<T> {
        let route = connection.own_route();
        let reply = client::send(
            &self.outbound,
            operation,
            &route,
            &AuthHeaders::own(&connection.credential)?,
            request,
        )
        .await;
        reply.map_err(|error| error.of_own_credential(&route))?.read(&route, request.writes())
    }

    /// Asks the primary manager for a key of the tenant.
    pub(super) async fn ask_for(
        &self,
        connection: &Connection,
        tenant: ObjectId,
        body: KeyBody,
        operation: &Operation,
    ) -> Result<UnverifiedKey> {
        let request = Request::post(
            ["tenants".into(), tenant.into(), "apikeys".into()],
            Some(wire::write(&body)?),
        );
        let made: KeyWithSecret = self.by_primary(connection, &request, operation).await?;
        let identity = Identity(format!("new:{}", made.key.id));
        let route = UpstreamRoute {
            tenant: connection.tenant,
            endpoint: connection.endpoint.clone(),
            identity,
        };
        Ok(UnverifiedKey {
            id: ObjectId(made.key.id),
            auth: AuthHeaders::secret_key(&made.secret),
            secret: made.secret,
            route,
        })
    }

    /// Whether a key has the role that was asked for, and the role is of that right. A key of
    /// another tenant is an error.
    pub(super) async fn verify_key(
        &self,
        fresh: &UnverifiedKey,
        tenant: ObjectId,
        role: i64,
        access: KeyAccess,
        operation: &Operation,
    ) -> Result<bool> {
        self.require_own(fresh, tenant, role, operation).await?;
        if access == KeyAccess::Full {
            return Ok(true);
        }
        let request = Request::get(["roles".into(), ObjectId(role).into()]);
        match client::send(&self.outbound, operation, &fresh.route, &fresh.auth, &request).await {
            Ok(reply) => Ok(self.is_read_only(&reply.read(&fresh.route, false)?)),
            // It may not even see its role, or the role is gone: then it proves nothing.
            Err(CallError::Credential(_)) => Ok(false),
            Err(CallError::Other(error)) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(CallError::Other(error)) => Err(error),
        }
    }

    /// That a key is of that tenant and that role: no object tells its tenant, so this is the one
    /// proof that there is (`docs/reference/deep-security-api.md`, section 9).
    pub(super) async fn require_own(
        &self,
        fresh: &UnverifiedKey,
        tenant: ObjectId,
        role: i64,
        operation: &Operation,
    ) -> Result<()> {
        let request = Request::get(["apikeys".into(), "current".into()]);
        let reply =
            client::send(&self.outbound, operation, &fresh.route, &fresh.auth, &request).await;
        let own: Result<CurrentKey> = match reply {
            Ok(reply) => reply.read(&fresh.route, false),
            Err(error) => Err(error.of_own_credential(&fresh.route)),
        };
        let own = own?;
        if own.tenant_id == Some(tenant.0) && own.role_id == Some(role) {
            return Ok(());
        }
        Err(client::malformed(&fresh.route, "the new key is of another tenant or role".to_owned()))
    }

    fn is_read_only(&self, role: &Role) -> bool {
        let named =
            role.name.as_ref().is_some_and(|name| self.settings.read_only_roles.contains(name));
        named && role.only_views()
    }

    /// The read-only role of the tenant by its name, with a key for this alone, which also removes
    /// one that is unfit.
    pub(super) async fn look_up_role(
        &self,
        connection: &Connection,
        tenant: ObjectId,
        (row, unfit): (&Model, Option<UnverifiedKey>),
        operation: &Operation,
    ) -> Result<i64> {
        // It bears the name of the key that is to be made: what is left of it after a crash is
        // found with that one.
        let body = body(row, FULL_ACCESS, self.clock.now().plus(FIRST_LIFETIME));
        let looker = self.ask_for(connection, tenant, body, operation).await?;
        let found = match self.require_own(&looker, tenant, FULL_ACCESS, operation).await {
            Ok(()) => {
                if let Some(unfit) = unfit {
                    self.delete(&looker, unfit.id, operation).await;
                }
                self.find_role(&looker, operation).await
            }
            Err(error) => Err(error),
        };
        self.discard(&looker, operation).await;
        found?.ok_or_else(|| {
            let error = Error::new(
                ErrorCode::UpstreamRejected,
                "the tenant has no read-only role in Deep Security",
            );
            client::with_upstream(error, &connection.own_route(), Some(200))
        })
    }

    async fn find_role(
        &self,
        looker: &UnverifiedKey,
        operation: &Operation,
    ) -> Result<Option<i64>> {
        for name in &self.settings.read_only_roles {
            let request = Request::search("roles", exactly::<Role>(name)?);
            let reply =
                client::send(&self.outbound, operation, &looker.route, &looker.auth, &request)
                    .await;
            let reply = reply.map_err(|error| error.of_own_credential(&looker.route))?;
            let Page(roles) = reply.read::<Page<Role>>(&looker.route, false)?;
            if let Some(role) = roles.iter().find(|role| self.is_read_only(role)) {
                return Ok(Some(role.id));
            }
        }
        Ok(None)
    }

    /// Deletes a key that must not be used, with its own secret. One that may not delete itself
    /// ends by itself, unless a stronger one removes it before.
    ///
    /// Says whether it is deleted.
    pub(super) async fn discard(&self, fresh: &UnverifiedKey, operation: &Operation) -> bool {
        self.delete(fresh, fresh.id, operation).await
    }

    async fn delete(&self, holder: &UnverifiedKey, id: ObjectId, operation: &Operation) -> bool {
        let request = Request::delete(["apikeys".into(), id.into()]);
        let sent =
            client::send(&self.outbound, operation, &holder.route, &holder.auth, &request).await;
        if sent.is_err() {
            tracing::warn!(tenant = %holder.route.tenant, "a key that is not used could not be deleted");
        }
        sent.is_ok()
    }

    /// Lets a verified key with full access live on until that moment, by its own right. Returns
    /// when it ends: as before, if the manager refuses.
    pub(super) async fn extend(
        &self,
        key: &UnverifiedKey,
        (present, wanted): (Timestamp, Timestamp),
        operation: &Operation,
    ) -> Result<Timestamp> {
        let body = KeyBody { expiry_date: Some(wanted.millis()), ..KeyBody::default() };
        let path = ["apikeys".into(), key.id.into()];
        let request = Request::post(path, Some(wire::write(&body)?));
        let sent = client::send(&self.outbound, operation, &key.route, &key.auth, &request).await;
        let changed: Option<ApiKey> = match sent {
            Ok(reply) => reply.read(&key.route, true).ok(),
            Err(CallError::Other(error)) if error.is_outcome_unknown() => None,
            Err(_) => {
                tracing::warn!(tenant = %key.route.tenant, "a key could not be extended");
                return Ok(present);
            }
        };
        let changed = match changed {
            Some(changed) => changed,
            None => self.read_itself(key, operation).await?,
        };
        Ok(changed.expiry_date.map_or(wanted, Timestamp::from_millis).min(wanted))
    }

    /// What a key is, by its own right.
    async fn read_itself(&self, key: &UnverifiedKey, operation: &Operation) -> Result<ApiKey> {
        let request = Request::get(["apikeys".into(), key.id.into()]);
        let sent = client::send(&self.outbound, operation, &key.route, &key.auth, &request).await;
        sent.map_err(|error| error.of_own_credential(&key.route))?.read(&key.route, false)
    }
}

/// An end and a role, always: without them a key lives for six hours and may do everything.
pub(super) fn body(row: &Model, role: i64, expires_at: Timestamp) -> KeyBody {
    KeyBody {
        key_name: Some(row.key_name.clone()),
        description: Some("Made by Tenant Gateway, which also removes it".to_owned()),
        role_id: Some(role),
        expiry_date: Some(expires_at.millis()),
        ..KeyBody::default()
    }
}
