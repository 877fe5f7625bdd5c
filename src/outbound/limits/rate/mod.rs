//! The number of calls per minute under one credential: a vendor counts them, and refuses every
//! tenant that shares the credential.
//!
//! A call counts from its permit until a minute after it has ended. The vendor counts it at some
//! moment in between, so it never sees more calls in any minute than the limit, however long they
//! take.
//!
//! A credential that several tenants use is shared by the rule of the node's budgets: a tenant with
//! many calls leaves a reserve for those with few. Within a tenant, calls are first come, first
//! served.
//!
//! Our own: `governor` meters when calls begin (GCRA). It cannot count a call until after its end,
//! divide the rate among the tenants of a credential, serve them in turn, or give back a call that
//! was not sent. The limit of callers in `http::rate_limit` is a token bucket, another rule, so the
//! two do not share a counter.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

use super::fair_queue::FairQueue;
use crate::budget::{Account, Shares};
use crate::ids::TenantId;
use crate::outbound::failure::Failure;

const MINUTE: Duration = Duration::from_mins(1);
/// The pause after a refusal without `Retry-After`; it doubles with each further refusal.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, whatever `Retry-After` says.
const MAX_PAUSE: Duration = Duration::from_mins(10);

/// The rate limit of one credential.
pub(in crate::outbound) struct RateLimiter {
    /// Calls per minute; unlimited if absent.
    max: Option<usize>,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    /// When the calls of the last minute ended, and their tenants.
    ended: VecDeque<(Instant, Uuid)>,
    in_flight: usize,
    /// The calls that each tenant ended in the last minute or has in flight, held against its share.
    shares: Shares<Uuid>,
    /// Whether a tenant other than the installation's owner uses the credential.
    is_shared: bool,
    paused_until: Option<Instant>,
    consecutive_refusals: u32,
    queue: FairQueue<RatePermit>,
    is_draining: bool,
}

/// Permission to send one call.
pub(in crate::outbound) struct RatePermit {
    limiter: Option<Arc<RateLimiter>>,
    tenant: Uuid,
    was_sent: bool,
}

/// The next call of the queue, and when it may go.
enum Next {
    Now(Uuid, oneshot::Sender<RatePermit>),
    At(Instant),
    /// When a call in flight has ended.
    Later,
}

impl RateLimiter {
    /// A limiter of that many calls per minute (0: unlimited); at most `waiting` calls may queue.
    pub(in crate::outbound) fn new(calls_per_minute: usize, waiting: usize) -> Arc<Self> {
        let state = State {
            ended: VecDeque::new(),
            in_flight: 0,
            shares: Shares::new(calls_per_minute, usize::MAX),
            is_shared: false,
            paused_until: None,
            consecutive_refusals: 0,
            queue: FairQueue::new(waiting),
            is_draining: false,
        };
        let max = (calls_per_minute > 0).then_some(calls_per_minute);
        Arc::new(Self { max, state: Mutex::new(state), changed: Notify::new() })
    }

    /// Waits for a permit; tenants are served in turn.
    ///
    /// # Errors
    /// `Deadline` if none is free before the deadline, `OverShare` if other tenants could still
    /// call then, `QueueFull` if too many calls wait or the credential is paused beyond the
    /// deadline.
    pub(in crate::outbound) async fn acquire(
        self: &Arc<Self>,
        tenant: TenantId,
        owner: TenantId,
        deadline: Instant,
    ) -> Result<RatePermit, Failure> {
        let tenant_key = tenant.0;
        let queued = {
            let mut state = self.state();
            let now = Instant::now();
            state.expire(now);
            state.is_shared |= tenant != owner;
            if !state.queue.holds(&tenant_key)
                && !state.is_paused(now)
                && state.may_begin(self.max, &tenant_key)
            {
                state.begin(tenant_key);
                return Ok(self.permit(tenant_key));
            }
            if state.paused_until.is_some_and(|until| until > deadline) {
                return Err(Failure::QueueFull);
            }
            let queued = state.queue.join(tenant_key)?;
            if !std::mem::replace(&mut state.is_draining, true) {
                tokio::spawn(self.clone().drain());
            }
            queued
        };
        match timeout_at(deadline, queued).await {
            Ok(Ok(permit)) => Ok(permit),
            _ if self.state().has_capacity(self.max) => Err(Failure::OverShare),
            _ => Err(Failure::Deadline),
        }
    }

    /// Pauses all calls under this credential: the vendor refused one for its rate.
    pub(in crate::outbound) fn refused(&self, retry_after: Option<Duration>) {
        let mut state = self.state();
        let growing = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(state.consecutive_refusals));
        state.consecutive_refusals = state.consecutive_refusals.saturating_add(1);
        let until = Instant::now() + retry_after.unwrap_or(growing).min(MAX_PAUSE);
        state.paused_until = state.paused_until.max(Some(until));
    }

    /// Records that the vendor accepted a call.
    pub(in crate::outbound) fn accepted(&self) {
        self.state().consecutive_refusals = 0;
    }

    /// Whether the limiter holds no state and can be dropped from memory.
    pub(in crate::outbound) fn is_idle(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        state.expire(now);
        !state.is_paused(now)
            && state.ended.is_empty()
            && state.in_flight == 0
            && state.queue.is_empty()
    }

    /// Gives permits to waiting calls as soon as there is capacity, until none waits.
    async fn drain(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                if state.queue.is_empty() {
                    state.is_draining = false;
                    return;
                }
                state.next(self.max, Instant::now())
            };
            match next {
                // An abandoned call gives its permit back when it is dropped here.
                Next::Now(tenant, waiting) => drop(waiting.send(self.permit(tenant))),
                Next::At(moment) => tokio::select! {
                    () = sleep_until(moment) => {}
                    () = self.changed.notified() => {}
                },
                Next::Later => self.changed.notified().await,
            }
        }
    }

    fn permit(self: &Arc<Self>, tenant: Uuid) -> RatePermit {
        RatePermit { limiter: Some(self.clone()), tenant, was_sent: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, max: Option<usize>, now: Instant) -> Next {
        self.expire(now);
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Next::At(until);
        }
        let shares = &self.shares;
        let is_shared = self.is_shared;
        let has_capacity = self.has_capacity(max);
        let is_eligible =
            |tenant: &Uuid| has_capacity && is_within_share(shares, is_shared, max, tenant);
        if let Some((tenant, waiting)) = self.queue.pop_where(is_eligible) {
            self.begin(tenant);
            return Next::Now(tenant, waiting);
        }
        match self.ended.front() {
            Some((first, _)) => Next::At(*first + MINUTE),
            None => Next::Later,
        }
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }

    fn has_capacity(&self, max: Option<usize>) -> bool {
        max.is_none_or(|max| self.ended.len() + self.in_flight < max)
    }

    fn may_begin(&self, max: Option<usize>, tenant: &Uuid) -> bool {
        self.has_capacity(max) && is_within_share(&self.shares, self.is_shared, max, tenant)
    }

    fn begin(&mut self, tenant: Uuid) {
        self.in_flight += 1;
        self.shares.add(Account::alone(tenant), 1);
    }

    /// Drops the calls that ended more than a minute ago.
    fn expire(&mut self, now: Instant) {
        while let Some((ended, tenant)) = self.ended.front().copied()
            && ended + MINUTE <= now
        {
            self.ended.pop_front();
            self.shares.remove(Account::alone(tenant), 1);
        }
    }
}

/// Whether a tenant's share allows one more call, given that there is capacity.
fn is_within_share(
    shares: &Shares<Uuid>,
    is_shared: bool,
    max: Option<usize>,
    tenant: &Uuid,
) -> bool {
    max.is_none() || !is_shared || shares.admit(&Account::alone(*tenant), 1)
}

impl RatePermit {
    /// Marks the call as sent; an unsent call does not count.
    pub(in crate::outbound) fn mark_sent(&mut self) {
        self.was_sent = true;
    }
}

impl Drop for RatePermit {
    fn drop(&mut self) {
        let Some(limiter) = self.limiter.take() else { return };
        let mut state = limiter.state();
        state.in_flight -= 1;
        if self.was_sent && limiter.max.is_some() {
            state.ended.push_back((Instant::now(), self.tenant));
        } else {
            state.shares.remove(Account::alone(self.tenant), 1);
        }
        drop(state);
        limiter.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
