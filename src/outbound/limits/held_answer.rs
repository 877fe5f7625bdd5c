//! The memory that answers take, from the first byte received until the last value read from them
//! is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::budget::{Account, Exhausted, Permit, Pool};
use crate::outbound::failure::Failure;
use crate::outbound::route::UpstreamRoute;

/// The bytes first reserved for an answer without a length.
const FIRST: usize = 64 * 1024;

/// The part of the node's memory for answers that one call may use: the share of the installation's
/// owner, and of the tenant within it.
pub(in crate::outbound) struct AnswerBudget {
    pool: Arc<Pool<Uuid>>,
    account: Account<Uuid>,
    patience: Duration,
    operation: Arc<AtomicUsize>,
}

/// The memory that one answer holds; dropping this releases it.
#[derive(Debug)]
pub struct HeldAnswer {
    permit: Permit<Uuid>,
    /// The bytes that all answers of the operation hold: waiting for these would never end.
    operation: Arc<AtomicUsize>,
    patience: Duration,
}

impl AnswerBudget {
    /// A budget from `pool` for an answer on `route`. `operation` counts the bytes that the
    /// operation holds.
    pub(in crate::outbound) fn new(
        pool: &Arc<Pool<Uuid>>,
        patience: Duration,
        route: &UpstreamRoute,
        operation: &Arc<AtomicUsize>,
    ) -> Self {
        let account = Account { owner: route.endpoint.owner.0, member: route.tenant.0 };
        Self { pool: pool.clone(), account, patience, operation: operation.clone() }
    }

    /// A budget without an owner.
    #[cfg(test)]
    pub(in crate::outbound) fn of_tests(pool: &Arc<Pool<Uuid>>) -> Self {
        Self {
            pool: pool.clone(),
            account: Account::alone(Uuid::nil()),
            patience: Duration::from_secs(1),
            operation: Arc::default(),
        }
    }

    /// Reserves memory for an answer: its length in bytes, or a first part if it does not announce
    /// one.
    ///
    /// # Errors
    /// `NoRoom`.
    pub(in crate::outbound) async fn hold(
        &self,
        length: Option<usize>,
    ) -> Result<HeldAnswer, Failure> {
        let mut held = HeldAnswer {
            permit: self.pool.none(self.account),
            operation: self.operation.clone(),
            patience: self.patience,
        };
        held.grow(length.unwrap_or(FIRST)).await?;
        Ok(held)
    }
}

impl HeldAnswer {
    /// The number of bytes held.
    pub fn bytes(&self) -> usize {
        self.permit.units()
    }

    /// Reserves more bytes. Only an answer that holds nothing yet waits for them, for at most the
    /// patience of the settings.
    ///
    /// # Errors
    /// `NoRoom`.
    pub(in crate::outbound) async fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        if self.operation.load(Ordering::Relaxed) + bytes > self.permit.largest() {
            return Err(Failure::NoRoom { ever: false });
        }
        if self.permit.units() == 0 {
            self.permit.grow(bytes, Instant::now() + self.patience).await.map_err(no_room)?;
        } else {
            // Two answers that each hold what the other waits for would deadlock: do not wait.
            self.permit.try_grow(bytes).map_err(no_room)?;
        }
        self.operation.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Releases all but that many bytes: those that a shorter answer, or what was read from it, does
    /// not need.
    pub fn shrink_to(&mut self, bytes: usize) {
        let before = self.permit.units();
        self.permit.shrink_to(bytes);
        self.operation.fetch_sub(before - self.permit.units(), Ordering::Relaxed);
    }
}

impl Drop for HeldAnswer {
    fn drop(&mut self) {
        self.operation.fetch_sub(self.permit.units(), Ordering::Relaxed);
    }
}

fn no_room(exhausted: Exhausted) -> Failure {
    Failure::NoRoom { ever: exhausted == Exhausted::Full }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn operation_does_not_wait_for_memory_that_it_holds_itself() {
        let pool = Pool::new("upstream_answers", 1300);
        let budget = AnswerBudget::of_tests(&pool);
        let started = Instant::now();
        let first = budget.hold(Some(600)).await.unwrap();
        assert!(matches!(budget.hold(Some(600)).await, Err(Failure::NoRoom { ever: false })));
        assert_eq!(started.elapsed(), Duration::ZERO);
        let another = AnswerBudget { operation: Arc::default(), ..AnswerBudget::of_tests(&pool) };
        assert!(matches!(another.hold(Some(600)).await, Err(Failure::NoRoom { ever: true })));
        drop(first);
        assert!(another.hold(Some(600)).await.is_ok());
        assert_eq!(pool.figures().in_use, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn growing_answer_does_not_wait_for_memory_of_others() {
        let pool = Pool::new("upstream_answers", 1300);
        let budget = || AnswerBudget { operation: Arc::default(), ..AnswerBudget::of_tests(&pool) };
        let started = Instant::now();
        let mut one = budget().hold(Some(400)).await.unwrap();
        let mut other = budget().hold(Some(400)).await.unwrap();
        assert!(matches!(one.grow(400).await, Err(Failure::NoRoom { .. })));
        drop(one);
        assert!(other.grow(400).await.is_ok());
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}
