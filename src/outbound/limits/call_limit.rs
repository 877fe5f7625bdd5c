//! The number of calls that one operation may make.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::TenantId;
use crate::outbound::failure::Failure;

/// The calls that an operation may make, and those that it made.
pub(in crate::outbound) struct CallLimit {
    calls_per_tenant: u64,
    calls: u64,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    calls: u64,
    tenants: HashMap<TenantId, u64>,
}

/// A reserved call; dropped without [`CallPermit::commit`] it is given back.
pub(in crate::outbound) struct CallPermit {
    limit: Option<Arc<CallLimit>>,
    tenant: TenantId,
}

impl CallLimit {
    pub(in crate::outbound) fn new(calls_per_tenant: u64, calls: u64) -> Arc<Self> {
        Arc::new(Self { calls_per_tenant, calls, used: Mutex::default() })
    }

    /// Reserves one call.
    ///
    /// # Errors
    /// `CallLimit` if none is left.
    pub(in crate::outbound) fn reserve(
        self: &Arc<Self>,
        tenant: TenantId,
    ) -> Result<CallPermit, Failure> {
        let mut used = self.used();
        if used.calls >= self.calls {
            return Err(Failure::CallLimit { of_tenant: false, limit: self.calls });
        }
        if used.tenants.get(&tenant).is_some_and(|calls| *calls >= self.calls_per_tenant) {
            return Err(Failure::CallLimit { of_tenant: true, limit: self.calls_per_tenant });
        }
        used.calls += 1;
        *used.tenants.entry(tenant).or_default() += 1;
        Ok(CallPermit { limit: Some(self.clone()), tenant })
    }

    /// The number of calls made or reserved.
    pub(in crate::outbound) fn calls(&self) -> u64 {
        self.used().calls
    }

    /// The number of tenants with calls made or reserved.
    pub(in crate::outbound) fn tenants(&self) -> u64 {
        self.used().tenants.values().filter(|calls| **calls > 0).count() as u64
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // Poisoning is harmless: the counters are consistent between any two statements.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallPermit {
    /// Uses the call up: it is being sent.
    pub(in crate::outbound) fn commit(mut self) {
        self.limit = None;
    }
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        if let Some(limit) = self.limit.take() {
            let mut used = limit.used();
            used.calls -= 1;
            used.tenants.entry(self.tenant).and_modify(|calls| *calls -= 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: u128) -> TenantId {
        TenantId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn calls_are_limited_per_tenant_and_in_all() {
        let limit = CallLimit::new(2, 3);
        limit.reserve(tenant(1)).unwrap().commit();
        limit.reserve(tenant(1)).unwrap().commit();
        assert!(matches!(
            limit.reserve(tenant(1)),
            Err(Failure::CallLimit { of_tenant: true, limit: 2 })
        ));
        limit.reserve(tenant(2)).unwrap().commit();
        assert!(matches!(
            limit.reserve(tenant(2)),
            Err(Failure::CallLimit { of_tenant: false, limit: 3 })
        ));
        assert_eq!((limit.calls(), limit.tenants()), (3, 2));
    }

    #[test]
    fn call_that_is_not_sent_is_given_back() {
        let limit = CallLimit::new(1, 1);
        drop(limit.reserve(tenant(1)).unwrap());
        assert_eq!((limit.calls(), limit.tenants()), (0, 0));
        assert!(limit.reserve(tenant(1)).is_ok());
    }
}
