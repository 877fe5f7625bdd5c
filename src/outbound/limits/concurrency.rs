//! The number of calls of one tenant to one installation at the same time.
//!
//! Not a `tokio::sync::Semaphore`: that is first come, first served, and a caller with a thousand
//! waiting calls would hold up all others. Here callers are served in turn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::fair_queue::FairQueue;
use crate::outbound::failure::Failure;

/// The concurrency limit of a route.
pub(in crate::outbound) struct ConcurrencyLimit {
    max: usize,
    state: Mutex<State>,
}

struct State {
    active: usize,
    queue: FairQueue<ConcurrencyPermit>,
}

/// Permission for one call to be active, until it is dropped.
pub(in crate::outbound) struct ConcurrencyPermit(Option<Arc<ConcurrencyLimit>>);

impl ConcurrencyLimit {
    /// A limit of `max` calls at once; at most `waiting` more may queue.
    pub(in crate::outbound) fn new(max: usize, waiting: usize) -> Arc<Self> {
        let state = State { active: 0, queue: FairQueue::new(waiting) };
        Arc::new(Self { max, state: Mutex::new(state) })
    }

    /// Waits for a permit; callers are served in turn.
    ///
    /// # Errors
    /// `Deadline` if none is free before the deadline, `QueueFull` if too many calls wait already.
    pub(in crate::outbound) async fn acquire(
        self: &Arc<Self>,
        caller: Uuid,
        deadline: Instant,
    ) -> Result<ConcurrencyPermit, Failure> {
        let queued = {
            let mut state = self.state();
            if state.active < self.max {
                state.active += 1;
                return Ok(ConcurrencyPermit(Some(self.clone())));
            }
            state.queue.join(caller)?
        };
        match timeout_at(deadline, queued).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Failure::Deadline),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConcurrencyPermit {
    /// Hands the permit to the next caller that still waits.
    fn drop(&mut self) {
        let Some(limit) = self.0.take() else { return };
        loop {
            let next = {
                let mut state = limit.state();
                let next = state.queue.pop();
                if next.is_none() {
                    state.active -= 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(ConcurrencyPermit(Some(limit.clone()))) {
                Ok(()) => return,
                // Clear the permit first: dropping it as it is would re-enter this loop.
                Err(mut unsent) => unsent.0 = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[tokio::test(start_paused = true)]
    async fn calls_at_once_are_limited() {
        let limit = ConcurrencyLimit::new(2, 10);
        let one = limit.acquire(Uuid::nil(), soon()).await.unwrap();
        let _two = limit.acquire(Uuid::nil(), soon()).await.unwrap();
        assert!(matches!(limit.acquire(Uuid::nil(), soon()).await, Err(Failure::Deadline)));
        drop(one);
        let three = limit.acquire(Uuid::nil(), soon()).await.unwrap();
        drop(three);
        assert_eq!(limit.state().active, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn caller_that_gave_up_takes_no_permit() {
        let limit = ConcurrencyLimit::new(1, 10);
        let active = limit.acquire(Uuid::nil(), soon()).await.unwrap();
        for _ in 0..5 {
            assert!(limit.acquire(Uuid::nil(), soon()).await.is_err());
        }
        let waits = tokio::spawn({
            let limit = limit.clone();
            async move { limit.acquire(Uuid::nil(), soon()).await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop(active);
        assert!(waits.await.unwrap());
        assert_eq!(limit.state().active, 0);
    }
}
