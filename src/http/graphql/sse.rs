//! Server-sent events: the distinct connections mode of the protocol of `graphql-sse`, one
//! operation a request.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Response as Outcome;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep};
use uuid::Uuid;

use super::super::Door;
use super::super::guests::Guest;
use super::super::reply::Refused;
use super::answer::no_store;
use super::caller::Staying;
use super::execute::{Prepared, Wishes, refused, run, subscribe};
use super::executed::{Executed, holding};
use super::outcome::{RequestErrors, Written, failure_of};
use super::post::deadline;
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
    door: Arc<Door>,
    caller: Staying,
    prepared: Result<Box<Prepared>, RequestErrors>,
    wishes: Wishes,
) -> Result<Response, Refused> {
    let slot = stream_slot(&door, caller.entered.account())?;
    let guest = door.guests.enter();
    let (events, mut waiting) = mpsc::channel(WAITING);
    tokio::spawn(tracing::Instrument::in_current_span(feed(
        door,
        Arc::new(caller),
        prepared,
        wishes,
        events,
        (guest, slot),
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
    door: Arc<Door>,
    caller: Arc<Staying>,
    prepared: Result<Box<Prepared>, RequestErrors>,
    wishes: Wishes,
    events: mpsc::Sender<Bytes>,
    (guest, _slot): (Guest, Permit<Uuid>),
) {
    let context = &caller.entered.context;
    let request_id = context.request_id().clone();
    let outcome = match prepared {
        Ok(prepared) if prepared.kind == OperationType::Subscription => {
            let stream = subscribe(&door, context, *prepared, &wishes);
            follow(
                &door,
                &caller,
                Subscription::new(stream, caller.clone(), request_id),
                &events,
                guest,
            )
            .await;
            return;
        }
        Ok(prepared) => {
            let outcome = run(&door, context, prepared, deadline(&door), &wishes);
            // Who has gone needs no answer.
            tokio::select! {
                outcome = outcome => outcome,
                () = events.closed() => return,
            }
        }
        Err(error) => refused(&door, &request_id, error).into(),
    };
    say_last(&events, outcome).await;
}

/// Gives on events until the stream ends, its caller goes or may not follow any longer, or the
/// process ends. Then there is no `complete`, so that the client connects again: to another node.
async fn follow(
    door: &Arc<Door>,
    caller: &Staying,
    mut subscription: Subscription,
    events: &mpsc::Sender<Bytes>,
    mut guest: Guest,
) {
    let mut refusal = pin!(caller.refused(door));
    let mut comments = interval_at(Instant::now() + COMMENT_EVERY, COMMENT_EVERY);
    let error = loop {
        tokio::select! {
            came = async { (events.reserve().await, subscription.next(door).await) } => match came {
                (Ok(room), Next::Event(outcome)) => room.send(next(&outcome)),
                (Ok(room), Next::End) => return room.send(COMPLETE),
                (_, Next::Refused(error)) => break error,
                (Err(_), _) => return,
            },
            error = &mut refusal => break error,
            // A reader who is behind needs no comment to stay awake.
            _ = comments.tick() => drop(events.try_send(COMMENT)),
            () = guest.asked_to_leave() => return,
            () = events.closed() => return,
        }
    };
    caller.cut_off(door, &error);
    let last = refused(door, caller.entered.context.request_id(), failure_of(&error));
    tokio::select! {
        () = say_last(events, last.into()) => {}
        () = sleep(LISTENING) => {}
        () = guest.asked_to_leave() => {}
    }
}

async fn say_last(events: &mpsc::Sender<Bytes>, last: Executed) {
    let Executed { outcome, permit, .. } = last;
    let text = next(&outcome);
    drop(outcome);
    // Who has gone need not hear it.
    events.send(holding(text.into(), permit.into_iter().collect())).await.ok();
    events.send(COMPLETE).await.ok();
}

fn next(outcome: &Outcome) -> Bytes {
    // JSON holds no line breaks of its own.
    let json = serde_json::to_string(&Written(outcome)).unwrap_or_default();
    format!("event: next\ndata: {json}\n\n").into()
}
