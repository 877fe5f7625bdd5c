//! What happens to every request: it is noted, then it fails as ordered or is answered by the
//! console.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::response::Response;
use tokio::time::sleep;

use crate::answer::Answer;
use crate::clock::Clock;
use crate::corrupt::{self, BodyFormat};
use crate::delivery::deliver;
use crate::faults::{Delivery, Fault, Faults};
use crate::journal::Journal;
use crate::request::Request;
use crate::server::ConnectionHandle;

/// A stand-in behind a door.
pub(crate) trait Console: Send + 'static {
    /// The path below which it answers.
    const BASE: &'static str;

    /// What its answers are written in.
    const FORMAT: BodyFormat;

    /// The tenant that a request belongs to, by its credential where tenants have credentials;
    /// valid or not.
    fn tenant(&self, request: &Request) -> Option<String>;

    /// Carries a request out.
    fn answer(&mut self, request: &Request) -> Answer;
}

/// A console with its orders and its journal, each behind a lock of its own.
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

    /// Every path leads to the console.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(enter::<C>).with_state(self.clone())
    }
}

/// A test that failed while it held a lock shall not make others fail.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn enter<C: Console>(
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

/// A request under way; it is noted as ended however it ends, also if the peer hangs up.
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
            Some(fault) => {
                fault.answer(C::FORMAT).unwrap_or_else(|| self.host.console().answer(request))
            }
            None => self.host.console().answer(request),
        };
        // Afterwards, so that a caller who gives up has changed the state all the same.
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
            Some(fault) => deliver(corrupt::rewritten(answer, &fault), Delivery::Whole),
            None => deliver(answer, Delivery::Whole),
        }
    }
}

impl<C: Console> Drop for RequestGuard<'_, C> {
    fn drop(&mut self) {
        self.host.journal().leave(self.number, &self.tenant, self.status);
    }
}
