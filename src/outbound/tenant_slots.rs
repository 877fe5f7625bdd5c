//! Whose turn it is: an operation asks for few tenants at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;

/// What is kept of the operation's time, so that what the other tenants answered can still be told.
const REPORT_RESERVE: Duration = Duration::from_millis(500);

/// The turns of an operation.
pub(super) struct TenantSlots {
    permits: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantId, HeldSlot>>,
    tenant_deadline: Duration,
    deadline: Instant,
}

struct HeldSlot {
    permit: Weak<SlotPermit>,
    deadline: Instant,
}

/// One of the places, as long as anybody holds it.
type SlotPermit = OnceCell<OwnedSemaphorePermit>;

/// A tenant's turn in an operation; ends when dropped.
pub struct TenantSlot {
    tenant: TenantId,
    deadline: Instant,
    _permit: Arc<SlotPermit>,
}

impl TenantSlots {
    pub(super) fn new(at_once: usize, tenant_deadline: Duration, deadline: Instant) -> Self {
        let permits = Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)));
        Self { permits, tenants: Mutex::default(), tenant_deadline, deadline }
    }

    /// Waits for a turn, first come first served.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED` if the operation's time is over before that.
    pub(super) async fn acquire(&self, tenant: TenantId) -> Result<TenantSlot> {
        let permit = self.permit(tenant);
        let acquired = permit.get_or_try_init(|| self.permits.clone().acquire_owned());
        match timeout_at(self.deadline, acquired).await {
            Ok(acquired) => acquired.map_err(Error::internal)?,
            Err(_) => return Err(over(tenant)),
        };
        let deadline = self.slot_deadline(Instant::now());
        if let Some(held) =
            self.tenants.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&tenant)
        {
            held.deadline = deadline;
        }
        Ok(TenantSlot { tenant, deadline, _permit: permit })
    }

    /// Until when calls for this tenant may take: its latest turn's deadline, else the operation's.
    pub(super) fn deadline(&self, tenant: TenantId) -> Instant {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let held = tenants.get(&tenant).filter(|held| held.permit.strong_count() > 0);
        held.map_or(self.deadline, |held| held.deadline)
    }

    fn permit(&self, tenant: TenantId) -> Arc<SlotPermit> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permit) = tenants.get(&tenant).and_then(|held| held.permit.upgrade()) {
            return permit;
        }
        let permit = Arc::new(SlotPermit::new());
        tenants
            .insert(tenant, HeldSlot { permit: Arc::downgrade(&permit), deadline: self.deadline });
        permit
    }

    fn slot_deadline(&self, now: Instant) -> Instant {
        let left = self.deadline.saturating_duration_since(now);
        // Of an operation that is short anyway, a quarter.
        let reserve = REPORT_RESERVE.min(left / 4);
        (now + self.tenant_deadline).min(self.deadline - reserve)
    }
}

impl TenantSlot {
    /// When the turn is over: the tenant's deadline, or shortly before the operation's, so that
    /// what the other tenants answered can still be told.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Runs a read within the turn. It is boxed because every field of an object has room for the
    /// largest of its resolvers: one that may ask an upstream would make all those dear that only
    /// hand out what is there.
    ///
    /// # Errors
    /// `DEADLINE_EXCEEDED`, saying the tenant, if the turn is over first. Writes are not run this
    /// way: they are not cut short.
    pub async fn read<T>(&self, work: BoxFuture<'_, Result<T>>) -> Result<T> {
        timeout_at(self.deadline, work).await.unwrap_or_else(|_| Err(over(self.tenant)))
    }
}

fn over(tenant: TenantId) -> Error {
    let message = "the time for this tenant's part of the operation was over";
    Error::new(ErrorCode::DeadlineExceeded, message).of_tenant(tenant)
}
