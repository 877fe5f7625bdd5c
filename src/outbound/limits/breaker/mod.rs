//! The circuit breaker of a route: a system that fails is not called for a while.
//!
//! Our own, because the crates for it count by call site or wrap a `tower` service: here one
//! breaker belongs to a tenant and an installation, a call that is dropped half-way must count if
//! it took long, and only one probe may be under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::ids::{TenantId, UpstreamId};
use crate::outbound::failure::Failure;
use crate::outbound::route::Circuit;
use crate::outbound::settings::BreakerSettings;

/// The window over which failures are counted moves in this many steps.
const BUCKETS: u8 = 10;

/// The route that a circuit belongs to, for log lines and metrics.
#[derive(Clone, Copy)]
pub(in crate::outbound) struct CircuitName {
    pub tenant: TenantId,
    pub upstream: UpstreamId,
    pub system: &'static str,
}

/// The breaker of one route.
pub(in crate::outbound) struct Breaker {
    name: CircuitName,
    settings: BreakerSettings,
    /// A call abandoned after this long counts as failed; one abandoned earlier does not count.
    abandoned_counts_after: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    consecutive_failures: u32,
    buckets: [Bucket; BUCKETS as usize],
    open_until: Option<Instant>,
    is_probed: bool,
    /// Increases whenever the circuit opens or closes: outcomes of calls that began in an earlier
    /// epoch are ignored.
    epoch: u64,
    began: Option<Instant>,
}

/// The calls within one step of the window.
#[derive(Clone, Copy, Default)]
struct Bucket {
    number: u64,
    calls: u32,
    failures: u32,
}

/// Permission to send one call, whose outcome the sender reports. A permit that is dropped without
/// a report belongs to an abandoned call: it counts as a failure if the call had taken at least
/// `abandoned_counts_after`, and does not count otherwise.
pub(in crate::outbound) struct BreakerPermit {
    breaker: Arc<Breaker>,
    began: Instant,
    epoch: u64,
    is_probe: bool,
    is_reported: bool,
}

impl Breaker {
    pub(in crate::outbound) fn new(
        name: CircuitName,
        settings: BreakerSettings,
        abandoned_counts_after: Duration,
    ) -> Arc<Self> {
        Arc::new(Self { name, settings, abandoned_counts_after, state: Mutex::default() })
    }

    /// The kind of system that is called.
    pub(in crate::outbound) fn system(&self) -> &'static str {
        self.name.system
    }

    /// The state of the circuit.
    pub(in crate::outbound) fn circuit(&self) -> Circuit {
        self.state().circuit(Instant::now())
    }

    /// Checks whether a call would get a permit now.
    ///
    /// # Errors
    /// `CircuitOpen`.
    pub(in crate::outbound) fn check(&self) -> Result<(), Failure> {
        let state = self.state();
        match state.circuit(Instant::now()) {
            Circuit::Closed => Ok(()),
            Circuit::HalfOpen if !state.is_probed => Ok(()),
            _ => Err(Failure::CircuitOpen),
        }
    }

    /// Gives a permit for one call.
    ///
    /// # Errors
    /// `CircuitOpen`.
    pub(in crate::outbound) fn acquire(self: &Arc<Self>) -> Result<BreakerPermit, Failure> {
        let began = Instant::now();
        let mut state = self.state();
        let is_probe = match state.circuit(began) {
            Circuit::Closed => false,
            Circuit::HalfOpen if !state.is_probed => true,
            _ => return Err(Failure::CircuitOpen),
        };
        state.is_probed |= is_probe;
        let epoch = state.epoch;
        Ok(BreakerPermit { breaker: self.clone(), began, epoch, is_probe, is_reported: false })
    }

    /// Logs when the gateway stops calling a system, and when it resumes.
    fn log_change(&self, was_open: bool, is_open: bool) {
        let CircuitName { tenant, upstream, system } = self.name;
        if is_open && !was_open {
            let seconds = self.settings.open_for.as_secs();
            tracing::warn!(
                %tenant, %upstream, system, seconds,
                "circuit opened: calls failed and are refused until a probe succeeds"
            );
        } else if was_open && !is_open {
            tracing::warn!(%tenant, %upstream, system, "circuit closed: calls are sent again");
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
        let recent =
            self.buckets.iter().filter(|bucket| bucket.number + u64::from(BUCKETS) > newest);
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
        let width = (settings.window / u32::from(BUCKETS)).max(Duration::from_millis(1));
        let number = u64::try_from((now - began).as_millis() / width.as_millis().max(1))
            .unwrap_or(u64::MAX / 2);
        let place = usize::try_from(number % u64::from(BUCKETS)).unwrap_or_default();
        let bucket = &mut self.buckets[place];
        if bucket.number != number {
            *bucket = Bucket { number, calls: 0, failures: 0 };
        }
        bucket
    }
}

impl BreakerPermit {
    /// Reports that the system answered.
    pub(in crate::outbound) fn succeeded(mut self) {
        self.report(State::succeeded);
    }

    /// Reports that the system did not answer, or answered with a server error.
    pub(in crate::outbound) fn failed(mut self) {
        self.report(State::failed);
    }

    fn report(&mut self, outcome: fn(&mut State, bool, &BreakerSettings, Instant)) {
        self.is_reported = true;
        let mut state = self.breaker.state();
        if state.epoch == self.epoch {
            state.is_probed &= !self.is_probe;
            let was_open = state.open_until.is_some();
            outcome(&mut state, self.is_probe, &self.breaker.settings, Instant::now());
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
        if self.began.elapsed() >= self.breaker.abandoned_counts_after {
            return self.report(State::failed);
        }
        let mut state = self.breaker.state();
        if state.epoch == self.epoch {
            state.is_probed &= !self.is_probe;
        }
    }
}

#[cfg(test)]
mod tests;
