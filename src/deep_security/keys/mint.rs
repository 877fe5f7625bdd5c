//! Making a tenant's key, and proving whose it is before it is used.
//!
//! A key that reads gets the read-only role of the tenant. Roles belong to the tenant and are seen
//! with a key of the tenant alone, and the one at hand is the one about to be made. So it is made
//! with the role that was right the last time, else with number 2, which a fresh tenant has as its
//! Auditor; the key itself then says which role it has and what that role may. If that is not a
//! read-only role, a key that lives for minutes looks the role up by its name. This way the usual
//! case makes one key, which never could do more than read. A key that may everything gets number
//! 1, which every tenant has for that.
//!
//! A key with full access that nobody knows of must not live for long. So it is made with an end
//! minutes ahead, written down as soon as it is seen, verified, and only then extended: one whose
//! answer is lost ends by itself within minutes, and one that was seen removes itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::entity::{self, MintedKey, Model};
use super::key::{KeySlot, TenantKey};
use super::service::{Keys, Settings};
use super::verify::{FIRST_LIFETIME, FULL_ACCESS, UnverifiedKey, body};
use crate::auth::{RequestId, TenantScope};
use crate::clock::Timestamp;
use crate::database::{Database, Write};
use crate::deep_security::client::{self, Request};
use crate::deep_security::model::{KeyAccess, ObjectId};
use crate::deep_security::wire::{Tenant, Word};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{TenantId, TenantKeyId, random_uuid};
use crate::outbound::{Operation, UpstreamRoute};
use crate::upstreams::Connection;

/// The read-only role of a fresh tenant (`docs/reference/deep-security-api.md`, section 7).
const AUDITOR: i64 = 2;

/// How long all the calls for one key may take.
pub(super) const DEADLINE: Duration = Duration::from_secs(24);

/// The key that is wanted.
pub struct KeyRequest {
    /// The tenant's way.
    pub connection: Arc<Connection>,
    /// For whom.
    pub slot: KeySlot,
    /// Whether the present key works and is only to be renewed.
    pub renewing: bool,
    /// The request on whose behalf.
    pub request_id: String,
}

impl Keys {
    /// The row of a key that is about to be made.
    pub(super) fn planned(&self, wanted: &KeyRequest, now: Timestamp) -> Model {
        let KeyRequest { connection, slot, .. } = wanted;
        let Settings { instance, lifetime, .. } = &self.settings;
        let lifetime = match slot.access {
            KeyAccess::Full => FIRST_LIFETIME.min(*lifetime),
            KeyAccess::Read => *lifetime,
        };
        Model {
            id: TenantKeyId::random(&*self.entropy),
            tenant_id: connection.tenant,
            upstream_id: connection.endpoint.upstream,
            link_id: slot.link,
            remote_tenant_id: connection.remote_tenant_id.clone().unwrap_or_default(),
            base_url: connection.endpoint.base_url.as_str().to_owned(),
            access: slot.access.as_str().to_owned(),
            state: String::new(),
            instance: instance.clone(),
            key_name: self.key_name(connection.tenant, slot.access),
            remote_key_id: None,
            role_id: None,
            sealed_secret: None,
            created_at: now,
            renew_at: now.plus(renewed_after(lifetime)),
            expires_at: now.plus(lifetime),
            // The claim sets it.
            lease_until: now,
            spent_at: None,
        }
    }

    /// What a tenant's keys of one kind are called at the manager.
    pub(super) fn key_name(&self, tenant: TenantId, access: KeyAccess) -> String {
        format!("tenant-gateway {} {tenant} {}", self.settings.instance, access.as_str())
    }

    /// Makes the key of a row that was claimed.
    pub(super) async fn mint(&self, wanted: &KeyRequest, row: Model) -> Result<TenantKey> {
        // The lease lasts as long as the work: whoever takes it over finds nothing under way.
        let _lease = self.keep_lease(row.id);
        let deadline = tokio::time::Instant::now() + DEADLINE;
        let operation = Operation::background(wanted.request_id.clone(), deadline);
        let mut traces = Traces::default();
        let made = self.make(wanted, &row, &operation, &mut traces);
        let made = tokio::time::timeout_at(deadline, made).await;
        let error = match made {
            Ok(Ok(key)) => return Ok(key),
            Ok(Err(error)) => error,
            Err(_) => {
                let error =
                    Error::new(ErrorCode::UpstreamTimeout, "the tenant's key was not made in time");
                client::with_upstream(error, &wanted.connection.own_route(), None)
            }
        };
        self.give_up(&row, traces.left).await?;
        // What the caller asked for was not begun, whatever became of the key.
        let error = error.with_known_outcome();
        if traces.asked {
            self.note_failure(wanted.slot, error.clone());
        }
        Err(error)
    }

    /// Renews the lease of a claim until what is returned is dropped. The process that dies renews
    /// nothing, and is replaced soon.
    pub(super) fn keep_lease(&self, id: TenantKeyId) -> oneshot::Sender<()> {
        let (held, mut dropped) = oneshot::channel();
        let database = self.database.clone();
        let lease = self.settings.lease;
        // A task of its own, which ends between two renewals and never in one.
        tokio::spawn(async move {
            while timeout(lease / 3, &mut dropped).await.is_err() {
                if let Err(error) = renew(&database, id, lease).await {
                    error.log_cause();
                }
            }
        });
        held
    }

    async fn make(
        &self,
        wanted: &KeyRequest,
        row: &Model,
        operation: &Operation,
        traces: &mut Traces,
    ) -> Result<TenantKey> {
        let connection = &*wanted.connection;
        let tenant = remote_tenant(connection)?;
        self.require_active(connection, tenant, operation).await?;
        match wanted.slot.access {
            KeyAccess::Full => self.make_full(wanted, row, (tenant, operation), traces).await,
            KeyAccess::Read => self.make_reading(wanted, row, (tenant, operation), traces).await,
        }
    }

    /// A key with full access: written down when it is seen, and extended when it is verified.
    async fn make_full(
        &self,
        wanted: &KeyRequest,
        row: &Model,
        (tenant, operation): (ObjectId, &Operation),
        traces: &mut Traces,
    ) -> Result<TenantKey> {
        let connection = &*wanted.connection;
        let body = body(row, FULL_ACCESS, row.expires_at);
        *traces = Traces { asked: true, left: true };
        let fresh = match self.ask_for(connection, tenant, body, operation).await {
            Ok(fresh) => fresh,
            Err(error) => {
                let is_unknown = error.is_outcome_unknown();
                *traces = Traces { asked: is_unknown, left: is_unknown };
                return Err(error);
            }
        };
        match self.keep_full(wanted, row, &fresh, (tenant, operation)).await {
            Ok(key) => Ok(key),
            Err(error) => {
                traces.left = !self.discard(&fresh, operation).await;
                Err(error)
            }
        }
    }

    async fn keep_full(
        &self,
        wanted: &KeyRequest,
        row: &Model,
        fresh: &UnverifiedKey,
        (tenant, operation): (ObjectId, &Operation),
    ) -> Result<TenantKey> {
        let lifetime = self.settings.lifetime;
        let mut minted = self.minted(row, fresh, FULL_ACCESS);
        minted.expires_at = row.created_at.plus(lifetime);
        let note = async |write: Arc<Write<'_>>| entity::note_minted(&write, row, &minted).await;
        if !self.database.transaction(note).await? {
            return Err(too_late(&fresh.route));
        }
        self.require_own(fresh, tenant, FULL_ACCESS, operation).await?;
        if minted.expires_at > row.expires_at {
            let ends = (row.expires_at, minted.expires_at);
            minted.expires_at = self.extend(fresh, ends, operation).await?;
        }
        minted.renew_at =
            row.created_at.plus(renewed_after(minted.expires_at.since(row.created_at)));
        self.store(wanted, row, fresh, minted).await
    }

    async fn make_reading(
        &self,
        wanted: &KeyRequest,
        row: &Model,
        (tenant, operation): (ObjectId, &Operation),
        traces: &mut Traces,
    ) -> Result<TenantKey> {
        let connection = &*wanted.connection;
        let last = entity::last_role(self.database.reader(), wanted.slot).await?;
        let role = last.unwrap_or(AUDITOR);
        let body = |role| body(row, role, row.expires_at);
        *traces = Traces { asked: true, left: true };
        let fresh = match self.ask_for(connection, tenant, body(role), operation).await {
            Err(error) if refused_the_role(&error) => None,
            Err(error) => {
                let is_unknown = error.is_outcome_unknown();
                *traces = Traces { asked: is_unknown, left: is_unknown };
                return Err(error);
            }
            Ok(fresh) => Some(fresh),
        };
        let unfit = match fresh {
            Some(fresh) => {
                match self.verify_key(&fresh, tenant, role, wanted.slot.access, operation).await {
                    Ok(true) => {
                        return self.store_reading(wanted, row, fresh, role, operation).await;
                    }
                    Ok(false) => Some(fresh),
                    Err(error) => {
                        self.discard(&fresh, operation).await;
                        return Err(error);
                    }
                }
            }
            None => None,
        };
        let role = self.look_up_role(connection, tenant, (row, unfit), operation).await?;
        let fresh = self.ask_for(connection, tenant, body(role), operation).await?;
        if let Err(error) = self.require_own(&fresh, tenant, role, operation).await {
            self.discard(&fresh, operation).await;
            return Err(error);
        }
        self.store_reading(wanted, row, fresh, role, operation).await
    }

    /// As the vendor's own samples do (`docs/reference/deep-security-api.md`, section 7).
    pub(super) async fn require_active(
        &self,
        connection: &Connection,
        tenant: ObjectId,
        operation: &Operation,
    ) -> Result<()> {
        let request = Request::get(["tenants".into(), tenant.into()]);
        let found = self.by_primary::<Tenant>(connection, &request, operation).await;
        let found = found.map_err(|error| match error.code() {
            ErrorCode::NotFound => client::no_such_tenant(&connection.own_route(), tenant),
            _ => error,
        });
        let exists = match &found {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::NotFound => false,
            Err(_) => return found.map(drop),
        };
        let request_id = RequestId::from(random_uuid(&*self.entropy));
        let scope = TenantScope::background(&self.authorizer, connection.tenant, request_id);
        self.upstreams.note_use(&scope, connection, exists).await;
        match found?.tenant_state.as_ref().map(Word::as_str) {
            Some("active") => Ok(()),
            state => {
                let state = state.filter(|state| STATES.contains(state)).unwrap_or("unknown");
                let message =
                    format!("the tenant is not active in Deep Security: its state is {state}");
                let error = Error::new(ErrorCode::UpstreamRejected, message);
                Err(client::with_upstream(error, &connection.own_route(), Some(200)))
            }
        }
    }

    async fn store_reading(
        &self,
        wanted: &KeyRequest,
        row: &Model,
        fresh: UnverifiedKey,
        role: i64,
        operation: &Operation,
    ) -> Result<TenantKey> {
        let stored = self.store(wanted, row, &fresh, self.minted(row, &fresh, role)).await;
        if stored.is_err() {
            self.discard(&fresh, operation).await;
        }
        stored
    }

    /// A key as its row keeps it.
    pub(super) fn minted(&self, row: &Model, fresh: &UnverifiedKey, role_id: i64) -> MintedKey {
        let secret = fresh.secret.expose().as_bytes();
        MintedKey {
            remote_key_id: fresh.id.0,
            role_id,
            sealed_secret: self.master.seal(&*self.entropy, &row.binding(), secret),
            renew_at: row.renew_at,
            expires_at: row.expires_at,
        }
    }

    async fn store(
        &self,
        wanted: &KeyRequest,
        row: &Model,
        fresh: &UnverifiedKey,
        made: MintedKey,
    ) -> Result<TenantKey> {
        let now = self.clock.now();
        let go_live = async |write: Arc<Write<'_>>| entity::go_live(&write, row, &made, now).await;
        if !self.database.transaction(go_live).await? {
            // The lease was over: another node took over, and this key is one too many.
            return Err(too_late(&fresh.route));
        }
        tracing::info!(tenant = %row.tenant_id, access = row.access, expires_at = %made.expires_at, "tenant key made");
        let place = (row.base_url.clone(), row.remote_tenant_id.clone());
        let ends = (made.renew_at, made.expires_at);
        Ok(TenantKey::new(row.id, wanted.slot, place, fresh.secret.clone(), ends))
    }
}

/// What a mint that failed may have left at the manager.
#[derive(Default)]
struct Traces {
    /// Whether a key was asked for, and may have been made.
    asked: bool,
    /// Whether it may still be there.
    left: bool,
}

/// After how much of its life a key is renewed.
fn renewed_after(lifetime: Duration) -> Duration {
    lifetime * 4 / 5
}

fn too_late(route: &UpstreamRoute) -> Error {
    let error = Error::new(ErrorCode::UpstreamTimeout, "the tenant's key was not made in time");
    client::with_upstream(error, route, None)
}

async fn renew(database: &Database, id: TenantKeyId, lease: Duration) -> Result<()> {
    let renew = async |write: Arc<Write<'_>>| entity::renew_lease(&write, id, lease).await;
    database.transaction(renew).await
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

/// A role that the tenant does not have is refused.
fn refused_the_role(error: &Error) -> bool {
    error.code() == ErrorCode::UpstreamRejected
        && error.upstream().is_some_and(|upstream| upstream.status == Some(400))
}

/// The tenant of the installation, whose id becomes part of paths.
fn remote_tenant(connection: &Connection) -> Result<ObjectId> {
    let id =
        connection.remote_tenant_id.as_deref().and_then(|id| ObjectId::parse("tenant", id).ok());
    id.ok_or_else(|| {
        let message = "the tenant's link names no tenant of Deep Security: its ids are numbers";
        client::with_upstream(
            Error::new(ErrorCode::UpstreamRejected, message),
            &connection.own_route(),
            None,
        )
    })
}
