//! The circuit breaker of a tenant's route (features F10, F11): a far side that is dead is left
//! alone for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::failure::Failure;
use super::status::Circuit;
use crate::ids::{TenantId, UpstreamId};

/// How many parts the time is cut into over which failures are counted.
const BUCKETS: usize = 10;

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct BreakerSettings {
    /// After so many failures in a row.
    pub consecutive_failures: u32,
    /// Or when half of at least so many calls failed
    pub sample: u32,
    /// within that time.
    pub window: Duration,
    /// For how long no call is let through; then one is.
    pub open_for: Duration,
}

/// Whose circuit it is, for the log and the figures.
#[derive(Clone, Copy)]
pub(super) struct CircuitName {
    pub tenant: TenantId,
    pub upstream: UpstreamId,
    pub system: &'static str,
}

/// The breaker.
pub(super) struct Breaker {
    name: CircuitName,
    settings: BreakerSettings,
    /// A call that took this long and was given up has failed; one that was given up earlier tells
    /// nothing.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    consecutive_failures: u32,
    buckets: [Bucket; BUCKETS],
    open_until: Option<Instant>,
    is_probed: bool,
    /// Counts how often it opened or closed, so that what began before does not count after.
    epoch: u64,
    began: Option<Instant>,
}

#[derive(Clone, Copy, Default)]
struct Bucket {
    number: u64,
    calls: u32,
    failures: u32,
}

/// A call goes through; what came of it is told here, or concluded when this is dropped.
pub(super) struct BreakerPermit {
    breaker: Arc<Breaker>,
    began: Instant,
    epoch: u64,
    is_probe: bool,
    is_reported: bool,
}

impl Breaker {
    pub(super) fn new(
        name: CircuitName,
        settings: BreakerSettings,
        patience: Duration,
    ) -> Arc<Self> {
        Arc::new(Self { name, settings, patience, state: Mutex::default() })
    }

    /// The kind of system that is called.
    pub(super) fn system(&self) -> &'static str {
        self.name.system
    }

    /// The state of the circuit.
    pub(super) fn circuit(&self) -> Circuit {
        self.state().circuit(Instant::now())
    }

    /// Looks whether a call would be let through now.
    ///
    /// # Errors
    /// `CircuitOpen`.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let state = self.state();
        match state.circuit(Instant::now()) {
            Circuit::Closed => Ok(()),
            Circuit::HalfOpen if !state.is_probed => Ok(()),
            _ => Err(Failure::CircuitOpen),
        }
    }

    /// Lets a call through.
    ///
    /// # Errors
    /// `CircuitOpen`.
    pub(super) fn acquire(self: &Arc<Self>) -> Result<BreakerPermit, Failure> {
        let began = Instant::now();
        let mut state = self.state();
        let is_probe = match state.circuit(began) {
            Circuit::Closed => false,
            Circuit::HalfOpen if !state.is_probed => true,
            _ => return Err(Failure::CircuitOpen),
        };
        state.is_probed |= is_probe;
        Ok(BreakerPermit {
            breaker: self.clone(),
            began,
            epoch: state.epoch,
            is_probe,
            is_reported: false,
        })
    }

    /// Tells an operator when calls begin to be refused, and when they go through again.
    fn log_change(&self, was_open: bool, is_open: bool) {
        let CircuitName { tenant, upstream, system } = self.name;
        if is_open && !was_open {
            let seconds = self.settings.open_for.as_secs();
            tracing::warn!(
                %tenant, %upstream, system, seconds,
                "circuit opened: calls fail, and are refused until one that is let through succeeds"
            );
        } else if was_open && !is_open {
            tracing::warn!(%tenant, %upstream, system, "circuit closed: calls go through again");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn circuit(&self, now: Instant) -> Circuit {
        match self.open_until {
            None => Circuit::Closed,
            Some(until) if until > now => Circuit::Open,
            Some(_) => Circuit::HalfOpen,
        }
    }

    fn succeeded(&mut self, is_probe: bool, settings: &BreakerSettings, now: Instant) {
        if is_probe {
            *self = Self { epoch: self.epoch + 1, ..Self::default() };
        }
        self.consecutive_failures = 0;
        self.bucket(settings, now).calls += 1;
    }

    fn failed(&mut self, is_probe: bool, settings: &BreakerSettings, now: Instant) {
        self.consecutive_failures += 1;
        let bucket = self.bucket(settings, now);
        bucket.calls += 1;
        bucket.failures += 1;
        let newest = bucket.number;
        let recent = self.buckets.iter().filter(|bucket| bucket.number + BUCKETS as u64 > newest);
        let (calls, failures) = recent.fold((0, 0), |(calls, failures), bucket| {
            (calls + bucket.calls, failures + bucket.failures)
        });
        let half = calls >= settings.sample && failures * 2 >= calls;
        if is_probe || half || self.consecutive_failures >= settings.consecutive_failures {
            let open_until = Some(now + settings.open_for);
            *self = Self { epoch: self.epoch + 1, open_until, ..Self::default() };
        }
    }

    fn bucket(&mut self, settings: &BreakerSettings, now: Instant) -> &mut Bucket {
        let began = *self.began.get_or_insert(now);
        let width = (settings.window / BUCKETS as u32).max(Duration::from_millis(1));
        let number = u64::try_from((now - began).as_millis() / width.as_millis().max(1))
            .unwrap_or(u64::MAX / 2);
        let bucket = &mut self.buckets[(number % BUCKETS as u64) as usize];
        if bucket.number != number {
            *bucket = Bucket { number, calls: 0, failures: 0 };
        }
        bucket
    }
}

impl BreakerPermit {
    /// The far side answered.
    pub(super) fn succeeded(mut self) {
        self.report(State::succeeded);
    }

    /// The far side gave no answer, or said that it is in trouble.
    pub(super) fn failed(mut self) {
        self.report(State::failed);
    }

    fn report(&mut self, what: fn(&mut State, bool, &BreakerSettings, Instant)) {
        self.is_reported = true;
        let mut state = self.breaker.state();
        if state.epoch == self.epoch {
            state.is_probed &= !self.is_probe;
            let was_open = state.open_until.is_some();
            what(&mut state, self.is_probe, &self.breaker.settings, Instant::now());
            let is_open = state.open_until.is_some();
            drop(state);
            self.breaker.log_change(was_open, is_open);
        }
    }
}

impl Drop for BreakerPermit {
    fn drop(&mut self) {
        if self.is_reported {
            return;
        }
        if self.began.elapsed() >= self.breaker.patience {
            return self.report(State::failed);
        }
        let mut state = self.breaker.state();
        if state.epoch == self.epoch {
            state.is_probed &= !self.is_probe;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Arc<Breaker> {
        let (window, open_for) = (Duration::from_secs(10), Duration::from_secs(10));
        let name = CircuitName {
            tenant: TenantId(uuid::Uuid::nil()),
            upstream: UpstreamId(uuid::Uuid::nil()),
            system: "TEST",
        };
        Breaker::new(
            name,
            BreakerSettings { consecutive_failures: 5, sample: 20, window, open_for },
            Duration::from_secs(5),
        )
    }

    fn fail(breaker: &Arc<Breaker>, times: u32) {
        for _ in 0..times {
            breaker.acquire().unwrap().failed();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_it_and_a_success_between_does_not() {
        let breaker = breaker();
        fail(&breaker, 4);
        breaker.acquire().unwrap().succeeded();
        fail(&breaker, 4);
        assert_eq!(breaker.circuit(), Circuit::Closed);
        fail(&breaker, 1);
        assert_eq!(breaker.circuit(), Circuit::Open);
        assert!(matches!(breaker.acquire(), Err(Failure::CircuitOpen)));
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_twenty_within_the_time_open_it() {
        let breaker = breaker();
        for _ in 0..9 {
            fail(&breaker, 1);
            breaker.acquire().unwrap().succeeded();
        }
        breaker.acquire().unwrap().succeeded();
        assert_eq!(breaker.circuit(), Circuit::Closed);
        fail(&breaker, 1);
        assert_eq!(breaker.circuit(), Circuit::Open, "ten of twenty");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_long_ago_do_not_count() {
        let breaker = breaker();
        for _ in 0..9 {
            fail(&breaker, 1);
            breaker.acquire().unwrap().succeeded();
        }
        tokio::time::sleep(Duration::from_secs(11)).await;
        fail(&breaker, 2);
        assert_eq!(breaker.circuit(), Circuit::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_time_one_call_goes_and_its_outcome_decides() {
        let breaker = breaker();
        fail(&breaker, 5);
        tokio::time::sleep(Duration::from_secs(10)).await;
        let probe = breaker.acquire().unwrap();
        assert!(breaker.acquire().is_err() && breaker.check().is_err(), "one alone");
        probe.failed();
        assert_eq!(breaker.circuit(), Circuit::Open);
        tokio::time::sleep(Duration::from_secs(10)).await;
        breaker.acquire().unwrap().succeeded();
        assert_eq!(breaker.circuit(), Circuit::Closed);
        fail(&breaker, 4);
        assert_eq!(breaker.circuit(), Circuit::Closed, "it begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_nobody_waits_for_any_more_does_not_lock_it() {
        let breaker = breaker();
        fail(&breaker, 5);
        tokio::time::sleep(Duration::from_secs(10)).await;
        drop(breaker.acquire().unwrap());
        assert!(breaker.acquire().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_given_up_late_failed_and_one_given_up_early_tells_nothing() {
        let breaker = breaker();
        for _ in 0..10 {
            drop(breaker.acquire().unwrap());
        }
        assert_eq!(breaker.circuit(), Circuit::Closed);
        let late: Vec<_> = (0..5).map(|_| breaker.acquire().unwrap()).collect();
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(late);
        assert_eq!(breaker.circuit(), Circuit::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_it_opened_does_not_close_it() {
        let breaker = breaker();
        let early = breaker.acquire().unwrap();
        fail(&breaker, 5);
        early.succeeded();
        assert_eq!(breaker.circuit(), Circuit::Open);
    }
}
