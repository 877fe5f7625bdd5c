//! Making a tenant's key, and proving whose it is before it is used.
//!
//! A key that reads gets the read-only role of the tenant. Roles belong to the tenant and are seen with a key of the tenant
//! alone, and the one at hand is the one about to be made. So it is made with the role that was right the last time, else with
//! number 2, which a fresh tenant has as its Auditor; the key itself then says which role it has and what that role may. If that
//! is not a read-only role, a key that lives for minutes looks the role up by its name. This way the usual case makes one key,
//! which never could do more than read.

use std::sync::Arc;
use std::time::Duration;

use super::entity::{self, Made, Model};
use super::key::{Key, Slot};
use super::service::{Keys, Settings};
use crate::clock::Timestamp;
use crate::deep_security::client::{self, Denied, Request, Shown};
use crate::deep_security::listing::exactly;
use crate::deep_security::model::{ObjectId, Right};
use crate::deep_security::wire::{self, CurrentKey, KeyBody, KeyWithSecret, Page, Role, Tenant, Word};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantKeyId;
use crate::outbound::{Identity, Line, Operation};
use crate::upstreams::Connection;

/// On a fresh tenant 1 is the role with full access and 2 the read-only Auditor (`reference/deep-security-api.md`, section 7).
const FULL_ACCESS: i64 = 1;
const AUDITOR: i64 = 2;

/// How long a key lives that only looks a role up.
const LOOK_UP_LIFETIME: Duration = Duration::from_mins(10);

/// The key that is wanted.
pub struct Wanted {
    /// The tenant's way.
    pub connection: Arc<Connection>,
    /// For whom.
    pub slot: Slot,
    /// Whether the present key works and is only to be renewed.
    pub renewing: bool,
    /// The request on whose behalf.
    pub request_id: String,
}

/// A key that was made and not yet proven.
struct Fresh {
    id: ObjectId,
    shown: Shown,
    line: Line,
    made: KeyWithSecret,
}

impl Keys {
    /// The row of a key that is about to be made.
    pub(super) fn planned(&self, wanted: &Wanted, now: Timestamp) -> Model {
        let Wanted { connection, slot, .. } = wanted;
        let Settings { instance, lifetime, lease, .. } = &self.settings;
        Model {
            id: TenantKeyId::random(&*self.entropy),
            tenant_id: connection.tenant,
            upstream_id: connection.endpoint.upstream,
            link_id: slot.link,
            remote_tenant_id: connection.remote_tenant_id.clone().unwrap_or_default(),
            base_url: connection.endpoint.base_url.as_str().to_owned(),
            access: slot.right.as_str().to_owned(),
            state: String::new(),
            instance: instance.clone(),
            key_name: format!("tenant-gateway {instance} {} {}", connection.tenant, slot.right.as_str()),
            remote_key_id: None,
            role_id: None,
            sealed_secret: None,
            created_at: now,
            renew_at: now.plus(*lifetime * 4 / 5),
            expires_at: now.plus(*lifetime),
            lease_until: now.plus(*lease),
            spent_at: None,
        }
    }

    /// Makes the key of a row that was claimed.
    pub(super) async fn mint(&self, wanted: &Wanted, row: Model) -> Result<Key> {
        // The lease outlasts every call: whoever takes it over finds nothing under way.
        let deadline = tokio::time::Instant::now() + self.settings.lease * 4 / 5;
        let operation = Operation::background(wanted.request_id.clone(), deadline);
        let mut sent = false;
        let made = tokio::time::timeout_at(deadline, self.make(wanted, &row, &operation, &mut sent)).await;
        let error = match made {
            Ok(Ok(key)) => return Ok(key),
            Ok(Err(error)) => error,
            Err(_) => {
                let error = Error::new(ErrorCode::UpstreamTimeout, "the tenant's key was not made in time");
                client::told(error, &wanted.connection.own_line(), None)
            }
        };
        self.give_up(&row, sent).await?;
        // What the caller asked for was not begun, whatever became of the key.
        Err(error.with_known_outcome())
    }

    async fn make(&self, wanted: &Wanted, row: &Model, operation: &Operation, sent: &mut bool) -> Result<Key> {
        let connection = &*wanted.connection;
        let tenant = remote_tenant(connection)?;
        self.require_active(connection, tenant, operation).await?;
        let last = entity::last_role(self.database.reader(), wanted.slot).await?;
        let role = last.unwrap_or(if wanted.slot.right == Right::Read { AUDITOR } else { FULL_ACCESS });
        let body = |role| body(row, role, row.expires_at);
        *sent = true;
        let fresh = match self.ask_for(connection, tenant, body(role), operation).await {
            Err(error) if refused_the_role(&error) && wanted.slot.right == Right::Read => None,
            Err(error) => {
                *sent = error.is_outcome_unknown();
                return Err(error);
            }
            Ok(fresh) => Some(fresh),
        };
        let (fresh, role) = match fresh {
            Some(fresh) if self.prove(&fresh, tenant, role, wanted.slot.right, operation).await? => (fresh, role),
            unfit => {
                if let Some(unfit) = unfit {
                    self.discard(&unfit, operation).await;
                }
                let role = self.look_up_role(connection, tenant, row, operation).await?;
                let fresh = self.ask_for(connection, tenant, body(role), operation).await?;
                self.require_own(&fresh, tenant, role, operation).await?;
                (fresh, role)
            }
        };
        self.store(wanted, row, fresh, role, operation).await
    }

    /// As the vendor's own samples do (`reference/deep-security-api.md`, section 7).
    async fn require_active(&self, connection: &Connection, tenant: ObjectId, operation: &Operation) -> Result<()> {
        let found: Tenant =
            self.by_primary(connection, &Request::get(["tenants".into(), tenant.into()]), operation).await?;
        match found.tenant_state.as_ref().map(Word::as_str) {
            Some("active") => Ok(()),
            state => {
                let state = state.filter(|state| STATES.contains(state)).unwrap_or("unknown");
                let message = format!("the tenant is not active in Deep Security: its state is {state}");
                let error = Error::new(ErrorCode::UpstreamRejected, message);
                Err(client::told(error, &connection.own_line(), Some(200)))
            }
        }
    }

    async fn ask_for(
        &self,
        connection: &Connection,
        tenant: ObjectId,
        body: KeyBody,
        operation: &Operation,
    ) -> Result<Fresh> {
        let request = Request::post(["tenants".into(), tenant.into(), "apikeys".into()], Some(wire::write(&body)?));
        let made: KeyWithSecret = self.by_primary(connection, &request, operation).await?;
        let identity = Identity(format!("new:{}", made.key.id));
        let line = Line { tenant: connection.tenant, endpoint: connection.endpoint.clone(), identity };
        Ok(Fresh { id: ObjectId(made.key.id), shown: Shown::secret_key(&made.secret), line, made })
    }

    /// Whether a key has the role that was asked for, and the role is of that right. A key of another tenant is an error.
    async fn prove(
        &self,
        fresh: &Fresh,
        tenant: ObjectId,
        role: i64,
        right: Right,
        operation: &Operation,
    ) -> Result<bool> {
        self.require_own(fresh, tenant, role, operation).await?;
        if right == Right::Full {
            return Ok(true);
        }
        let request = Request::get(["roles".into(), ObjectId(role).into()]);
        match client::send(&self.outbound, operation, &fresh.line, &fresh.shown, &request).await {
            Ok(reply) => Ok(self.is_read_only(&reply.read(&fresh.line, false)?)),
            // It may not even see its role, or the role is gone: then it proves nothing.
            Err(Denied::Credential(_)) => Ok(false),
            Err(Denied::Other(error)) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(Denied::Other(error)) => Err(error),
        }
    }

    /// That a key is of that tenant and that role: no object tells its tenant, so this is the one proof that there is
    /// (`reference/deep-security-api.md`, section 9).
    async fn require_own(&self, fresh: &Fresh, tenant: ObjectId, role: i64, operation: &Operation) -> Result<()> {
        let request = Request::get(["apikeys".into(), "current".into()]);
        let reply = client::send(&self.outbound, operation, &fresh.line, &fresh.shown, &request).await;
        let own: Result<CurrentKey> = match reply {
            Ok(reply) => reply.read(&fresh.line, false),
            Err(denied) => Err(denied.of_own_credential(&fresh.line)),
        };
        match own {
            Ok(own) if own.tenant_id == Some(tenant.0) && own.role_id == Some(role) => Ok(()),
            Ok(_) => {
                self.discard(fresh, operation).await;
                Err(client::malformed(&fresh.line, "the new key is of another tenant or role".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    fn is_read_only(&self, role: &Role) -> bool {
        let named = role.name.as_ref().is_some_and(|name| self.settings.read_only_roles.contains(name));
        named && role.only_views()
    }

    /// The read-only role of the tenant by its name, with a key for this alone.
    async fn look_up_role(
        &self,
        connection: &Connection,
        tenant: ObjectId,
        row: &Model,
        operation: &Operation,
    ) -> Result<i64> {
        // It bears the name of the key that is to be made: what is left of it after a crash is found with that one.
        let body = body(row, FULL_ACCESS, self.clock.now().plus(LOOK_UP_LIFETIME));
        let looker = self.ask_for(connection, tenant, body, operation).await?;
        self.require_own(&looker, tenant, FULL_ACCESS, operation).await?;
        let found = self.find_role(&looker, operation).await;
        self.discard(&looker, operation).await;
        found?.ok_or_else(|| {
            let error = Error::new(ErrorCode::UpstreamRejected, "the tenant has no read-only role in Deep Security");
            client::told(error, &connection.own_line(), Some(200))
        })
    }

    async fn find_role(&self, looker: &Fresh, operation: &Operation) -> Result<Option<i64>> {
        for name in &self.settings.read_only_roles {
            let request = Request::search("roles", exactly::<Role>(name)?);
            let reply = client::send(&self.outbound, operation, &looker.line, &looker.shown, &request).await;
            let reply = reply.map_err(|denied| denied.of_own_credential(&looker.line))?;
            let Page(roles) = reply.read::<Page<Role>>(&looker.line, false)?;
            if let Some(role) = roles.iter().find(|role| self.is_read_only(role)) {
                return Ok(Some(role.id));
            }
        }
        Ok(None)
    }

    /// Deletes a key that must not be used, with its own secret. One that may not delete itself ends by itself.
    async fn discard(&self, fresh: &Fresh, operation: &Operation) {
        let request = Request::delete(["apikeys".into(), fresh.id.into()]);
        if client::send(&self.outbound, operation, &fresh.line, &fresh.shown, &request).await.is_err() {
            tracing::warn!(tenant = %fresh.line.tenant, "a key that is not used could not be deleted");
        }
    }

    async fn store(
        &self,
        wanted: &Wanted,
        row: &Model,
        fresh: Fresh,
        role_id: i64,
        operation: &Operation,
    ) -> Result<Key> {
        let secret = fresh.made.secret.clone();
        let sealed_secret = self.master.seal(&*self.entropy, &row.binding(), secret.expose().as_bytes());
        let made = Made { remote_key_id: fresh.id.0, role_id, sealed_secret };
        let write = self.database.write().await?;
        if !entity::go_live(&write, row, made, self.clock.now()).await? {
            // The lease was over: another node took over, and this key is one too many.
            drop(write);
            self.discard(&fresh, operation).await;
            let error = Error::new(ErrorCode::UpstreamTimeout, "the tenant's key was not made in time");
            return Err(client::told(error, &fresh.line, None));
        }
        write.commit().await?;
        tracing::info!(tenant = %row.tenant_id, right = row.access, expires_at = %row.expires_at, "tenant key made");
        let place = (row.base_url.clone(), row.remote_tenant_id.clone());
        Ok(Key::new(row.id, wanted.slot, place, secret, (row.renew_at, row.expires_at)))
    }

    /// Calls with the installation's own credential.
    async fn by_primary<T: serde::de::DeserializeOwned>(
        &self,
        connection: &Connection,
        request: &Request,
        operation: &Operation,
    ) -> Result<T> {
        let line = connection.own_line();
        let reply = client::send(&self.outbound, operation, &line, &Shown::own(&connection.credential)?, request).await;
        reply.map_err(|denied| denied.of_own_credential(&line))?.read(&line, request.writes())
    }
}

/// What a tenant's `tenantState` may be besides active: the words that may stand in a message.
const STATES: [&str; 11] = [
    "undefined",
    "created",
    "suspended",
    "suspended-db-locked",
    "pending-deletion",
    "db-upgrade-failure",
    "confirmation-required",
    "cache-requires-initialization",
    "cache-initializing",
    "cache-ready-for-use",
    "cache-activating",
];

/// An end and a role, always: without them a key lives for six hours and may do everything.
fn body(row: &Model, role: i64, expires_at: Timestamp) -> KeyBody {
    KeyBody {
        key_name: Some(row.key_name.clone()),
        description: Some("Made by Tenant Gateway, which also removes it".to_owned()),
        role_id: Some(role),
        expiry_date: Some(expires_at.millis()),
        ..KeyBody::default()
    }
}

/// A role that the tenant does not have is refused.
fn refused_the_role(error: &Error) -> bool {
    error.code() == ErrorCode::UpstreamRejected && error.upstream().is_some_and(|upstream| upstream.status == Some(400))
}

/// The tenant of the installation, whose id becomes part of paths.
fn remote_tenant(connection: &Connection) -> Result<ObjectId> {
    let id = connection.remote_tenant_id.as_deref().and_then(|id| ObjectId::parse("tenant", id).ok());
    id.ok_or_else(|| {
        let message = "the tenant's link names no tenant of Deep Security: its ids are numbers";
        client::told(Error::new(ErrorCode::UpstreamRejected, message), &connection.own_line(), None)
    })
}
