//! Event streams over a schema with test subscriptions.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{Schema, Subscription};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::{Value, json};
use tenant_gateway::app::Core;
use tenant_gateway::graphql::{ExecutableSchema, Executor};
use tenant_gateway::schema::{Mutation, Query};

use super::{Caller, Engine, OnEngine, TestApp};

/// A gateway whose schema has test subscriptions.
pub struct Streaming(TestApp);

impl OnEngine for Streaming {
    async fn on(engine: Engine) -> Self {
        Self(TestApp::before(with_ticks, engine).await)
    }
}

impl Deref for Streaming {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

fn with_ticks(core: &Core) -> Arc<dyn Executor> {
    let schema = Schema::build(Query::default(), Mutation::default(), Ticks);
    let schema =
        schema.data(core.tenants.clone()).data(core.clients.clone()).data(core.audit.clone());
    Arc::new(ExecutableSchema::new(schema))
}

struct Ticks;

#[Subscription]
impl Ticks {
    /// Counts from 1, with that many milliseconds between events.
    async fn ticks(&self, millis: u64) -> impl Stream<Item = i32> {
        unfold(1, move |at| async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            Some((at, at + 1))
        })
    }

    /// Sends as much as the reader takes.
    async fn flood(&self) -> impl Stream<Item = String> {
        unfold((), |()| async {
            FLOODED.fetch_add(1, Ordering::SeqCst);
            Some(("x".repeat(65_536), ()))
        })
    }
}

/// The number of events that all floods produced.
pub static FLOODED: AtomicUsize = AtomicUsize::new(0);

/// An event stream, read as it arrives.
pub struct Events {
    response: reqwest::Response,
    read: String,
}

impl Events {
    /// A counting stream with that many milliseconds between events.
    pub async fn of_ticks(caller: &Caller, millis: u64) -> Self {
        Self::of(caller, &format!("subscription {{ ticks(millis: {millis}) }}")).await
    }

    /// The stream of a subscription.
    pub async fn of(caller: &Caller, document: &str) -> Self {
        let request = caller.request(document, &json!({}));
        let response = request
            .header("accept", "text/event-stream")
            .send()
            .await
            .expect("the gateway answers");
        assert_eq!(response.status(), 200);
        Self { response, read: String::new() }
    }

    /// The id of the request that opened it.
    pub fn request_id(&self) -> String {
        self.response.headers()["x-request-id"].to_str().expect("text").to_owned()
    }

    /// The next event's name and data; `None` at the end.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let event = event.to_owned();
                let rest = rest.to_owned();
                self.read = rest;
                // A comment only keeps the connection alive.
                let Some(event) = event.strip_prefix("event: ") else { continue };
                let (name, data) = event.split_once("\ndata:").expect("every event has data");
                return Some((name.to_owned(), serde_json::from_str(data).unwrap_or_default()));
            }
            let chunk = self.response.chunk().await.expect("the stream does not break off")?;
            self.read += std::str::from_utf8(&chunk).expect("events are ASCII");
        }
    }

    /// Reads until `complete`, which must be the last event; returns the error code of the event
    /// before it.
    pub async fn ending(mut self) -> String {
        let mut last = Value::Null;
        loop {
            match self.next().await.expect("`complete` comes before the end") {
                (name, data) if name == "next" => last = data,
                (name, _) => {
                    assert_eq!((&*name, self.next().await), ("complete", None));
                    return last["errors"][0]["extensions"]["code"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned();
                }
            }
        }
    }
}
