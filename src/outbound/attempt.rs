//! One attempt at a call: acquire all permits, send the request once, and learn from the outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::Level;
use uuid::Uuid;

use super::call::{Call, Kind};
use super::failure::Failure;
use super::limits::{AnswerBudget, BreakerPermit, RateLimiter, RouteRegistry, RouteState};
use super::operation::Operation;
use super::route::UpstreamRoute;
use super::settings::Settings;
use super::span::CallSpan;
use super::transport::{Client, HttpRequest, Pool, Reply, exchange, request};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::ErrorCode;
use crate::metrics::{Metrics, UpstreamCall};
use crate::telemetry::TraceContext;

/// Sends calls, one attempt at a time.
pub(super) struct Sender {
    pub settings: Settings,
    pub routes: RouteRegistry,
    pub entropy: Arc<dyn Entropy>,
    pub answers: Arc<crate::budget::Pool<Uuid>>,
    pool: Pool,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
}

/// A call with everything that its attempts need.
pub(super) struct OutgoingCall {
    pub operation: Operation,
    pub route: UpstreamRoute,
    pub state: Arc<RouteState>,
    pub limiter: Arc<RateLimiter>,
    pub call: Call,
    /// How often it was sent.
    pub sent: AtomicU32,
}

impl OutgoingCall {
    /// The deadline for waiting and, of a read, for the answer.
    pub(super) fn deadline(&self) -> Instant {
        self.operation.deadline(self.route.tenant)
    }
}

impl Sender {
    pub(super) fn new(
        settings: Settings,
        answers: Arc<crate::budget::Pool<Uuid>>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let pool = Pool::new(settings.addresses, settings.connect_timeout);
        let routes = RouteRegistry::new(settings);
        Self { settings, routes, entropy, answers, pool, clock, metrics }
    }

    /// Sends a call once, as soon as it has all permits.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub(super) async fn attempt(&self, outgoing: &OutgoingCall) -> Result<Reply, Failure> {
        let OutgoingCall { operation, route, state, limiter, .. } = outgoing;
        let request = request(&route.endpoint, &outgoing.call, operation.request_id())?;
        let asked = Instant::now();
        if outgoing.call.kind == Kind::Read && outgoing.deadline() <= Instant::now() {
            return Err(Failure::Deadline);
        }
        state.breaker.check()?;
        let call = operation.call_limit().reserve(route.tenant)?;
        let deadline = outgoing.deadline();
        let _concurrency = state.concurrency.acquire(operation.caller(), deadline).await?;
        let mut rate = limiter.acquire(route.tenant, route.endpoint.owner, deadline).await?;
        let client = self.pool.client(&route.endpoint)?;
        // The circuit may have opened while this call waited.
        let permit = Some(state.breaker.acquire()?);
        let observer = Observer { sender: self, outgoing, permit, began: Instant::now() };
        call.commit();
        rate.mark_sent();
        let outcome = self.exchange(outgoing, &client, request, asked.elapsed()).await;
        observer.observe(&outcome);
        outcome
    }

    /// Exchanges request and response. A write has its own time limit, whatever is left of the
    /// operation's; a read ends at the earlier of the two. `waited` is how long the call waited for
    /// its permits, for the log.
    async fn exchange(
        &self,
        outgoing: &OutgoingCall,
        client: &Client,
        request: HttpRequest,
        waited: Duration,
    ) -> Result<Reply, Failure> {
        let OutgoingCall { operation, route, call, sent, .. } = outgoing;
        let resends = sent.fetch_add(1, Ordering::Relaxed);
        let span = CallSpan::begin(operation, route, (call, request.uri()), resends);
        let next = || operation.trace(&*self.entropy).next(&*self.entropy);
        let trace = span.context().unwrap_or_else(next);
        let traceparent = trace.traceparent();
        let began = Instant::now();
        let deadline = outgoing.deadline();
        let budget = self.answer_budget(operation, route);
        let now = self.clock.now();
        let exchange = exchange(client, request, &traceparent, call.answer_limit, now, &budget);
        let own_limit = began + self.settings.timeout;
        let (until, timed_out) = match call.kind {
            Kind::Read if deadline < own_limit => (deadline, Failure::Deadline),
            _ => (own_limit, Failure::Timeout { sent: true }),
        };
        let outcome = timeout_at(until, exchange).await.unwrap_or(Err(timed_out));
        self.count(outgoing, began, &outcome);
        span.end(&outcome);
        log(outgoing, trace, Times { waited, took: began.elapsed() }, &outcome);
        outcome
    }

    /// The memory that an answer to the operation on this route may use.
    pub(super) fn answer_budget(
        &self,
        operation: &Operation,
        route: &UpstreamRoute,
    ) -> AnswerBudget {
        let patience = self.settings.answer_patience;
        AnswerBudget::new(&self.answers, patience, route, operation.held_answers())
    }

    fn count(&self, outgoing: &OutgoingCall, began: Instant, outcome: &Result<Reply, Failure>) {
        let outcome = match outcome {
            Ok(reply) => status_class(reply.answer.status),
            Err(failure) => failure.code().as_str(),
        };
        let kind = match outgoing.call.kind {
            Kind::Read => "read",
            Kind::Write => "write",
        };
        self.metrics.count_upstream_call(&UpstreamCall {
            system: outgoing.route.endpoint.system,
            kind,
            outcome,
            tenant: outgoing.route.tenant,
            took: began.elapsed(),
        });
    }
}

/// The class of a status, for a label: the upstream chooses the status, and a label must have few
/// values.
fn status_class(status: u16) -> &'static str {
    match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "other",
    }
}

/// Updates breaker, limiter and status from the outcome of a call. If the call is abandoned, `drop`
/// does so: it counts as failed if it had taken long (`Settings::abandoned_counts_after`).
struct Observer<'a> {
    sender: &'a Sender,
    outgoing: &'a OutgoingCall,
    permit: Option<BreakerPermit>,
    began: Instant,
}

impl Observer<'_> {
    fn observe(mut self, outcome: &Result<Reply, Failure>) {
        let OutgoingCall { operation, state, limiter, .. } = self.outgoing;
        match outcome {
            Ok(reply) => {
                let answer = &reply.answer;
                self.report(answer.status < 500);
                state.note(|status| status.answered(answer.status, self.sender.clock.now()));
                match answer.status {
                    429 => limiter.refused(reply.retry_after),
                    _ => limiter.accepted(),
                }
                operation.note_request_id(reply.request_id.as_deref());
            }
            // The operation's deadline says nothing about the upstream: as if abandoned, see `drop`.
            Err(Failure::Deadline) => {}
            Err(failure) => {
                let answered = matches!(failure, Failure::Malformed(_) | Failure::NoRoom { .. });
                self.report(answered);
                state.note(|status| status.failed(answered, failure.code()));
            }
        }
    }

    fn report(&mut self, succeeded: bool) {
        match self.permit.take() {
            Some(permit) if succeeded => permit.succeeded(),
            Some(permit) => permit.failed(),
            None => {}
        }
    }
}

impl Drop for Observer<'_> {
    fn drop(&mut self) {
        if self.permit.take().is_some()
            && self.began.elapsed() >= self.sender.settings.abandoned_counts_after()
        {
            self.outgoing.state.note(|status| status.failed(false, ErrorCode::UpstreamTimeout));
        }
    }
}

/// How long a call waited for its permits, and how long it took from then on.
struct Times {
    waited: Duration,
    took: Duration,
}

/// Logs neither path, query, headers nor body: they may contain secrets. The span is created only
/// for a line that is written.
fn log(
    outgoing: &OutgoingCall,
    trace: TraceContext,
    times: Times,
    outcome: &Result<Reply, Failure>,
) {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let span = || {
        tracing::info_span!(
            "upstream_call",
            request_id = outgoing.operation.request_id(),
            trace_id = %trace.trace_id(),
            tenant = %outgoing.route.tenant,
            upstream = %outgoing.route.endpoint.upstream,
            system = outgoing.route.endpoint.system,
            method = outgoing.call.method,
            waited_millis = millis(times.waited),
            millis = millis(times.took),
        )
    };
    match outcome {
        Ok(reply) if tracing::enabled!(Level::DEBUG) => {
            let status = reply.answer.status;
            let bytes = reply.answer.body.len();
            span().in_scope(|| tracing::debug!(status, bytes, "upstream call completed"));
        }
        Ok(_) => {}
        Err(failure) => {
            let code = failure.code().as_str();
            span().in_scope(|| {
                tracing::info!(code, "upstream call failed");
                tracing::debug!(code, cause = failure.cause(), "cause of the failed upstream call");
            });
        }
    }
}
