//! What an operation has spent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::Failure;
use crate::ids::TenantId;

/// How many calls were made, of how many that may be.
pub(super) struct Budget {
    calls_a_tenant: u64,
    calls: u64,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    calls: u64,
    tenants: HashMap<TenantId, u64>,
}

/// A call that may be made. Dropped before it is sent, it costs nothing.
pub(super) struct BudgetPermit {
    budget: Option<Arc<Budget>>,
    tenant: TenantId,
}

impl Budget {
    pub(super) fn new(calls_a_tenant: u64, calls: u64) -> Arc<Self> {
        Arc::new(Self { calls_a_tenant, calls, used: Mutex::default() })
    }

    /// Pays for one call.
    ///
    /// # Errors
    /// `Budget` if nothing is left.
    pub(super) fn reserve(self: &Arc<Self>, tenant: TenantId) -> Result<BudgetPermit, Failure> {
        let mut used = self.used();
        if used.calls >= self.calls {
            return Err(Failure::Budget { of_tenant: false, limit: self.calls });
        }
        if used.tenants.get(&tenant).is_some_and(|calls| *calls >= self.calls_a_tenant) {
            return Err(Failure::Budget { of_tenant: true, limit: self.calls_a_tenant });
        }
        used.calls += 1;
        *used.tenants.entry(tenant).or_default() += 1;
        Ok(BudgetPermit { budget: Some(self.clone()), tenant })
    }

    /// How many calls.
    pub(super) fn calls(&self) -> u64 {
        self.used().calls
    }

    /// For how many tenants.
    pub(super) fn tenants(&self) -> u64 {
        self.used().tenants.values().filter(|calls| **calls > 0).count() as u64
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // The numbers are whole between any two statements.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BudgetPermit {
    /// The call is being sent.
    pub(super) fn commit(mut self) {
        self.budget = None;
    }
}

impl Drop for BudgetPermit {
    fn drop(&mut self) {
        if let Some(budget) = self.budget.take() {
            let mut used = budget.used();
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
    fn a_tenant_has_its_share_and_all_have_the_whole() {
        let budget = Budget::new(2, 3);
        budget.reserve(tenant(1)).unwrap().commit();
        budget.reserve(tenant(1)).unwrap().commit();
        assert!(matches!(
            budget.reserve(tenant(1)),
            Err(Failure::Budget { of_tenant: true, limit: 2 })
        ));
        budget.reserve(tenant(2)).unwrap().commit();
        assert!(matches!(
            budget.reserve(tenant(2)),
            Err(Failure::Budget { of_tenant: false, limit: 3 })
        ));
        assert_eq!((budget.calls(), budget.tenants()), (3, 2));
    }

    #[test]
    fn a_call_that_is_not_sent_costs_nothing() {
        let budget = Budget::new(1, 1);
        drop(budget.reserve(tenant(1)).unwrap());
        assert_eq!((budget.calls(), budget.tenants()), (0, 0));
        assert!(budget.reserve(tenant(1)).is_ok());
    }
}
