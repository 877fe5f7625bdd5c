//! The gateway with a test graph: subscriptions of any length, rate and size, slow fields, fields
//! that panic, and a clock that can be advanced. The tests in this folder talk to it.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use async_graphql::{Context, Object, Schema, Subscription};
use futures_util::Stream;
use futures_util::stream::unfold;
use tenant_gateway::app::{App, Core, Environment, Listeners};
use tenant_gateway::auth::graphql::request;
use tenant_gateway::clock::{Clock, MonotonicTime, SystemClock, Timestamp};
use tenant_gateway::config::Config;
use tenant_gateway::error::Result;
use tenant_gateway::graphql::{ExecutableSchema, Executor};
use tenant_gateway::names::Name;
use tenant_gateway::telemetry;
use tokio::signal::unix::{SignalKind, signal};

static DONE: AtomicI32 = AtomicI32::new(0);

static AHEAD: AtomicU64 = AtomicU64::new(0);

/// The machine's clock plus the time that tests have advanced it by.
struct AheadClock;

impl Clock for AheadClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus(Duration::from_secs(AHEAD.load(Ordering::SeqCst)))
    }

    fn monotonic(&self) -> MonotonicTime {
        SystemClock.monotonic().plus(Duration::from_secs(AHEAD.load(Ordering::SeqCst)))
    }
}

struct Query;

#[Object]
impl Query {
    /// The number of slow mutations that completed.
    async fn done(&self) -> i32 {
        DONE.load(Ordering::SeqCst)
    }

    async fn tenant(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(request(ctx)?.tenant().to_string())
    }

    async fn slow(&self, millis: u64) -> bool {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        true
    }

    async fn panics(&self) -> bool {
        let done = DONE.load(Ordering::SeqCst);
        assert!(done < 0, "on purpose");
        true
    }
}

struct Mutation;

#[Object]
impl Mutation {
    /// Advances the clock.
    async fn advance(&self, seconds: u64) -> bool {
        AHEAD.fetch_add(seconds, Ordering::SeqCst);
        true
    }

    async fn slow(&self, millis: u64) -> i32 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        DONE.fetch_add(1, Ordering::SeqCst) + 1
    }
}

struct Ticks;

#[Subscription]
impl Ticks {
    /// Counts from 1 to `to`, with a pause before and the given number of bytes in each event.
    async fn ticks(
        &self,
        to: i32,
        millis: u64,
        bytes: Option<usize>,
    ) -> impl Stream<Item = String> {
        let padding = "x".repeat(bytes.unwrap_or_default());
        unfold(1, move |at| {
            let padding = padding.clone();
            async move {
                if at > to {
                    return None;
                }
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Some((format!("{at}{padding}"), at + 1))
            }
        })
    }

    async fn panics(&self) -> impl Stream<Item = bool> {
        unfold((), |()| async {
            let done = DONE.load(Ordering::SeqCst);
            assert!(done < 0, "on purpose");
            None
        })
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let config = Config::load(None, std::env::vars(), vec![])?;
    telemetry::init(&config.log);
    let listeners = Listeners::bind(&config).await?;
    let environment = Environment { clock: Arc::new(AheadClock), ..Environment::default() };
    let core = Core::open(&config, environment).await?;
    let (tenant, made) =
        core.init(Name::parse("name", "Partner")?, Name::parse("name", "administrator")?).await?;
    let secret = made.secret.as_ref().map(|secret| secret.expose().to_owned());
    let first = serde_json::json!({
        "tenantID": tenant.id, "clientID": made.client.row.client_id, "clientSecret": secret,
    });
    writeln!(std::io::stdout(), "{first}")?;
    let graph: Arc<dyn Executor> =
        Arc::new(ExecutableSchema::new(Schema::build(Query, Mutation, Ticks)));
    let app = App::build_on(core, graph, &config, listeners.issuer(&config)).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    app.serve(&config, listeners, async move {
        terminate.recv().await;
    })
    .await?;
    Ok(())
}
