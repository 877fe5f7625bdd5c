//! A key in the memory of this process.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::deep_security::client::AuthHeaders;
use crate::deep_security::model::KeyAccess;
use crate::deep_security::wire::SecretKey;
use crate::ids::{LinkId, TenantKeyId};
use crate::outbound::{Identity, UpstreamRoute};
use crate::upstreams::Connection;

/// The purpose of a key: a tenant, by its link, and the access. Every cache of keys has it in its
/// cache key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeySlot {
    /// The link, which stands for one gateway tenant, one installation and one tenant there for as
    /// long as it exists.
    pub link: LinkId,
    /// The access of the key.
    pub access: KeyAccess,
}

/// The remaining lifetime below which a key is not used for new calls.
const EXPIRY_MARGIN: Duration = Duration::from_secs(30);

/// The pause between attempts to renew a key.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// The tenant and installation for which a key is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOrigin {
    /// The base URL of the installation that minted it. It is never sent anywhere else.
    pub base_url: String,
    /// The tenant of the installation.
    pub remote_tenant_id: String,
}

/// When a key is renewed and when it expires.
#[derive(Clone, Copy, Debug)]
pub struct KeyLifetime {
    /// When it is due for renewal.
    pub renew_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A tenant's key, verified to belong to that tenant.
#[derive(Debug)]
pub struct TenantKey {
    /// The id of its row.
    pub id: TenantKeyId,
    /// Its purpose.
    pub slot: KeySlot,
    /// The name of calls that it authenticates.
    identity: Identity,
    origin: KeyOrigin,
    secret: SecretKey,
    expires_at: Timestamp,
    next_renewal: AtomicI64,
}

impl TenantKey {
    /// A key that was loaded or minted.
    pub fn new(
        id: TenantKeyId,
        slot: KeySlot,
        origin: KeyOrigin,
        secret: SecretKey,
        lifetime: KeyLifetime,
    ) -> Self {
        let KeyLifetime { renew_at, expires_at } = lifetime;
        Self {
            identity: Identity::new(format!("{}:{id}", slot.access.as_str())),
            id,
            slot,
            origin,
            secret,
            expires_at,
            next_renewal: AtomicI64::new(renew_at.millis()),
        }
    }

    /// Whether it may be used on this connection now.
    pub fn is_valid_for(&self, connection: &Connection, now: Timestamp) -> bool {
        Some(self.slot.link) == connection.link
            && self.origin.base_url == connection.endpoint.base_url.as_str()
            && connection.remote_tenant_id.as_ref() == Some(&self.origin.remote_tenant_id)
            && is_usable_until(self.expires_at, now)
    }

    /// Whether it is due for renewal. Only one caller gets `true`; the next one after a pause.
    pub fn take_renewal(&self, now: Timestamp) -> bool {
        let due = self.next_renewal.load(Ordering::Relaxed);
        let next = now.plus(RENEWAL_PAUSE).millis();
        now.millis() >= due
            && self
                .next_renewal
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// The route of calls with this key.
    pub fn route(&self, connection: &Connection) -> UpstreamRoute {
        UpstreamRoute {
            tenant: connection.tenant,
            endpoint: connection.endpoint.clone(),
            identity: self.identity.clone(),
        }
    }

    /// The headers that authenticate with it.
    pub fn auth(&self) -> AuthHeaders {
        AuthHeaders::secret_key(&self.secret)
    }
}

/// Whether a key that expires then may still be used for a call.
pub fn is_usable_until(expires_at: Timestamp, now: Timestamp) -> bool {
    now.plus(EXPIRY_MARGIN) < expires_at
}
