//! What an operation has spent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::Failure;
use crate::ids::TenantId;

/// How many calls were made, of how many that may be.
pub(super) struct Budget {
    calls_a_tenant: u64,
    calls: u64,
    spent: Mutex<Spent>,
}

#[derive(Default)]
struct Spent {
    calls: u64,
    tenants: HashMap<TenantId, u64>,
}

/// A call that may be made. Dropped before it is sent, it costs nothing.
pub(super) struct Fare {
    budget: Option<Arc<Budget>>,
    tenant: TenantId,
}

impl Budget {
    pub(super) fn new(calls_a_tenant: u64, calls: u64) -> Arc<Self> {
        Arc::new(Self { calls_a_tenant, calls, spent: Mutex::default() })
    }

    /// Pays for one call.
    ///
    /// # Errors
    /// `Budget` if nothing is left.
    pub(super) fn pay(self: &Arc<Self>, tenant: TenantId) -> Result<Fare, Failure> {
        let mut spent = self.spent();
        if spent.calls >= self.calls {
            return Err(Failure::Budget { of_tenant: false, limit: self.calls });
        }
        if spent.tenants.get(&tenant).is_some_and(|calls| *calls >= self.calls_a_tenant) {
            return Err(Failure::Budget { of_tenant: true, limit: self.calls_a_tenant });
        }
        spent.calls += 1;
        *spent.tenants.entry(tenant).or_default() += 1;
        Ok(Fare { budget: Some(self.clone()), tenant })
    }

    /// How many calls.
    pub(super) fn calls(&self) -> u64 {
        self.spent().calls
    }

    /// For how many tenants.
    pub(super) fn tenants(&self) -> u64 {
        self.spent().tenants.values().filter(|calls| **calls > 0).count() as u64
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        // The numbers are whole between any two statements.
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fare {
    /// The call is being sent.
    pub(super) fn use_up(mut self) {
        self.budget = None;
    }
}

impl Drop for Fare {
    fn drop(&mut self) {
        if let Some(budget) = self.budget.take() {
            let mut spent = budget.spent();
            spent.calls -= 1;
            spent.tenants.entry(self.tenant).and_modify(|calls| *calls -= 1);
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
        budget.pay(tenant(1)).unwrap().use_up();
        budget.pay(tenant(1)).unwrap().use_up();
        assert!(matches!(
            budget.pay(tenant(1)),
            Err(Failure::Budget { of_tenant: true, limit: 2 })
        ));
        budget.pay(tenant(2)).unwrap().use_up();
        assert!(matches!(
            budget.pay(tenant(2)),
            Err(Failure::Budget { of_tenant: false, limit: 3 })
        ));
        assert_eq!((budget.calls(), budget.tenants()), (3, 2));
    }

    #[test]
    fn a_call_that_is_not_sent_costs_nothing() {
        let budget = Budget::new(1, 1);
        drop(budget.pay(tenant(1)).unwrap());
        assert_eq!((budget.calls(), budget.tenants()), (0, 0));
        assert!(budget.pay(tenant(1)).is_ok());
    }
}
