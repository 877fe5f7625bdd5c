//! Server-sent events: the distinct connections mode of the `graphql-sse` protocol, one operation a
//! request.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Response as GraphqlResponse;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep};
use tracing::Instrument;
use uuid::Uuid;

use super::execute::{RequestOptions, deadline, error_response, reject, run};
use super::metered_response::{MeteredResponse, holding};
use super::operation_summary::StreamReport;
use super::prepare::PreparedOperation;
use super::response::{ResponseBody, no_store};
use super::stream_session::StreamSession;
use super::stream_slots::stream_slot;
use super::subscription::{Next, Subscription, subscribe};
use crate::budget::Permit;
use crate::error::{Error, RequestErrors, request_error_of};
use crate::http::http_error::HttpError;
use crate::http::state::{AppState, StreamGuard};
use crate::telemetry::in_current_trace;

/// Keeps proxies from closing an idle stream.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
const COMMENT_EVERY: Duration = Duration::from_secs(15);
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata:\n\n");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How long the last event waits for a stalled reader.
const LAST_EVENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Events that are queued for a slow reader. When the queue is full, the subscription waits.
const QUEUE: usize = 4;

/// The resources that an event stream holds until it ends.
struct Held {
    guard: StreamGuard,
    _slot: Permit<Uuid>,
}

/// Answers an operation with a stream of events: each result as `next`, then `complete`.
///
/// # Errors
/// 429 if too many streams are open already.
pub fn serve(
    state: Arc<AppState>,
    session: StreamSession,
    prepared: Result<Box<PreparedOperation>, RequestErrors>,
    options: RequestOptions,
) -> Result<Response, HttpError> {
    let slot = stream_slot(&state, session.caller.account())?;
    let held = Held { guard: state.streams.register(), _slot: slot };
    let (events, mut queue) = mpsc::channel(QUEUE);
    let feed = feed(state, Arc::new(session), prepared, options, events, held);
    tokio::spawn(in_current_trace(feed.in_current_span()));
    let body = futures_util::stream::poll_fn(move |cx| {
        queue.poll_recv(cx).map(|event| event.map(Ok::<_, Infallible>))
    });
    let mut response = no_store(Response::new(Body::from_stream(body)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    // Otherwise nginx holds events back until its buffer is full.
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

async fn feed(
    state: Arc<AppState>,
    session: Arc<StreamSession>,
    prepared: Result<Box<PreparedOperation>, RequestErrors>,
    options: RequestOptions,
    events: mpsc::Sender<Bytes>,
    held: Held,
) {
    let context = &session.caller.context;
    let request_id = context.request_id().clone();
    let mut report = StreamReport::begin(&state, "sse");
    let response = match prepared {
        Ok(prepared) if prepared.kind == OperationType::Subscription => {
            report.set(Some(prepared.summary.clone()));
            let stream = subscribe(&state, context, *prepared, &options);
            let subscription = Subscription::new(stream, session.clone(), request_id);
            return follow(&state, &session, subscription, &events, &held.guard).await;
        }
        Ok(prepared) => {
            let response = run(&state, context, prepared, deadline(&state), &options);
            tokio::select! {
                response = response => response,
                // The client has disconnected.
                () = events.closed() => return,
            }
        }
        Err(errors) => reject(&state, context, errors),
    };
    report.set(response.summary.clone());
    send_last(&state, &events, response).await;
}

/// Sends events until the subscription ends, the client disconnects, the caller is refused, or the
/// process shuts down. At shutdown there is no `complete`: the client reconnects, to another node.
async fn follow(
    state: &Arc<AppState>,
    session: &StreamSession,
    mut subscription: Subscription,
    events: &mpsc::Sender<Bytes>,
    guard: &StreamGuard,
) {
    let mut revoked = pin!(session.revoked(state));
    let mut comments = interval_at(Instant::now() + COMMENT_EVERY, COMMENT_EVERY);
    let error = loop {
        tokio::select! {
            next = async { (events.reserve().await, subscription.next(state).await) } => {
                match next {
                    (Ok(room), Next::Event(event)) => room.send(next_event(&event)),
                    (Ok(room), Next::End) => return room.send(COMPLETE),
                    (_, Next::Refused(error)) => break error,
                    (Err(_), _) => return,
                }
            }
            error = &mut revoked => break error,
            // With a full queue the stream is not idle, and needs no comment.
            _ = comments.tick() => drop(events.try_send(COMMENT)),
            () = guard.shutdown_requested() => return,
            () = events.closed() => return,
        }
    };
    refuse(state, session, events, guard, &error).await;
}

/// Records that the caller is refused, and ends the stream with the error.
async fn refuse(
    state: &Arc<AppState>,
    session: &StreamSession,
    events: &mpsc::Sender<Bytes>,
    guard: &StreamGuard,
    error: &Error,
) {
    session.record_revoked(state, error);
    let request_id = session.caller.context.request_id();
    let last = error_response(state, request_id, request_error_of(error));
    tokio::select! {
        () = send_last(state, events, last.into()) => {}
        () = sleep(LAST_EVENT_TIMEOUT) => {}
        () = guard.shutdown_requested() => {}
    }
}

async fn send_last(state: &AppState, events: &mpsc::Sender<Bytes>, last: MeteredResponse) {
    let serialize = |last: MeteredResponse| {
        let event = next_event(&last.response);
        holding(event.into(), last.permit.into_iter().collect())
    };
    let event = last.serialize(&state.budgets, serialize).await;
    // Sending fails if the client has disconnected, which is no error.
    events.send(event).await.ok();
    events.send(COMPLETE).await.ok();
}

fn next_event(response: &GraphqlResponse) -> Bytes {
    // Serialized JSON contains no line breaks, so that one `data` line holds it.
    let mut event = b"event: next\ndata: ".to_vec();
    ResponseBody(response).write(&mut event);
    event.extend_from_slice(b"\n\n");
    event.into()
}
