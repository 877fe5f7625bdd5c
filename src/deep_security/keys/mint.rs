//! Mints a tenant's key: the primary manager creates it, the gateway verifies and stores it.
//!
//! A key of full access gets role 1, which every tenant has.
//!
//! A read-only key needs the id of the tenant's read-only role, but only a key of the tenant itself
//! can list its roles. So the gateway guesses the role and verifies the guess:
//!
//! 1. It mints a key with the role of the tenant's previous key, or else with role 2, the Auditor
//!    of a new tenant.
//! 2. With this key it reads the role. A role that only views is right, and the key is stored.
//! 3. Otherwise it mints a temporary key of full access, looks the role up by its name, mints the
//!    key with that role, and deletes the temporary key.
//!
//! Most tenants need one key, which never had more than read access.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::entity::{self, MintedKey, Model};
use super::key::{KeyLifetime, KeySlot, TenantKey};
use super::remnants::Remnants;
use super::settings::KeySettings;
use super::state::Keys;
use super::tenant_state::remote_tenant;
use super::verify::{FIRST_LIFETIME, FULL_ACCESS, MintContext, UnverifiedKey};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::deep_security::client;
use crate::deep_security::model::KeyAccess;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{TenantId, TenantKeyId};
use crate::outbound::{Operation, UpstreamRoute};
use crate::upstreams::Connection;

/// The read-only role of a fresh tenant (`docs/reference/deep-security-api.md`, section 7).
const AUDITOR: i64 = 2;

/// How long all calls for one key may take together.
pub(super) const DEADLINE: Duration = Duration::from_secs(24);

/// A key that is needed.
pub struct KeyRequest {
    /// The tenant's connection.
    pub connection: Arc<Connection>,
    /// The purpose of the key.
    pub slot: KeySlot,
    /// Whether the present key still works and is only renewed.
    pub renewing: bool,
    /// The request on whose behalf it is minted.
    pub request_id: String,
}

impl Keys {
    /// The row of a key to be minted.
    pub(super) fn planned(&self, wanted: &KeyRequest, now: Timestamp) -> Model {
        let KeyRequest { connection, slot, .. } = wanted;
        let KeySettings { instance, lifetime, .. } = &self.settings;
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

    /// The name at the manager of a tenant's keys with that access.
    pub(super) fn key_name(&self, tenant: TenantId, access: KeyAccess) -> String {
        format!("tenant-gateway {} {tenant} {}", self.settings.instance, access.as_str())
    }

    /// Mints the key of a claimed row.
    pub(super) async fn mint(&self, wanted: &KeyRequest, row: Model) -> Result<TenantKey> {
        // Renewed until the key is minted, so that no other node takes the claim over meanwhile.
        let _lease = self.keep_lease(row.id);
        let deadline = Instant::now() + DEADLINE;
        let operation = Operation::background(wanted.request_id.clone(), deadline);
        let mut remnants = Remnants::default();
        let minted = timeout_at(deadline, self.make(wanted, &row, &operation, &mut remnants)).await;
        let error = match minted {
            Ok(Ok(key)) => return Ok(key),
            Ok(Err(error)) => error,
            Err(_) => timed_out(&wanted.connection.installation_route()),
        };
        if !self.give_up(&row, remnants.remains).await? {
            // Cleanup may have deleted the key before it was verified: the error is about that key.
            return Err(claim_lost(row.tenant_id));
        }
        // Only the request for the key has an unknown outcome; that of the caller was not sent.
        let error = error.with_known_outcome();
        if remnants.requested {
            self.note_failure(wanted.slot, error.clone());
        }
        Err(error)
    }

    /// Requests, verifies and stores a key. `remnants` says at any moment whether the manager may
    /// have a key that is not stored: this future can be dropped when the time is up.
    async fn make(
        &self,
        wanted: &KeyRequest,
        row: &Model,
        operation: &Operation,
        remnants: &mut Remnants,
    ) -> Result<TenantKey> {
        let connection = &*wanted.connection;
        let tenant = remote_tenant(connection)?;
        self.require_active(connection, tenant, operation).await?;
        let context = MintContext { keys: self, connection, tenant, row, operation };
        match wanted.slot.access {
            KeyAccess::Full => self.make_full(&context, wanted.slot, remnants).await,
            KeyAccess::Read => self.make_read_only(&context, wanted.slot, remnants).await,
        }
    }

    /// A key of full access: recorded as soon as it is received, extended once it is verified.
    async fn make_full(
        &self,
        context: &MintContext<'_>,
        slot: KeySlot,
        remnants: &mut Remnants,
    ) -> Result<TenantKey> {
        let key = remnants.track(context.request_key(FULL_ACCESS, context.row.expires_at)).await?;
        match self.keep_full(context, slot, &key).await {
            Ok(kept) => Ok(kept),
            Err(error) => {
                remnants.remains = !context.discard(&key).await;
                Err(error)
            }
        }
    }

    async fn keep_full(
        &self,
        context: &MintContext<'_>,
        slot: KeySlot,
        key: &UnverifiedKey,
    ) -> Result<TenantKey> {
        let row = context.row;
        let mut minted = self.minted(row, key, FULL_ACCESS);
        minted.expires_at = row.created_at.plus(self.settings.lifetime);
        let note = async |write: Arc<Write<'_>>| entity::note_minted(&write, row, &minted).await;
        if !self.database.transaction(note).await? {
            return Err(claim_lost(row.tenant_id));
        }
        context.require_own(key, FULL_ACCESS).await?;
        if minted.expires_at > row.expires_at {
            minted.expires_at = context.extend(key, row.expires_at, minted.expires_at).await?;
        }
        let lifetime = minted.expires_at.since(row.created_at);
        minted.renew_at = row.created_at.plus(renewed_after(lifetime));
        self.store(row, slot, key, minted).await
    }

    async fn make_read_only(
        &self,
        context: &MintContext<'_>,
        slot: KeySlot,
        remnants: &mut Remnants,
    ) -> Result<TenantKey> {
        let expires_at = context.row.expires_at;
        let last = entity::last_role(self.database.reader(), slot).await?;
        let role = last.unwrap_or(AUDITOR);
        remnants.set(true);
        let unfit = match context.request_key(role, expires_at).await {
            Err(error) if is_unknown_role(&error) => None,
            Err(error) => {
                remnants.set(error.is_outcome_unknown());
                return Err(error);
            }
            Ok(key) => match context.verify_key(&key, role, slot.access).await {
                Ok(true) => return self.store_read_only(context, slot, &key, role).await,
                Ok(false) => Some(key),
                Err(error) => {
                    context.discard(&key).await;
                    return Err(error);
                }
            },
        };
        let role = context.look_up_role(unfit).await?;
        let key = context.request_key(role, expires_at).await?;
        if let Err(error) = context.require_own(&key, role).await {
            context.discard(&key).await;
            return Err(error);
        }
        self.store_read_only(context, slot, &key, role).await
    }

    async fn store_read_only(
        &self,
        context: &MintContext<'_>,
        slot: KeySlot,
        key: &UnverifiedKey,
        role: i64,
    ) -> Result<TenantKey> {
        let minted = self.minted(context.row, key, role);
        let stored = self.store(context.row, slot, key, minted).await;
        if stored.is_err() {
            context.discard(key).await;
        }
        stored
    }

    /// A key for its row, with the sealed secret.
    pub(super) fn minted(&self, row: &Model, key: &UnverifiedKey, role_id: i64) -> MintedKey {
        let secret = key.secret.expose().as_bytes();
        MintedKey {
            remote_key_id: key.id.0,
            role_id,
            sealed_secret: self.master.seal(&*self.entropy, &row.binding(), secret),
            renew_at: row.renew_at,
            expires_at: row.expires_at,
        }
    }

    async fn store(
        &self,
        row: &Model,
        slot: KeySlot,
        key: &UnverifiedKey,
        minted: MintedKey,
    ) -> Result<TenantKey> {
        let now = self.clock.now();
        let go_live =
            async |write: Arc<Write<'_>>| entity::go_live(&write, row, &minted, now).await;
        if !self.database.transaction(go_live).await? {
            return Err(claim_lost(row.tenant_id));
        }
        let MintedKey { renew_at, expires_at, .. } = minted;
        let tenant = row.tenant_id;
        tracing::info!(
            %tenant,
            access = row.access,
            %expires_at,
            "minted a Deep Security key for the tenant"
        );
        let lifetime = KeyLifetime { renew_at, expires_at };
        Ok(TenantKey::new(row.id, slot, row.origin(), key.secret.clone(), lifetime))
    }
}

/// The age at which a key of that lifetime is renewed.
fn renewed_after(lifetime: Duration) -> Duration {
    lifetime * 4 / 5
}

/// Another node took the claim over: the lease expired because this node could not renew it. That
/// node's key will be used; this one is deleted.
pub(super) fn claim_lost(tenant: TenantId) -> Error {
    let message = "another node took over minting the tenant's Deep Security key: try again";
    Error::write_conflict(message).of_tenant(tenant)
}

fn timed_out(route: &UpstreamRoute) -> Error {
    let message = "timed out minting the tenant's Deep Security key";
    client::with_upstream(Error::new(ErrorCode::UpstreamTimeout, message), route, None)
}

/// Whether the manager rejected the request because the tenant does not have the role.
fn is_unknown_role(error: &Error) -> bool {
    error.code() == ErrorCode::UpstreamRejected
        && error.upstream().is_some_and(|upstream| upstream.status == Some(400))
}
