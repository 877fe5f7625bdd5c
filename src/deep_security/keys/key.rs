//! A key in the hand of this process.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::deep_security::client::AuthHeaders;
use crate::deep_security::model::KeyAccess;
use crate::deep_security::wire::SecretKey;
use crate::ids::{LinkId, TenantKeyId};
use crate::outbound::{Identity, UpstreamRoute};
use crate::upstreams::Connection;

/// For whom a key is: the tenant by its link, and how much it may. Whatever is remembered of keys
/// has this in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeySlot {
    /// The link, which names one tenant of ours, one installation and one tenant there for as long
    /// as it lives.
    pub link: LinkId,
    /// How much it may.
    pub access: KeyAccess,
}

/// No call begins with a key that ends so soon.
const MARGIN: Duration = Duration::from_secs(30);

/// After a renewal that failed, the next try comes no sooner.
const PAUSE: Duration = Duration::from_secs(30);

/// A tenant's key, proven to be that tenant's.
#[derive(Debug)]
pub struct TenantKey {
    /// Its row.
    pub id: TenantKeyId,
    /// For whom.
    pub slot: KeySlot,
    /// The base URL of the installation that made it: it is shown nowhere else.
    pub base_url: String,
    /// The tenant of the installation.
    pub remote_tenant_id: String,
    /// Its secret.
    pub secret: SecretKey,
    /// When it is to be renewed.
    pub renew_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    next_renewal: AtomicI64,
}

impl TenantKey {
    /// A key that was read or made.
    pub fn new(
        id: TenantKeyId,
        slot: KeySlot,
        place: (String, String),
        secret: SecretKey,
        (renew_at, expires_at): (Timestamp, Timestamp),
    ) -> Self {
        let (base_url, remote_tenant_id) = place;
        let next_renewal = AtomicI64::new(renew_at.millis());
        Self { id, slot, base_url, remote_tenant_id, secret, renew_at, expires_at, next_renewal }
    }

    /// Whether it may be used on this connection at this moment.
    pub fn fits(&self, connection: &Connection, now: Timestamp) -> bool {
        Some(self.slot.link) == connection.link
            && self.base_url == connection.endpoint.base_url.as_str()
            && connection.remote_tenant_id.as_ref() == Some(&self.remote_tenant_id)
            && lasts(self.expires_at, now)
    }

    /// Whether it is time to renew it; says so to one of those who ask, and to the next only after
    /// a pause.
    pub fn is_to_be_renewed(&self, now: Timestamp) -> bool {
        let due = self.next_renewal.load(Ordering::Relaxed);
        let next = now.plus(PAUSE).millis();
        now.millis() >= due
            && self
                .next_renewal
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// The route on which it is used.
    pub fn route(&self, connection: &Connection) -> UpstreamRoute {
        let identity = Identity(format!("{}:{}", self.slot.access.as_str(), self.id));
        UpstreamRoute { tenant: connection.tenant, endpoint: connection.endpoint.clone(), identity }
    }

    /// The header that shows it.
    pub fn auth(&self) -> AuthHeaders {
        AuthHeaders::secret_key(&self.secret)
    }
}

/// Whether a key that ends then is still worth a call.
pub fn lasts(expires_at: Timestamp, now: Timestamp) -> bool {
    now.plus(MARGIN) < expires_at
}
