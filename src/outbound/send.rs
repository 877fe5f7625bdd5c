//! [`Outbound`]: writes are sent once; reads are retried, shared and cached.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::attempt::{OutgoingCall, Sender};
use super::call::{Answer, Call, Kind};
use super::failure::Failure;
use super::limits::RouteState;
use super::operation::Operation;
use super::route::{Circuit, Status, UpstreamRoute};
use super::settings::Settings;
use super::sharing::{Cache, Flight, ReadKey, SingleFlight};
use crate::budget::{Pool, half_of_the_cores};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::ids::{TenantId, UpstreamId};
use crate::metrics::Metrics;

/// In bytes. A longer answer is parsed on a blocking thread.
const LONG_ANSWER: usize = 256 * 1024;

/// Values read from a smaller answer take too little memory to be counted for each caller that
/// shares it.
const LARGE: usize = 64 * 1024;

/// The gateway's client for all upstreams. There is one per process.
pub struct Outbound {
    sender: Arc<Sender>,
    cache: Arc<Cache>,
    reads: SingleFlight<ReadKey, Result<Answer, Failure>>,
    parsing: Arc<Semaphore>,
}

impl Outbound {
    /// Creates the client. Answers take memory of the pool `answers`, on the account of the
    /// installation's owner and of the calling tenant. Each call is counted in `metrics`.
    pub fn new(
        settings: Settings,
        answers: Arc<Pool<Uuid>>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let cache = Arc::new(Cache::new(settings.cache_size));
        let sender = Arc::new(Sender::new(settings, answers, clock, entropy, metrics));
        let parsing = Arc::new(Semaphore::new(half_of_the_cores()));
        Self { sender, cache, reads: SingleFlight::default(), parsing }
    }

    /// Sends a call within the operation's call limit and deadline and the route's circuit, concurrency
    /// and rate. Reads are retried after transient failures and shared with concurrent callers of
    /// the same read on the same route; writes are sent once.
    ///
    /// # Errors
    /// [`Failure`] if there is no answer. An answer of any status is an answer.
    pub async fn send(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        call: Call,
    ) -> Result<Answer, Failure> {
        match call.kind {
            Kind::Read => self.read(operation, route, call).await,
            // Boxed: keeps the rarer path out of the size of a read's future.
            Kind::Write => self.write(operation, route, call).boxed().await,
        }
    }

    /// The health of a tenant's route to an installation, as this node observed it.
    pub fn status(&self, tenant: TenantId, upstream: UpstreamId) -> Status {
        self.sender.routes.status(tenant, upstream)
    }

    /// The number of circuits of each system in each state, on this node.
    pub fn circuits(&self) -> Vec<(&'static str, Circuit, u64)> {
        self.sender.routes.circuits()
    }

    /// Records that an answer on this route did not come from the system's API, which only the
    /// system's own module can tell: the status no longer counts it as reached, and the answer is
    /// neither cached nor shared any more.
    pub fn note_malformed(&self, route: &UpstreamRoute) {
        self.sender.routes.state(route).note(Status::malformed);
        self.invalidate(route.tenant, route.endpoint.upstream);
    }

    /// Invalidates cached answers and reads in flight of a tenant at an installation. Every write
    /// of the tenant there does so itself; call this after its data changed in another way.
    pub fn invalidate(&self, tenant: TenantId, upstream: UpstreamId) {
        self.sender.routes.invalidate(tenant, upstream);
    }

    /// Parses an answer; a long one on a blocking thread, so that it does not delay other requests,
    /// and few at once, so that parsing never occupies all cores. A panic of `parse` is passed on to
    /// the caller.
    pub async fn parse<T: Send + 'static>(
        &self,
        answer: &Answer,
        parse: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        if answer.body.len() < LONG_ANSWER {
            return parse();
        }
        let permit = self.parsing.clone().acquire_owned().await;
        let parse = move || {
            let parsed = parse();
            drop(permit);
            parsed
        };
        match tokio::task::spawn_blocking(parse).await {
            Ok(parsed) => parsed,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down with the process: no caller waits for an answer.
                Err(_) => std::future::pending().await,
            },
        }
    }

    async fn write(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        call: Call,
    ) -> Result<Answer, Failure> {
        let state = self.sender.routes.state(route);
        let outgoing = self.outgoing(operation, route, state, call);
        // Invalidates even if the caller abandons the write.
        let _invalidation = InvalidateOnDrop { outbound: self, operation, route };
        self.sender.attempt(&outgoing).await.map(|reply| reply.answer)
    }

    async fn read(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        call: Call,
    ) -> Result<Answer, Failure> {
        let state = self.sender.routes.state(route);
        let key = ReadKey::new(route, state.generation(), &call);
        let cache_ttl = call.cache_ttl;
        if let Some(answer) = cache_ttl.and_then(|_| self.cache.get(&key)) {
            return self.hold(operation, route, answer).await;
        }
        let outgoing = Arc::new(self.outgoing(operation, route, state, call));
        loop {
            let joined = self.reads.join_or_start(key, || {
                let sender = self.sender.clone();
                let cache = self.cache.clone();
                let outgoing = outgoing.clone();
                async move {
                    let answer = sender.read(&outgoing).await?;
                    if let Some(ttl) = cache_ttl {
                        cache.put(key, &answer, ttl);
                    }
                    Ok(answer)
                }
                .boxed()
            });
            if joined.is_first {
                return joined.flight.await;
            }
            if let Some(outcome) = self.follow(operation, route, joined.flight).await {
                return outcome;
            }
        }
    }

    /// Awaits a read that another operation started; `None` if it failed for a reason that lies in
    /// that operation.
    async fn follow(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        flight: Flight<Result<Answer, Failure>>,
    ) -> Option<Result<Answer, Failure>> {
        match timeout_at(operation.deadline(route.tenant), flight).await {
            Err(_) => Some(Err(Failure::Deadline)),
            Ok(Err(failure)) if failure.is_own() => None,
            Ok(Ok(answer)) => Some(self.hold(operation, route, answer).await),
            Ok(Err(failure)) => Some(Err(failure)),
        }
    }

    /// Reserves memory for the values that an operation reads from a shared answer.
    async fn hold(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        answer: Answer,
    ) -> Result<Answer, Failure> {
        if answer.body.len() < LARGE {
            return Ok(answer);
        }
        let budget = self.sender.answer_budget(operation, route);
        let held = budget.hold(Some(answer.body.len())).await?;
        Ok(Answer { held: Some(Arc::new(held)), ..answer })
    }

    fn outgoing(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
        state: Arc<RouteState>,
        call: Call,
    ) -> OutgoingCall {
        OutgoingCall {
            operation: operation.clone(),
            route: route.clone(),
            state,
            limiter: self.sender.routes.limiter(route),
            call,
            sent: AtomicU32::new(0),
        }
    }
}

/// Invalidates, when dropped, everything that was read before a write.
struct InvalidateOnDrop<'a> {
    outbound: &'a Outbound,
    operation: &'a Operation,
    route: &'a UpstreamRoute,
}

impl Drop for InvalidateOnDrop<'_> {
    fn drop(&mut self) {
        let tenant = self.route.tenant;
        let upstream = self.route.endpoint.upstream;
        self.outbound.invalidate(tenant, upstream);
        self.operation.forget(tenant, upstream);
    }
}
