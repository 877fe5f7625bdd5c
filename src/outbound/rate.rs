//! How many calls a minute are made with one credential: vendors count, and refuse everybody who
//! shares it.
//!
//! A call counts from when it is let go until a minute after it has ended. So the far side, which
//! counts it at some moment in between, never sees more than that many in any minute, however long
//! calls are on their way.
//!
//! A credential that several tenants use is shared out among them by the rule of the node's
//! budgets: a tenant that asks much leaves a reserve for those who asked little. Within a tenant,
//! first come is first served.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

use super::failure::Failure;
use super::fair::Queue;
use crate::budget::{Account, Shares};
use crate::ids::TenantId;

const MINUTE: Duration = Duration::from_secs(60);
/// How long a credential is left alone after a refusal that says nothing of it; twice that after
/// the next.
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
    /// When the calls of the last minute ended, and whose they were.
    ended: VecDeque<(Instant, Uuid)>,
    in_flight: usize,
    /// Whose the calls of the last minute are, those on their way included.
    shares: Shares<Uuid>,
    /// Whether others than the owner of the installation use the credential.
    is_shared: bool,
    held_until: Option<Instant>,
    /// In a row.
    refusals: u32,
    queue: Queue<RatePermit>,
    is_draining: bool,
}

/// One call may go.
pub(super) struct RatePermit {
    limiter: Option<Arc<Limiter>>,
    tenant: Uuid,
    was_sent: bool,
}

/// Who may go next, and when.
enum Next {
    Now(Uuid, oneshot::Sender<RatePermit>),
    At(Instant),
    /// When one of those on their way has ended.
    Later,
}

impl Limiter {
    /// A limiter of so many calls a minute (0: any number), for which so many may wait.
    pub(super) fn new(calls_per_minute: usize, waiting: usize) -> Arc<Self> {
        let state = State {
            ended: VecDeque::new(),
            in_flight: 0,
            shares: Shares::new(calls_per_minute, usize::MAX),
            is_shared: false,
            held_until: None,
            refusals: 0,
            queue: Queue::new(waiting),
            is_draining: false,
        };
        let most = (calls_per_minute > 0).then_some(calls_per_minute);
        Arc::new(Self { most, state: Mutex::new(state), changed: Notify::new() })
    }

    /// Waits until a call of a tenant may go; tenants go by turns.
    ///
    /// # Errors
    /// `Deadline` if that is not before it, `OverShare` if then other tenants could still call,
    /// `QueueFull` if it is certain already, or if too many wait.
    pub(super) async fn enter(
        self: &Arc<Self>,
        tenant: TenantId,
        owner: TenantId,
        deadline: Instant,
    ) -> Result<RatePermit, Failure> {
        let caller = tenant.0;
        let turn = {
            let mut state = self.state();
            let now = Instant::now();
            state.expire(now);
            state.is_shared |= tenant != owner;
            if !state.queue.holds(&caller)
                && !state.is_held(now)
                && state.may_go(self.most, &caller)
            {
                state.begin(caller);
                return Ok(self.permit(caller));
            }
            if state.held_until.is_some_and(|until| until > deadline) {
                return Err(Failure::QueueFull);
            }
            let turn = state.queue.join(caller)?;
            if !std::mem::replace(&mut state.is_draining, true) {
                tokio::spawn(self.clone().drain());
            }
            turn
        };
        match timeout_at(deadline, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            _ if self.state().has_room(self.most) => Err(Failure::OverShare),
            _ => Err(Failure::Deadline),
        }
    }

    /// The far side refused a call because there were too many. All calls with this credential
    /// wait.
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
        state.expire(now);
        let held = state.held_until.is_some_and(|until| until > now);
        !held && state.ended.is_empty() && state.in_flight == 0 && state.queue.is_empty()
    }

    /// Lets those who wait go, each at the first moment that there is room, until nobody waits.
    async fn drain(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = self.state();
                if state.queue.is_empty() {
                    state.is_draining = false;
                    return;
                }
                state.next(self.most, Instant::now())
            };
            match next {
                // Who has gone gives it back by dropping it.
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
    fn next(&mut self, most: Option<usize>, now: Instant) -> Next {
        self.expire(now);
        if let Some(until) = self.held_until.filter(|until| *until > now) {
            return Next::At(until);
        }
        let (shares, is_shared) = (&self.shares, self.is_shared);
        let has_room = self.has_room(most);
        let may_go = |tenant: &Uuid| has_room && may_go(shares, is_shared, most, tenant);
        if let Some((tenant, waiting)) = self.queue.next_where(may_go) {
            self.begin(tenant);
            return Next::Now(tenant, waiting);
        }
        match self.ended.front() {
            Some((first, _)) => Next::At(*first + MINUTE),
            None => Next::Later,
        }
    }

    fn is_held(&self, now: Instant) -> bool {
        self.held_until.is_some_and(|until| until > now)
    }

    fn has_room(&self, most: Option<usize>) -> bool {
        most.is_none_or(|most| self.ended.len() + self.in_flight < most)
    }

    fn may_go(&self, most: Option<usize>, tenant: &Uuid) -> bool {
        self.has_room(most) && may_go(&self.shares, self.is_shared, most, tenant)
    }

    fn begin(&mut self, tenant: Uuid) {
        self.in_flight += 1;
        self.shares.add(Account::alone(tenant), 1);
    }

    /// Forgets the calls that ended a minute ago.
    fn expire(&mut self, now: Instant) {
        while let Some((ended, tenant)) = self.ended.front().copied()
            && ended + MINUTE <= now
        {
            self.ended.pop_front();
            self.shares.remove(Account::alone(tenant), 1);
        }
    }
}

/// Whether a tenant's share allows one more, where there is room.
fn may_go(shares: &Shares<Uuid>, is_shared: bool, most: Option<usize>, tenant: &Uuid) -> bool {
    most.is_none() || !is_shared || shares.admit(&Account::alone(*tenant), 1)
}

impl RatePermit {
    /// The call is being sent.
    pub(super) fn sent(&mut self) {
        self.was_sent = true;
    }
}

impl Drop for RatePermit {
    fn drop(&mut self) {
        let Some(limiter) = self.limiter.take() else { return };
        let mut state = limiter.state();
        state.in_flight -= 1;
        if self.was_sent && limiter.most.is_some() {
            state.ended.push_back((Instant::now(), self.tenant));
        } else {
            state.shares.remove(Account::alone(self.tenant), 1);
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
        let tenant = TenantId(Uuid::from_u128(caller));
        limiter.enter(tenant, tenant, after(seconds)).await?.sent();
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_sees_more_calls_than_the_limit() {
        let limiter = Limiter::new(5, 1000);
        let mut calls = Vec::new();
        for caller in 0..40_u64 {
            let limiter = limiter.clone();
            calls.push(tokio::spawn(async move {
                let tenant = TenantId(Uuid::from_u128(u128::from(caller % 3)));
                let mut permit = limiter.enter(tenant, tenant, after(3600)).await.unwrap();
                permit.sent();
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
    async fn tenant_that_asks_much_leaves_calls_for_tenants_that_share_the_credential() {
        let limiter = Limiter::new(480, 1000);
        let call = async |tenant: u128, seconds: u64| {
            let (tenant, owner) = (TenantId(Uuid::from_u128(tenant)), TenantId(Uuid::nil()));
            limiter.enter(tenant, owner, after(seconds)).await.map(|mut permit| permit.sent())
        };
        let began = Instant::now();
        let mut greedy = 0;
        while greedy < 480 && call(1, 0).await.is_ok() {
            greedy += 1;
        }
        assert!((240..400).contains(&greedy), "{greedy}");
        assert!(matches!(call(1, 5).await, Err(Failure::OverShare)));
        for neighbour in 2..22 {
            for _ in 0..5 {
                call(neighbour, 0).await.unwrap();
            }
        }
        assert!(began.elapsed() < Duration::from_secs(6));
        call(1, 60).await.expect("its share comes back within a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn owner_that_is_alone_has_the_whole_rate() {
        let limiter = Limiter::new(480, 1000);
        for _ in 0..480 {
            go(&limiter, 1, 0).await.unwrap();
        }
        assert!(matches!(go(&limiter, 1, 5).await, Err(Failure::Deadline)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_all_calls_back_as_long_as_it_says() {
        let limiter = Limiter::new(0, 10);
        go(&limiter, 1, 1).await.unwrap();
        limiter.refused(Some(Duration::from_secs(7)));
        assert!(
            matches!(go(&limiter, 2, 5).await, Err(Failure::QueueFull)),
            "there is no use in waiting"
        );
        let began = Instant::now();
        go(&limiter, 2, 60).await.unwrap();
        assert!(
            began.elapsed() >= Duration::from_secs(7) && began.elapsed() < Duration::from_secs(8)
        );
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
        assert!(matches!(go(&limiter, 1, 0).await, Err(Failure::QueueFull)));
        assert!(go(&limiter, 1, 2).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_sent_does_not_count() {
        let limiter = Limiter::new(1, 10);
        let tenant = TenantId(Uuid::nil());
        drop(limiter.enter(tenant, tenant, after(1)).await.unwrap());
        assert!(limiter.is_idle());
        go(&limiter, 1, 1).await.unwrap();
        assert!(!limiter.is_idle());
        assert!(matches!(go(&limiter, 1, 59).await, Err(Failure::Deadline)));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(limiter.is_idle());
    }
}
