//! Outbound calls to a server on loopback.

mod calls;
mod connections;
mod faults;
mod limits;
mod scripted_server;
mod tls;
mod walls;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;

use self::scripted_server::ScriptedServer;
use super::*;
use crate::clock::{Clock as _, SystemClock};
use crate::entropy::SystemEntropy;
use crate::ids::{TenantId, UpstreamId};

const OPEN: AddressPolicy = AddressPolicy { allow_private: true };
const ALLOWANCE: Allowance = Allowance {
    calls_per_tenant: 100,
    calls: 2000,
    concurrent_tenants: 8,
    tenant_deadline: Duration::from_secs(10),
};

fn settings() -> Settings {
    Settings { addresses: OPEN, timeout: Duration::from_secs(5), ..Settings::default() }
}

fn outbound() -> Outbound {
    outbound_by(settings())
}

fn outbound_by(settings: Settings) -> Outbound {
    let answers = crate::budget::Pool::new("upstream_answers", 64 * 1024 * 1024);
    let metrics = Arc::new(crate::metrics::Metrics::new(false, SystemClock.now()));
    Outbound::new(settings, answers, Arc::new(SystemClock), Arc::new(SystemEntropy), metrics)
}

/// An operation with this time limit.
fn operation_of(time: Duration) -> Operation {
    Operation::new("r-1".to_owned(), None, ALLOWANCE, Instant::now() + time)
}

fn operation() -> Operation {
    operation_of(Duration::from_secs(20))
}

fn tenant(number: u128) -> TenantId {
    TenantId(Uuid::from_u128(number))
}

fn endpoint(base_url: &str) -> Endpoint {
    let upstream = UpstreamId(Uuid::from_u128(7));
    let base_url = BaseUrl::parse("baseURL", base_url, OPEN).unwrap();
    Endpoint {
        upstream,
        owner: tenant(1),
        system: "TEST",
        revision: 1,
        base_url,
        ca_certificate: None,
    }
}

fn route(server: &ScriptedServer) -> UpstreamRoute {
    route_to(endpoint(&server.url()))
}

fn route_to(endpoint: Endpoint) -> UpstreamRoute {
    UpstreamRoute {
        tenant: tenant(1),
        endpoint: Arc::new(endpoint),
        identity: Identity::new("own"),
    }
}

fn read(path: &'static str) -> Call {
    Call {
        method: "GET",
        path: vec![Cow::Borrowed(path)],
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        kind: Kind::Read,
        answer_limit: 1024 * 1024,
        cache_ttl: None,
    }
}

fn write(path: &'static str) -> Call {
    Call { method: "POST", body: Some(Bytes::from_static(b"{}")), kind: Kind::Write, ..read(path) }
}

/// Waits until a condition holds.
async fn until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !what() {
        assert!(Instant::now() < deadline, "the condition was never met");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
