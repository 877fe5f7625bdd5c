//! Refused logins and refused rights, each of which leaves something in the audit log.

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
/// How long `createClient` may take meanwhile.
const CREATED_WITHIN: Duration = Duration::from_secs(2);

/// Each login fails from an IPv6 network of its own, as a proxy tells.
pub async fn failed_logins(stage: &Stage) -> String {
    let http = reqwest::Client::builder().local_address(PROXY.parse().ok()).build().unwrap();
    let gateway = Gateway { http, ..stage.process.gateway().clone() };
    let fail = async |number: u32| {
        let from = format!("2001:db8:{:x}:{:x}::1", number >> 16, number & 0xffff);
        let client = &stage.attacker.credentials.client_id;
        let request = gateway.token_request(&[GRANT]).basic_auth(client, Some("a wrong secret"));
        request.header("x-forwarded-for", from).send().await.unwrap().status().to_string()
    };
    let over = AtomicBool::new(false);
    let flood = async {
        let statuses =
            stream::iter(0..LOGINS).map(fail).buffer_unordered(4).collect::<Vec<_>>().await;
        over.store(true, Ordering::Relaxed);
        counted(statuses)
    };
    let (statuses, slowest) = tokio::join!(flood, slowest_creation(&stage.partner, &over));
    assert!(slowest < CREATED_WITHIN, "createClient took {slowest:?}");
    format!("{statuses}; createClient took {} ms at most", slowest.as_millis())
}

/// The slowest `createClient` until the flood is over, and of one behind it.
async fn slowest_creation(partner: &Caller, over: &AtomicBool) -> Duration {
    let mut slowest = Duration::ZERO;
    loop {
        let last = over.load(Ordering::Relaxed);
        let began = Instant::now();
        let made = partner.create("made during the flood", &[]).await;
        slowest = slowest.max(began.elapsed());
        notes::note(&made.secret);
        if last {
            return slowest;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Asks 8 times at once for what the token does not reach in 101 tenants.
pub async fn narrowed_token(stage: &Stage) -> String {
    let narrow = narrowed(&stage.attacker, &[("scope", "clients:read")]).await;
    let document = "{ tenants(tenantsQuery: { count: 101 }) { tenants { upstreamLinks { id } } } }";
    let asked = join_all((0..8).map(|_| narrow.ask(document, json!({})))).await;
    let codes =
        asked.iter().map(|answer| answer.body["errors"][0]["extensions"]["code"].to_string());
    let outcome = counted(codes);
    // One record a query: with one a tenant the newest eight would tell of eight refusals.
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
