//! One attempt: past everything that may hold a call back, once over the wire, and what is learned from it.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, Span, field};

use super::breaker::Pass;
use super::call::Kind;
use super::exchange::{Message, Reply};
use super::failure::Failure;
use super::line::Line;
use super::lines::{Lines, Way};
use super::operation::Operation;
use super::pool::Pool;
use super::rate::Limiter;
use super::settings::Settings;
use super::trace::Trace;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::ErrorCode;

/// What sends.
pub(super) struct Sender {
    pub settings: Settings,
    pub lines: Lines,
    pub entropy: Arc<dyn Entropy>,
    pool: Pool,
    clock: Arc<dyn Clock>,
}

/// A call on its way, with all that it passes.
pub(super) struct Journey {
    pub operation: Operation,
    pub line: Line,
    pub way: Arc<Way>,
    pub limiter: Arc<Limiter>,
    pub kind: Kind,
    pub message: Message,
}

impl Journey {
    /// Until when it may wait, and may take if it is a read.
    pub(super) fn deadline(&self) -> Instant {
        self.operation.deadline(self.line.tenant)
    }
}

impl Sender {
    pub(super) fn new(settings: Settings, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let pool = Pool::new(settings.addresses, settings.connect_timeout);
        Self { settings, lines: Lines::new(settings), entropy, pool, clock }
    }

    /// Sends a call once, as soon as it may go.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub(super) async fn attempt(&self, journey: &Journey) -> Result<Reply, Failure> {
        let Journey { operation, line, way, limiter, message, .. } = journey;
        way.breaker.look()?;
        let fare = operation.budget().pay(line.tenant)?;
        let deadline = journey.deadline();
        let _inside = way.gate.enter(operation.caller(), deadline).await?;
        let mut passage = limiter.enter(operation.caller(), deadline).await?;
        // Those before may have failed meanwhile.
        let pass = way.breaker.pass()?;
        let client = self.pool.client(&line.endpoint)?;
        let until = self.until(journey)?;
        fare.use_up();
        passage.sent();
        let (span, began) = (span(journey, operation.trace(&*self.entropy)), Instant::now());
        let traceparent = operation.trace(&*self.entropy).next(&*self.entropy);
        let exchange = message.exchange(&client, &traceparent, self.clock.now()).instrument(span.clone());
        let outcome = timeout_at(until, exchange).await.unwrap_or(Err(Failure::Timeout { sent: true }));
        log(&span, began, &outcome);
        self.learn(journey, pass, &outcome);
        outcome
    }

    /// A write has its own time, whatever is left of the operation's; a read has the smaller of the two.
    fn until(&self, journey: &Journey) -> Result<Instant, Failure> {
        let now = Instant::now();
        let (own, deadline) = (now + self.settings.timeout, journey.deadline());
        if deadline <= now {
            return Err(Failure::Deadline);
        }
        Ok(if journey.kind == Kind::Write { own } else { own.min(deadline) })
    }

    fn learn(&self, journey: &Journey, pass: Pass, outcome: &Result<Reply, Failure>) {
        match outcome {
            Ok(reply) if reply.answer.status == 429 => journey.limiter.refused(reply.retry_after),
            Ok(_) => journey.limiter.accepted(),
            Err(_) => {}
        }
        match outcome {
            Ok(reply) if reply.answer.status < 500 => pass.succeeded(),
            Err(Failure::Malformed(_)) => pass.succeeded(),
            // It had less than its own time: whether that was enough to tell, the circuit knows.
            Err(Failure::Timeout { .. }) => drop(pass),
            _ => pass.failed(),
        }
        if let Ok(Reply { request_id: Some(id), .. }) = outcome {
            journey.operation.note_request_id(id.clone());
        }
        let now = self.clock.now();
        journey.way.note(|status| match outcome {
            Ok(reply) => {
                status.reachable = Some(true);
                status.last_error = match reply.answer.status {
                    401 => Some(ErrorCode::UpstreamUnauthorized),
                    429 | 500.. => Some(ErrorCode::UpstreamUnavailable),
                    _ => None,
                };
                if status.last_error.is_none() {
                    status.last_success_at = Some(now);
                }
            }
            Err(failure) => {
                status.reachable = Some(matches!(failure, Failure::Malformed(_)));
                status.last_error = Some(failure.code());
            }
        });
    }
}

/// Neither query nor headers nor body: they may hold secrets.
fn span(journey: &Journey, trace: &Trace) -> Span {
    tracing::info_span!(
        "upstream_call",
        request_id = journey.operation.request_id(),
        trace_id = trace.id,
        tenant = %journey.line.tenant,
        upstream = %journey.line.endpoint.upstream,
        system = journey.line.endpoint.system,
        method = journey.message.method(),
        status = field::Empty,
        millis = field::Empty,
    )
}

fn log(span: &Span, began: Instant, outcome: &Result<Reply, Failure>) {
    span.record("millis", u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    match outcome {
        Ok(reply) => {
            span.record("status", reply.answer.status);
            span.in_scope(|| tracing::debug!("answered"));
        }
        Err(failure) => span.in_scope(|| tracing::info!(code = failure.code().as_str(), "no answer")),
    }
}
