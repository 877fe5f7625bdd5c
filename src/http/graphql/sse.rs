//! Server-sent events: the distinct connections mode of the protocol of `graphql-sse`, one
//! operation a request.

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
use uuid::Uuid;

use super::super::AppState;
use super::super::reply::HttpError;
use super::super::stream_registry::StreamGuard;
use super::caller::StreamSession;
use super::execute::{PreparedOperation, RequestOptions, deadline, refused, run, subscribe};
use super::metered_response::{MeteredResponse, holding};
use super::outcome::{RequestErrors, Written, failure_of};
use super::response::no_store;
use super::subscription::{Next, Subscription};
use super::ws::stream_slot;
use crate::budget::Permit;

/// What keeps proxies from closing a quiet stream.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
const COMMENT_EVERY: Duration = Duration::from_secs(15);
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata:\n\n");

/// For how long the last words wait for a reader who takes nothing.
const LISTENING: Duration = Duration::from_secs(10);

/// Events that wait for a slow reader. When they are full, the subscription itself waits.
const WAITING: usize = 4;

/// Answers an operation as a stream of events: each result as `next`, then `complete`.
///
/// # Errors
/// 429 if there are too many streams already.
pub fn serve(
    state: Arc<AppState>,
    caller: StreamSession,
    prepared: Result<Box<PreparedOperation>, RequestErrors>,
    options: RequestOptions,
) -> Result<Response, HttpError> {
    let slot = stream_slot(&state, caller.caller.account())?;
    let guard = state.streams.register();
    let (events, mut waiting) = mpsc::channel(WAITING);
    tokio::spawn(tracing::Instrument::in_current_span(feed(
        state,
        Arc::new(caller),
        prepared,
        options,
        events,
        (guard, slot),
    )));
    let body = futures_util::stream::poll_fn(move |cx| {
        waiting.poll_recv(cx).map(|event| event.map(Ok::<_, Infallible>))
    });
    let mut response = no_store(Response::new(Body::from_stream(body)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    // nginx would keep events until its buffer is full.
    response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

async fn feed(
    state: Arc<AppState>,
    caller: Arc<StreamSession>,
    prepared: Result<Box<PreparedOperation>, RequestErrors>,
    options: RequestOptions,
    events: mpsc::Sender<Bytes>,
    (guard, _slot): (StreamGuard, Permit<Uuid>),
) {
    let context = &caller.caller.context;
    let request_id = context.request_id().clone();
    let outcome = match prepared {
        Ok(prepared) if prepared.kind == OperationType::Subscription => {
            let stream = subscribe(&state, context, *prepared, &options);
            follow(
                &state,
                &caller,
                Subscription::new(stream, caller.clone(), request_id),
                &events,
                guard,
            )
            .await;
            return;
        }
        Ok(prepared) => {
            let outcome = run(&state, context, prepared, deadline(&state), &options);
            // Who has gone needs no answer.
            tokio::select! {
                outcome = outcome => outcome,
                () = events.closed() => return,
            }
        }
        Err(error) => refused(&state, &request_id, error).into(),
    };
    say_last(&state, &events, outcome).await;
}

/// Gives on events until the stream ends, its caller goes or may not follow any longer, or the
/// process ends. Then there is no `complete`, so that the client connects again: to another node.
async fn follow(
    state: &Arc<AppState>,
    caller: &StreamSession,
    mut subscription: Subscription,
    events: &mpsc::Sender<Bytes>,
    guard: StreamGuard,
) {
    let mut refusal = pin!(caller.refused(state));
    let mut comments = interval_at(Instant::now() + COMMENT_EVERY, COMMENT_EVERY);
    let error = loop {
        tokio::select! {
            came = async { (events.reserve().await, subscription.next(state).await) } => match came {
                (Ok(room), Next::Event(outcome)) => room.send(next(&outcome)),
                (Ok(room), Next::End) => return room.send(COMPLETE),
                (_, Next::Refused(error)) => break error,
                (Err(_), _) => return,
            },
            error = &mut refusal => break error,
            // A reader who is behind needs no comment to stay awake.
            _ = comments.tick() => drop(events.try_send(COMMENT)),
            () = guard.shutdown_requested() => return,
            () = events.closed() => return,
        }
    };
    caller.cut_off(state, &error);
    let last = refused(state, caller.caller.context.request_id(), failure_of(&error));
    tokio::select! {
        () = say_last(state, events, last.into()) => {}
        () = sleep(LISTENING) => {}
        () = guard.shutdown_requested() => {}
    }
}

async fn say_last(state: &AppState, events: &mpsc::Sender<Bytes>, last: MeteredResponse) {
    let write = |executed: MeteredResponse| {
        let text = next(&executed.outcome);
        holding(text.into(), executed.permit.into_iter().collect())
    };
    let written = last.write(&state.budgets, write).await;
    // Whether the client still listens does not matter here.
    events.send(written).await.ok();
    events.send(COMPLETE).await.ok();
}

fn next(outcome: &GraphqlResponse) -> Bytes {
    // JSON holds no line breaks of its own.
    let json = serde_json::to_string(&Written(outcome)).unwrap_or_default();
    format!("event: next\ndata: {json}\n\n").into()
}
