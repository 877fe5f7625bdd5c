//! Sending.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep_until, timeout_at};
use uuid::Uuid;

use super::attempt::{OutgoingCall, Sender};
use super::cache::Cache;
use super::call::{Answer, Call, Kind};
use super::exchange::{HttpRequest, Reply};
use super::failure::Failure;
use super::held::AnswerBudget;
use super::operation::Operation;
use super::registry::RouteState;
use super::retry;
use super::route::UpstreamRoute;
use super::settings::Settings;
use super::sharing::{Flights, Key};
use super::status::{Circuit, Status};
use crate::budget::{Pool, half_of_the_cores};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ids::{TenantId, UpstreamId};
use crate::metrics::Metrics;

/// What is read from a smaller answer takes too little to be counted for each who reads it.
const LARGE: usize = 64 * 1024;

/// The way out. One for each process.
pub struct Outbound {
    sender: Arc<Sender>,
    cache: Arc<Cache>,
    flights: Flights,
    reading: Arc<Semaphore>,
}

impl Outbound {
    /// A way out by these settings. Answers take memory of the pool `answers`, on the account of
    /// the installation's owner and of the tenant that asks. Each call is counted in `metrics`.
    pub fn new(
        settings: Settings,
        answers: Arc<Pool<Uuid>>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let cache = Arc::new(Cache::new(settings.cache_size));
        let sender = Arc::new(Sender::new(settings, answers, clock, entropy, metrics));
        let reading = Arc::new(Semaphore::new(half_of_the_cores()));
        Self { sender, cache, flights: Flights::default(), reading }
    }

    /// Sends a call: within the operation's budget and time, the route's circuit, concurrency and
    /// rate; reads are repeated when they fail in a way that may pass, and shared with others who
    /// ask the same on the same route; writes are sent once.
    ///
    /// # Errors
    /// [`Failure`]: no answer. An answer of any status is an answer.
    pub async fn send(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        call: Call,
    ) -> Result<Answer, Failure> {
        match call.kind {
            Kind::Read => self.read(operation, route, call).await,
            // Boxed, so that reads do not carry the room that it takes.
            Kind::Write => self.write(operation, route, call).boxed().await,
        }
    }

    /// How a tenant's route to an installation is doing, as this node saw it.
    pub fn status(&self, tenant: TenantId, upstream: UpstreamId) -> Status {
        self.sender.routes.status(tenant, upstream)
    }

    /// How many circuits of a system are in a state, on this node.
    pub fn circuits(&self) -> Vec<(&'static str, Circuit, u64)> {
        self.sender.routes.circuits()
    }

    /// Notes that an answer on this route is not one of the system's API, which only the system's
    /// own room can see: the status no longer says that it was reached, and the answer is not
    /// shared with anybody else.
    pub fn note_malformed(&self, route: &UpstreamRoute) {
        self.sender.routes.state(route).note(Status::malformed);
        self.forget(route.tenant, route.endpoint.upstream);
    }

    /// Forgets what was remembered of a tenant at an installation, and what is being read. Every
    /// write of the tenant there does so by itself; it is to be called after what changes the
    /// tenant's data some other way.
    pub fn forget(&self, tenant: TenantId, upstream: UpstreamId) {
        self.sender.routes.forget(tenant, upstream);
    }

    async fn write(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        call: Call,
    ) -> Result<Answer, Failure> {
        let outgoing = self.outgoing(operation, route, self.sender.routes.state(route), call)?;
        // Also if nobody waits for the answer any more.
        let _stale = Stale { outbound: self, operation, route };
        self.sender.attempt(&outgoing).await.map(|reply| reply.answer)
    }

    async fn read(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        call: Call,
    ) -> Result<Answer, Failure> {
        let state = self.sender.routes.state(route);
        let key = Key::new(route, state.generation(), &call);
        let remember = call.remember;
        if let Some(answer) = remember.and_then(|_| self.cache.get(&key)) {
            return self.hold(operation, route, answer).await;
        }
        let outgoing = Arc::new(self.outgoing(operation, route, state, call)?);
        loop {
            let seat = self.flights.board(key, || {
                let (sender, cache, outgoing) =
                    (self.sender.clone(), self.cache.clone(), outgoing.clone());
                async move {
                    let answer = sender.read(&outgoing).await?;
                    if let Some(lasts) = remember {
                        cache.put(key, &answer, lasts);
                    }
                    Ok(answer)
                }
                .boxed()
            });
            if seat.is_first {
                return seat.flight.await;
            }
            match timeout_at(operation.deadline(route.tenant), seat.flight).await {
                Err(_) => return Err(Failure::Deadline),
                Ok(Err(failure)) if failure.is_own() => {}
                Ok(Ok(answer)) => return self.hold(operation, route, answer).await,
                Ok(Err(failure)) => return Err(failure),
            }
        }
    }

    /// Takes memory for what an operation reads from an answer that it has in common with others:
    /// each makes its own of it.
    async fn hold(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        answer: Answer,
    ) -> Result<Answer, Failure> {
        if answer.body.len() < LARGE {
            return Ok(answer);
        }
        let budget = AnswerBudget::new(
            &self.sender.answers,
            self.sender.settings.answer_patience,
            route,
            operation,
        );
        let held = budget.hold(Some(answer.body.len())).await?;
        Ok(Answer { held: Some(Arc::new(held)), ..answer })
    }

    /// Waits for a turn at reading a long answer, so that few threads at once are busy with that.
    pub async fn reading_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.reading.clone().acquire_owned().await.ok()
    }

    fn outgoing(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        state: Arc<RouteState>,
        call: Call,
    ) -> Result<OutgoingCall, Failure> {
        Ok(OutgoingCall {
            operation: operation.clone(),
            route: route.clone(),
            state,
            limiter: self.sender.routes.limiter(route),
            kind: call.kind,
            request: HttpRequest::new(&route.endpoint, call, operation.request_id())?,
        })
    }
}

/// What was known before a write ends with it.
struct Stale<'a> {
    outbound: &'a Outbound,
    operation: &'a Operation,
    route: &'a UpstreamRoute,
}

impl Drop for Stale<'_> {
    fn drop(&mut self) {
        let (tenant, upstream) = (self.route.tenant, self.route.endpoint.upstream);
        self.outbound.forget(tenant, upstream);
        self.operation.forget(tenant, upstream);
    }
}

impl Sender {
    /// Sends a read, again if it has to be.
    async fn read(&self, outgoing: &OutgoingCall) -> Result<Answer, Failure> {
        outgoing.state.retries.earn();
        for tries in 0.. {
            let outcome = self.attempt(outgoing).await;
            if tries >= self.settings.retries
                || !retry::may_pass(&outcome)
                || !self.wait(tries, &outcome, outgoing).await
            {
                return outcome.map(|reply| reply.answer);
            }
        }
        Err(Failure::Deadline)
    }

    /// Waits before a repetition. Whether there may be one: the route has to have something left,
    /// and the operation time.
    async fn wait(
        &self,
        tries: u32,
        outcome: &Result<Reply, Failure>,
        outgoing: &OutgoingCall,
    ) -> bool {
        // What the far side says may lie beyond all time.
        let again =
            tokio::time::Instant::now().checked_add(retry::pause(tries, outcome, &*self.entropy));
        match again.filter(|again| *again < outgoing.deadline()) {
            Some(again) if outgoing.state.retries.spend() => sleep_until(again).await,
            _ => return false,
        }
        true
    }
}
