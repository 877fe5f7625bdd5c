//! Failed authentications and forbidden operations, each of which is recorded in the audit log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::bodies::counted;
use super::stage::{PROXY, Stage};
use crate::oauth::asking::{GRANT, narrowed};
use crate::support::caller::Gateway;
use crate::support::{Caller, eventually, notes};

const LOGINS: u32 = 20_000;
/// The number of measurements of `createClient` alone.
const ALONE: usize = 20;
/// The lower bound for the slowest `createClient` alone: it waits for the disk.
const FLOOR: Duration = Duration::from_millis(50);

/// Each failure comes from a different IPv6 network, as forwarded by a proxy.
pub async fn failed_logins(stage: &Stage) -> String {
    let http = reqwest::Client::builder().local_address(PROXY.parse().ok()).build().unwrap();
    let gateway = Gateway { http, ..stage.process.gateway().clone() };
    let fail = async |number: u32| {
        let from = format!("2001:db8:{:x}:{:x}::1", number >> 16, number & 0xffff);
        let client = &stage.attacker.credentials.client_id;
        let request = gateway.token_request(&[GRANT]).basic_auth(client, Some("a wrong secret"));
        request.header("x-forwarded-for", from).send().await.unwrap().status().to_string()
    };
    let mut alone = Duration::ZERO;
    for _ in 0..ALONE {
        alone = alone.max(creation(&stage.partner).await);
    }
    let over = AtomicBool::new(false);
    let flood = async {
        let statuses =
            stream::iter(0..LOGINS).map(fail).buffer_unordered(4).collect::<Vec<_>>().await;
        over.store(true, Ordering::Relaxed);
        counted(statuses)
    };
    let (statuses, slowest) = tokio::join!(flood, slowest_creation(&stage.partner, &over));
    assert!(slowest <= 2 * alone.max(FLOOR), "createClient took {slowest:?}, and {alone:?} alone");
    let slowest = slowest.as_millis();
    let alone = alone.as_millis();
    format!("{statuses}; the slowest createClient {alone} ms alone, {slowest} ms beside it")
}

/// The slowest `createClient` during the flood and right after it.
async fn slowest_creation(partner: &Caller, over: &AtomicBool) -> Duration {
    let mut slowest = Duration::ZERO;
    loop {
        let last = over.load(Ordering::Relaxed);
        slowest = slowest.max(creation(partner).await);
        if last {
            return slowest;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Measures the creation of a client.
async fn creation(partner: &Caller) -> Duration {
    let began = Instant::now();
    let made = partner.create("made beside a flood", &[]).await;
    notes::note(&made.secret);
    began.elapsed()
}

/// Sends 8 concurrent queries for tenants that the token does not reach, 101 each.
pub async fn narrowed_token(stage: &Stage) -> String {
    let narrow = narrowed(&stage.attacker, &[("scope", "clients:read")]).await;
    let document = "{ tenants(tenantsQuery: { count: 101 }) { tenants { upstreamLinks { id } } } }";
    let asked = join_all((0..8).map(|_| narrow.ask(document, json!({})))).await;
    let codes =
        asked.iter().map(|answer| answer.body["errors"][0]["extensions"]["code"].to_string());
    let outcome = counted(codes);
    // One record per query: with one per tenant the newest eight would show eight refusals.
    eventually(20, "the records of the refusals", async || {
        let newest =
            "{ auditLog(operation: \"tenants\", outcome: REFUSED, first: 8) { nodes { count } } }";
        let nodes = stage
            .partner
            .within(&stage.attacker_tenant)
            .ask(newest, json!({}))
            .await
            .field("auditLog")["nodes"]
            .clone();
        let counts = nodes.as_array()?.iter().filter_map(|node| node["count"].as_u64());
        (counts.sum::<u64>() >= 8 * 101).then_some(())
    })
    .await;
    format!("{outcome}; one record each")
}
