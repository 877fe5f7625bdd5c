//! The number of retries that a route may make.

use std::sync::{Mutex, PoisonError};

/// Balances in hundredths of a retry: the initial one, the credit for a call, and the maximum.
const INITIAL: u32 = 1000;
const PER_CALL: u32 = 10;
const MAX: u32 = 2000;

/// The retries that a route may make: ten, and one more for every ten calls, so that a system in
/// trouble is not sent several times its usual load.
pub(in crate::outbound) struct RetryBudget(Mutex<u32>);

impl RetryBudget {
    pub(in crate::outbound) fn new() -> Self {
        Self(Mutex::new(INITIAL))
    }

    /// Credits one call.
    pub(in crate::outbound) fn earn(&self) {
        let mut balance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *balance = (*balance + PER_CALL).min(MAX);
    }

    /// Takes one retry off the balance, and says whether there was one.
    pub(in crate::outbound) fn spend(&self) -> bool {
        let mut balance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = balance.checked_sub(100);
        *balance = rest.unwrap_or(*balance);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_retries_ten_calls_and_a_tenth_of_its_calls() {
        let budget = RetryBudget::new();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
        (0..20).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 2);
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 20);
    }
}
