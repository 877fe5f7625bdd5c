//! Handles every request: records it, then fails as ordered or lets the console answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::response::Response;
use tokio::time::sleep;

use crate::answer::{Answer, BodyFormat};
use crate::clock::Clock;
use crate::corrupt;
use crate::delivery::{Delivery, deliver};
use crate::faults::{Fault, Faults};
use crate::journal::Journal;
use crate::request::Request;
use crate::server::ConnectionHandle;

/// A simulated console.
pub(crate) trait Console: Send + 'static {
    /// The path of its API.
    const BASE: &'static str;

    /// The format of its answers.
    const FORMAT: BodyFormat;

    /// The tenant of a request, by its credential where tenants have credentials, valid or not.
    fn tenant(&self, request: &Request) -> Option<String>;

    /// Answers a request.
    fn answer(&mut self, request: &Request) -> Answer;
}

/// A console with its fault orders and its journal, each behind its own lock.
pub(crate) struct SimulatorHost<C> {
    pub clock: Clock,
    console: Mutex<C>,
    faults: Mutex<Faults>,
    journal: Mutex<Journal>,
}

impl<C: Console> SimulatorHost<C> {
    pub fn new(console: C, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            console: Mutex::new(console),
            faults: Mutex::default(),
            journal: Mutex::default(),
        })
    }

    pub fn console(&self) -> MutexGuard<'_, C> {
        unpoisoned(&self.console)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        unpoisoned(&self.faults)
    }

    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        unpoisoned(&self.journal)
    }

    /// Routes every path to the console.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(handle::<C>).with_state(self.clone())
    }
}

/// Ignores poisoning: a test that panics while holding a lock must not fail other tests.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn handle<C: Console>(
    State(host): State<Arc<SimulatorHost<C>>>,
    ConnectInfo(connection): ConnectInfo<ConnectionHandle>,
    request: HttpRequest,
) -> Response {
    let Some(request) = Request::read(request, C::BASE).await else {
        return deliver(Answer::empty(400), Delivery::Whole);
    };
    let tenant = host.console().tenant(&request);
    let fault = host.faults().take(&request.method, &request.path, tenant.as_deref());
    let number = host.journal().enter(&request, tenant.clone(), host.clock.now());
    let guard = RequestGuard { host: &host, number, tenant, status: None };
    guard.respond(&request, fault, &connection).await
}

/// A request in progress. Dropping it records the end, also if the peer disconnects.
struct RequestGuard<'a, C: Console> {
    host: &'a SimulatorHost<C>,
    number: u64,
    tenant: Option<String>,
    status: Option<u16>,
}

impl<C: Console> RequestGuard<'_, C> {
    async fn respond(
        mut self,
        request: &Request,
        fault: Option<Fault>,
        connection: &ConnectionHandle,
    ) -> Response {
        let answer = match &fault {
            Some(Fault::Reset) => Answer::empty(500),
            Some(fault) => corrupt::replacement(fault, C::FORMAT)
                .unwrap_or_else(|| self.host.console().answer(request)),
            None => self.host.console().answer(request),
        };
        // After the call, so that a caller who gives up has still changed the state.
        if let Some(Fault::Delay { millis }) = fault {
            sleep(Duration::from_millis(millis)).await;
        }
        let lost = matches!(fault, Some(Fault::Reset | Fault::LoseAnswer));
        if lost {
            connection.reset();
        } else {
            self.status = Some(answer.status);
        }
        match fault {
            Some(Fault::HalfBody) => deliver(answer, Delivery::Half),
            Some(Fault::SlowDrip { bytes, pause_millis }) => deliver(
                answer,
                Delivery::Drip { bytes, pause: Duration::from_millis(pause_millis) },
            ),
            Some(fault) => deliver(corrupt::corrupted(answer, &fault), Delivery::Whole),
            None => deliver(answer, Delivery::Whole),
        }
    }
}

impl<C: Console> Drop for RequestGuard<'_, C> {
    fn drop(&mut self) {
        self.host.journal().leave(self.number, &self.tenant, self.status);
    }
}
