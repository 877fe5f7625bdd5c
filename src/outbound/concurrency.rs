//! How many calls of one tenant are at one installation at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::failure::Failure;
use super::fair::Queue;

/// The entrance of a tenant's route.
pub(super) struct Gate {
    most: usize,
    state: Mutex<State>,
}

struct State {
    active: usize,
    queue: Queue<ConcurrencyPermit>,
}

/// One call is inside, until this is dropped.
pub(super) struct ConcurrencyPermit(Option<Arc<Gate>>);

impl Gate {
    /// An entrance for so many at once, before which so many may wait.
    pub(super) fn new(most: usize, waiting: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::new(State { active: 0, queue: Queue::new(waiting) }) })
    }

    /// Waits to be let in; callers are let in by turns.
    ///
    /// # Errors
    /// `Deadline` if there is no room before it, `QueueFull` if too many wait already.
    pub(super) async fn enter(
        self: &Arc<Self>,
        caller: Uuid,
        deadline: Instant,
    ) -> Result<ConcurrencyPermit, Failure> {
        let turn = {
            let mut state = self.state();
            if state.active < self.most {
                state.active += 1;
                return Ok(ConcurrencyPermit(Some(self.clone())));
            }
            state.queue.join(caller)?
        };
        match timeout_at(deadline, turn).await {
            Ok(Ok(active)) => Ok(active),
            _ => Err(Failure::Deadline),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConcurrencyPermit {
    /// The place goes to whoever is next and still there.
    fn drop(&mut self) {
        let Some(gate) = self.0.take() else { return };
        loop {
            let next = {
                let mut state = gate.state();
                let next = state.queue.next();
                if next.is_none() {
                    state.active -= 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(ConcurrencyPermit(Some(gate.clone()))) {
                Ok(()) => return,
                // Emptied first, or its end would come back here.
                Err(mut refused) => refused.0 = None,
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
    async fn no_more_than_so_many_are_inside() {
        let gate = Gate::new(2, 10);
        let one = gate.enter(Uuid::nil(), soon()).await.unwrap();
        let _two = gate.enter(Uuid::nil(), soon()).await.unwrap();
        assert!(matches!(gate.enter(Uuid::nil(), soon()).await, Err(Failure::Deadline)));
        drop(one);
        let three = gate.enter(Uuid::nil(), soon()).await.unwrap();
        drop(three);
        assert_eq!(gate.state().active, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gave_up_takes_no_place() {
        let gate = Gate::new(1, 10);
        let active = gate.enter(Uuid::nil(), soon()).await.unwrap();
        for _ in 0..5 {
            assert!(gate.enter(Uuid::nil(), soon()).await.is_err());
        }
        let waits = tokio::spawn({
            let gate = gate.clone();
            async move { gate.enter(Uuid::nil(), soon()).await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop(active);
        assert!(waits.await.unwrap());
        assert_eq!(gate.state().active, 0);
    }
}
