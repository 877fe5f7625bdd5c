//! The number of tenants whose legacy systems one operation calls at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;

/// The end of the operation's time in which no tenant is read any more. When a tenant times out, the
/// operation uses this time to return the answers of the other tenants.
const RESPONSE_RESERVE: Duration = Duration::from_millis(500);

/// The tenant slots of an operation.
pub(in crate::outbound) struct TenantSlots {
    permits: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantId, OpenSlot>>,
    tenant_deadline: Duration,
    deadline: Instant,
}

struct OpenSlot {
    permit: Weak<SharedPermit>,
    deadline: Instant,
}

/// A permit that all slots of one tenant share; it is released with the last of them.
type SharedPermit = OnceCell<OwnedSemaphorePermit>;

/// A tenant's slot in an operation; dropping it releases it.
pub struct TenantSlot {
    tenant: TenantId,
    deadline: Instant,
    _permit: Arc<SharedPermit>,
}

impl TenantSlots {
    pub(in crate::outbound) fn new(
        max_tenants: usize,
        tenant_deadline: Duration,
        deadline: Instant,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(max_tenants.clamp(1, Semaphore::MAX_PERMITS)));
        Self { permits, tenants: Mutex::default(), tenant_deadline, deadline }
    }

    /// Waits for a slot, first come, first served.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED` if the operation's deadline passes first.
    pub(in crate::outbound) async fn acquire(&self, tenant: TenantId) -> Result<TenantSlot> {
        let permit = self.permit(tenant);
        let acquired = permit.get_or_try_init(|| self.permits.clone().acquire_owned());
        match timeout_at(self.deadline, acquired).await {
            Ok(acquired) => acquired.map_err(Error::internal)?,
            Err(_) => return Err(timed_out(tenant)),
        };
        let deadline = self.slot_deadline(Instant::now());
        if let Some(open) = self.tenants().get_mut(&tenant) {
            open.deadline = deadline;
        }
        Ok(TenantSlot { tenant, deadline, _permit: permit })
    }

    /// The deadline of calls for this tenant: that of its latest slot, else the operation's.
    pub(in crate::outbound) fn deadline(&self, tenant: TenantId) -> Instant {
        let tenants = self.tenants();
        let open = tenants.get(&tenant).filter(|open| open.permit.strong_count() > 0);
        open.map_or(self.deadline, |open| open.deadline)
    }

    fn permit(&self, tenant: TenantId) -> Arc<SharedPermit> {
        let mut tenants = self.tenants();
        if let Some(permit) = tenants.get(&tenant).and_then(|open| open.permit.upgrade()) {
            return permit;
        }
        let permit = Arc::new(SharedPermit::new());
        let open = OpenSlot { permit: Arc::downgrade(&permit), deadline: self.deadline };
        tenants.insert(tenant, open);
        permit
    }

    fn slot_deadline(&self, now: Instant) -> Instant {
        let left = self.deadline.saturating_duration_since(now);
        // An operation with little time left reserves a quarter of it.
        let reserve = RESPONSE_RESERVE.min(left / 4);
        (now + self.tenant_deadline).min(self.deadline - reserve)
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, OpenSlot>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TenantSlot {
    /// The deadline of the slot: the tenant's own, or shortly before the operation's, so that the
    /// answers of other tenants can still be returned.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Runs a read until the slot's deadline. The future is boxed: every resolver of an object
    /// reserves space for the largest one, and one that may call an upstream would make those that
    /// only return a stored value expensive.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED` naming the tenant if the deadline passes first. Do not run writes this
    /// way: they must not be cut short.
    pub async fn read<T>(&self, work: BoxFuture<'_, Result<T>>) -> Result<T> {
        timeout_at(self.deadline, work).await.unwrap_or_else(|_| Err(timed_out(self.tenant)))
    }
}

fn timed_out(tenant: TenantId) -> Error {
    let message = "the deadline for this tenant's part of the operation has passed";
    Error::new(ErrorCode::DeadlineExceeded, message).of_tenant(tenant)
}
