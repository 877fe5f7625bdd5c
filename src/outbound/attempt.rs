//! One attempt: past everything that may hold a call back, once over the wire, and what is learned
//! from it.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tracing::Level;
use uuid::Uuid;

use super::breaker::BreakerPermit;
use super::call::Kind;
use super::exchange::{HttpRequest, Reply};
use super::failure::Failure;
use super::held::AnswerBudget;
use super::operation::Operation;
use super::pool::{Client, Pool};
use super::rate::Limiter;
use super::registry::{RouteRegistry, RouteState};
use super::route::UpstreamRoute;
use super::settings::Settings;
use super::trace::Trace;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::ErrorCode;
use crate::metrics::{Metrics, UpstreamCall};

/// What sends.
pub(super) struct Sender {
    pub settings: Settings,
    pub routes: RouteRegistry,
    pub entropy: Arc<dyn Entropy>,
    pub answers: Arc<crate::budget::Pool<Uuid>>,
    pool: Pool,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
}

/// A call on its way, with all that it passes.
pub(super) struct OutgoingCall {
    pub operation: Operation,
    pub route: UpstreamRoute,
    pub state: Arc<RouteState>,
    pub limiter: Arc<Limiter>,
    pub kind: Kind,
    pub request: HttpRequest,
}

impl OutgoingCall {
    /// Until when it may wait, and may take if it is a read.
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

    /// Sends a call once, as soon as it may go.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub(super) async fn attempt(&self, outgoing: &OutgoingCall) -> Result<Reply, Failure> {
        let OutgoingCall { operation, route, state, limiter, .. } = outgoing;
        if outgoing.kind == Kind::Read && outgoing.deadline() <= Instant::now() {
            return Err(Failure::Deadline);
        }
        state.breaker.check()?;
        let budget_permit = operation.budget().reserve(route.tenant)?;
        let _concurrency = state.gate.enter(operation.caller(), outgoing.deadline()).await?;
        let mut rate =
            limiter.enter(route.tenant, route.endpoint.owner, outgoing.deadline()).await?;
        let client = self.pool.client(&route.endpoint)?;
        // Those before may have failed meanwhile.
        let watch = Watch {
            sender: self,
            outgoing,
            permit: Some(state.breaker.acquire()?),
            began: Instant::now(),
        };
        budget_permit.commit();
        rate.sent();
        let outcome = self.exchange(outgoing, &client).await;
        watch.saw(&outcome);
        outcome
    }

    /// A write has its own time, whatever is left of the operation's; a read has the smaller of the
    /// two.
    async fn exchange(&self, outgoing: &OutgoingCall, client: &Client) -> Result<Reply, Failure> {
        let OutgoingCall { operation, request, kind, .. } = outgoing;
        let trace = operation.trace(&*self.entropy);
        let traceparent = trace.next(&*self.entropy);
        let (began, deadline) = (Instant::now(), outgoing.deadline());
        let budget = AnswerBudget::new(
            &self.answers,
            self.settings.answer_patience,
            &outgoing.route,
            operation,
        );
        let exchange = request.exchange(client, &traceparent, self.clock.now(), &budget);
        let own = began + self.settings.timeout;
        let (until, over) = match kind {
            Kind::Read if deadline < own => (deadline, Failure::Deadline),
            _ => (own, Failure::Timeout { sent: true }),
        };
        let outcome = timeout_at(until, exchange).await.unwrap_or(Err(over));
        self.count(outgoing, began, &outcome);
        log(outgoing, trace, began, &outcome);
        outcome
    }
}

impl Sender {
    fn count(&self, outgoing: &OutgoingCall, began: Instant, outcome: &Result<Reply, Failure>) {
        let outcome = match outcome {
            Ok(reply) => status_class(reply.answer.status),
            Err(failure) => failure.code().as_str(),
        };
        let kind = match outgoing.kind {
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

/// A closed set for a label: the status itself is any number that a far side sends.
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

/// Learns from what comes of a call. A call that is given up tells something too, if it took long.
struct Watch<'a> {
    sender: &'a Sender,
    outgoing: &'a OutgoingCall,
    permit: Option<BreakerPermit>,
    began: Instant,
}

impl Watch<'_> {
    fn saw(mut self, outcome: &Result<Reply, Failure>) {
        let OutgoingCall { operation, state, limiter, .. } = self.outgoing;
        match outcome {
            Ok(reply) => {
                let answer = &reply.answer;
                self.conclude(|permit| {
                    if answer.status < 500 { permit.succeeded() } else { permit.failed() }
                });
                state.note(|status| status.answered(answer.status, self.sender.clock.now()));
                match answer.status {
                    429 => limiter.refused(reply.retry_after),
                    _ => limiter.accepted(),
                }
                operation.note_request_id(reply.request_id.as_deref());
            }
            // Whether it was long enough to tell anything shows when this is dropped.
            Err(Failure::Deadline) => {}
            Err(failure) => {
                let answered = matches!(failure, Failure::Malformed(_) | Failure::NoRoom { .. });
                self.conclude(|permit| if answered { permit.succeeded() } else { permit.failed() });
                state.note(|status| status.failed(answered, failure.code()));
            }
        }
    }

    fn conclude(&mut self, conclude: impl FnOnce(BreakerPermit)) {
        if let Some(permit) = self.permit.take() {
            conclude(permit);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if self.permit.take().is_some() && self.began.elapsed() >= self.sender.settings.patience() {
            self.outgoing.state.note(|status| status.failed(false, ErrorCode::UpstreamTimeout));
        }
    }
}

/// Neither path nor query nor headers nor body: they may hold secrets. The span is made when there
/// is something to say in it, which of most calls there is not.
fn log(outgoing: &OutgoingCall, trace: &Trace, began: Instant, outcome: &Result<Reply, Failure>) {
    let span = || {
        tracing::info_span!(
            "upstream_call",
            request_id = outgoing.operation.request_id(),
            trace_id = trace.id,
            tenant = %outgoing.route.tenant,
            upstream = %outgoing.route.endpoint.upstream,
            system = outgoing.route.endpoint.system,
            method = outgoing.request.method(),
            millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        )
    };
    match outcome {
        Ok(reply) if tracing::enabled!(Level::DEBUG) => {
            span().in_scope(|| tracing::debug!(status = reply.answer.status, "answered"));
        }
        Ok(_) => {}
        Err(failure) => {
            span().in_scope(|| tracing::info!(code = failure.code().as_str(), "no answer"))
        }
    }
}
