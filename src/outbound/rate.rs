//! How many calls a minute are made with one credential: vendors count, and refuse everybody who shares it.
//!
//! A call counts from when it is let go until a minute after it has ended. So the far side, which counts it at some moment in
//! between, never sees more than that many in any minute, however long calls are on their way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

use super::failure::Failure;
use super::fair::Queue;

const MINUTE: Duration = Duration::from_secs(60);
/// How long a credential is left alone after a refusal that says nothing of it; twice that after the next.
const FIRST_HOLD: Duration = Duration::from_secs(1);
/// However long the far side says.
const LONGEST_HOLD: Duration = Duration::from_mins(10);

/// The calls with one credential.
pub(super) struct Limiter {
    /// None sets no limit.
    most: Option<usize>,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    /// When the calls of the last minute ended.
    ended: VecDeque<Instant>,
    on_their_way: usize,
    held_until: Option<Instant>,
    /// In a row.
    refusals: u32,
    queue: Queue<Passage>,
    is_pumped: bool,
}

/// One call may go.
pub(super) struct Passage {
    limiter: Option<Arc<Limiter>>,
    was_sent: bool,
}

/// When the next one may go.
enum Next {
    Now,
    At(Instant),
    /// When one of those on their way has ended.
    Later,
}

impl Limiter {
    /// A limiter of so many calls a minute (0: any number), for which so many may wait.
    pub(super) fn new(calls_per_minute: usize, waiting: usize) -> Arc<Self> {
        let state = State {
            ended: VecDeque::new(),
            on_their_way: 0,
            held_until: None,
            refusals: 0,
            queue: Queue::new(waiting),
            is_pumped: false,
        };
        let most = (calls_per_minute > 0).then_some(calls_per_minute);
        Arc::new(Self { most, state: Mutex::new(state), changed: Notify::new() })
    }

    /// Waits until a call may go; callers go by turns.
    ///
    /// # Errors
    /// `Deadline` if that is not before it, `Busy` if that is certain already, or if too many wait.
    pub(super) async fn enter(self: &Arc<Self>, caller: Uuid, deadline: Instant) -> Result<Passage, Failure> {
        let turn = {
            let mut state = self.state();
            let now = Instant::now();
            if state.queue.is_empty() && matches!(state.next(self.most, now), Next::Now) {
                state.on_their_way += 1;
                return Ok(self.passage());
            }
            if state.held_until.is_some_and(|until| until > deadline) {
                return Err(Failure::Busy);
            }
            let turn = state.queue.join(caller)?;
            if !std::mem::replace(&mut state.is_pumped, true) {
                tokio::spawn(self.clone().pump());
            }
            turn
        };
        match timeout_at(deadline, turn).await {
            Ok(Ok(passage)) => Ok(passage),
            _ => Err(Failure::Deadline),
        }
    }

    /// The far side refused a call because there were too many. All calls with this credential wait.
    pub(super) fn refused(&self, retry_after: Option<Duration>) {
        let mut state = self.state();
        let growing = FIRST_HOLD.saturating_mul(2_u32.saturating_pow(state.refusals));
        state.refusals = state.refusals.saturating_add(1);
        let until = Instant::now() + retry_after.unwrap_or(growing).min(LONGEST_HOLD);
        state.held_until = state.held_until.max(Some(until));
    }

    /// The far side took a call.
    pub(super) fn accepted(&self) {
        self.state().refusals = 0;
    }

    /// Whether nothing would be forgotten with it.
    pub(super) fn is_idle(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        state.let_go(now);
        let held = state.held_until.is_some_and(|until| until > now);
        !held && state.ended.is_empty() && state.on_their_way == 0 && state.queue.is_empty()
    }

    /// Lets those who wait go, each at the first moment that there is room, until nobody waits.
    async fn pump(self: Arc<Self>) {
        loop {
            let (next, waiting) = {
                let mut state = self.state();
                if state.queue.is_empty() {
                    state.is_pumped = false;
                    return;
                }
                let next = state.next(self.most, Instant::now());
                let waiting = matches!(next, Next::Now).then(|| state.queue.next()).flatten();
                state.on_their_way += usize::from(waiting.is_some());
                (next, waiting)
            };
            match (next, waiting) {
                // Who has gone gives it back by dropping it.
                (Next::Now, waiting) => drop(waiting.map(|waiting| waiting.send(self.passage()))),
                (Next::At(moment), _) => tokio::select! {
                    () = sleep_until(moment) => {}
                    () = self.changed.notified() => {}
                },
                (Next::Later, _) => self.changed.notified().await,
            }
        }
    }

    fn passage(self: &Arc<Self>) -> Passage {
        Passage { limiter: Some(self.clone()), was_sent: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, most: Option<usize>, now: Instant) -> Next {
        self.let_go(now);
        if let Some(until) = self.held_until.filter(|until| *until > now) {
            return Next::At(until);
        }
        match self.ended.front() {
            _ if most.is_none_or(|most| self.ended.len() + self.on_their_way < most) => Next::Now,
            Some(first) => Next::At(*first + MINUTE),
            None => Next::Later,
        }
    }

    /// Forgets the calls that ended a minute ago.
    fn let_go(&mut self, now: Instant) {
        while self.ended.front().is_some_and(|ended| *ended + MINUTE <= now) {
            self.ended.pop_front();
        }
    }
}

impl Passage {
    /// The call is being sent.
    pub(super) fn sent(&mut self) {
        self.was_sent = true;
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let Some(limiter) = self.limiter.take() else { return };
        let mut state = limiter.state();
        state.on_their_way -= 1;
        if self.was_sent && limiter.most.is_some() {
            state.ended.push_back(Instant::now());
        }
        drop(state);
        limiter.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    async fn go(limiter: &Arc<Limiter>, caller: u128, seconds: u64) -> Result<(), Failure> {
        limiter.enter(Uuid::from_u128(caller), after(seconds)).await?.sent();
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_sees_more_calls_than_the_limit() {
        let limiter = Limiter::new(5, 1000);
        let mut calls = Vec::new();
        for caller in 0..40_u64 {
            let limiter = limiter.clone();
            calls.push(tokio::spawn(async move {
                let mut passage = limiter.enter(Uuid::from_u128(u128::from(caller % 3)), after(3600)).await.unwrap();
                passage.sent();
                // The far side counts it somewhere on its way.
                tokio::time::sleep(Duration::from_millis(caller * 37 % 900)).await;
                let counted = Instant::now();
                tokio::time::sleep(Duration::from_millis(caller * 91 % 700)).await;
                counted
            }));
        }
        let mut counted = Vec::new();
        for call in calls {
            counted.push(call.await.unwrap());
        }
        counted.sort();
        assert!(counted.windows(6).all(|six| six[5] - six[0] >= MINUTE), "{counted:?}");
        assert!(counted[39] - counted[0] < MINUTE * 8, "and none of it is wasted");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dashboard_does_not_starve_a_single_call() {
        let limiter = Limiter::new(10, 1000);
        let crowd: Vec<_> = (0..200)
            .map(|_| {
                let limiter = limiter.clone();
                tokio::spawn(async move { go(&limiter, 1, 3600).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let began = Instant::now();
        go(&limiter, 2, 3600).await.unwrap();
        assert!(began.elapsed() <= MINUTE, "{:?}", began.elapsed());
        crowd.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_all_calls_back_as_long_as_it_says() {
        let limiter = Limiter::new(0, 10);
        go(&limiter, 1, 1).await.unwrap();
        limiter.refused(Some(Duration::from_secs(7)));
        assert!(matches!(go(&limiter, 2, 5).await, Err(Failure::Busy)), "there is no use in waiting");
        let began = Instant::now();
        go(&limiter, 2, 60).await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(7) && began.elapsed() < Duration::from_secs(8));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_that_say_nothing_hold_back_longer_each_time() {
        let limiter = Limiter::new(0, 10);
        for seconds in [1, 2, 4] {
            limiter.refused(None);
            let began = Instant::now();
            go(&limiter, 1, 60).await.unwrap();
            assert_eq!(began.elapsed().as_secs(), seconds);
        }
        limiter.accepted();
        limiter.refused(None);
        assert!(matches!(go(&limiter, 1, 0).await, Err(Failure::Busy)));
        assert!(go(&limiter, 1, 2).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_sent_does_not_count() {
        let limiter = Limiter::new(1, 10);
        drop(limiter.enter(Uuid::nil(), after(1)).await.unwrap());
        assert!(limiter.is_idle());
        go(&limiter, 1, 1).await.unwrap();
        assert!(!limiter.is_idle());
        assert!(matches!(go(&limiter, 1, 59).await, Err(Failure::Deadline)));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(limiter.is_idle());
    }
}
