//! Memory that answers take: from the first byte on the wire until nothing that was read from them
//! is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::failure::Failure;
use super::operation::Operation;
use super::route::UpstreamRoute;
use crate::budget::{Account, Exhausted, Permit, Pool};

/// What an answer without a length takes at first.
const FIRST: usize = 64 * 1024;

/// The node's memory for answers, as one call may use it: the share of the installation's owner,
/// and of the tenant within it.
pub(super) struct AnswerBudget {
    pool: Arc<Pool<Uuid>>,
    account: Account<Uuid>,
    patience: Duration,
    operation: Arc<AtomicUsize>,
}

/// What one answer holds, given back when this is dropped.
#[derive(Debug)]
pub struct HeldAnswer {
    permit: Permit<Uuid>,
    /// All that the operation holds, which waits in vain for what it holds itself.
    operation: Arc<AtomicUsize>,
    patience: Duration,
}

impl AnswerBudget {
    pub(super) fn new(
        pool: &Arc<Pool<Uuid>>,
        patience: Duration,
        route: &UpstreamRoute,
        operation: &Operation,
    ) -> Self {
        let account = Account { owner: route.endpoint.owner.0, member: route.tenant.0 };
        Self { pool: pool.clone(), account, patience, operation: operation.held_answers().clone() }
    }

    /// A budget that belongs to nobody.
    #[cfg(test)]
    pub(super) fn of_tests(pool: &Arc<Pool<Uuid>>) -> Self {
        let patience = Duration::from_secs(1);
        Self {
            pool: pool.clone(),
            account: Account::alone(Uuid::nil()),
            patience,
            operation: Arc::default(),
        }
    }

    /// Takes what an answer needs: its length, or a beginning where it does not say how long it is.
    ///
    /// # Errors
    /// `NoRoom`.
    pub(super) async fn hold(&self, length: Option<usize>) -> Result<HeldAnswer, Failure> {
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
    /// How many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.permit.units()
    }

    /// Takes more; only an answer that holds nothing yet waits for it a while.
    ///
    /// # Errors
    /// `NoRoom`.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        if self.operation.load(Ordering::Relaxed) + bytes > self.permit.largest() {
            return Err(Failure::NoRoom { ever: false });
        }
        if self.permit.units() == 0 {
            self.permit.grow(bytes, Instant::now() + self.patience).await.map_err(no_room)?;
        } else {
            // Answers that each hold what the others wait for would wait in vain.
            self.permit.try_grow(bytes).map_err(no_room)?;
        }
        self.operation.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Gives back what a shorter answer does not need.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
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
    async fn operation_does_not_wait_for_what_it_holds_itself() {
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
    async fn answer_that_grows_does_not_wait_for_what_others_hold() {
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
