//! Legacy systems with large responses, and one that many customers share.

use std::time::Duration;

use futures_util::future::join_all;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tokio::time::Instant;

use super::bodies::{counted, outcome};
use super::stage::Stage;

pub async fn huge_answers(stage: &Stage) -> String {
    let own = &stage.managers.own;
    own.order_always(
        Calls::to("POST", "/computers/search"),
        Fault::Huge { bytes: 30 * 1024 * 1024 },
    );
    let list = |first: usize| {
        format!("{{ deepSecurity {{ computers(first: {first}) {{ nodes {{ id }} }} }} }}")
    };
    // The response has 480 computers, fewer than requested, so that it counts as the last page.
    let documents: Vec<_> = (481..=544).map(list).collect();
    let asked = join_all(documents.iter().map(|document| outcome(&stage.owner, document))).await;
    own.clear_orders();
    counted(asked)
}

/// Sequential, since concurrent reads share one call.
pub async fn shared_credential(stage: &Stage) -> String {
    let cheap = "{ deepSecurity { tenant { id } } }";
    let mut reads = 0;
    while reads < 480 && outcome(&stage.attacker, cheap).await == "200" {
        reads += 1;
    }
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(outcome(&stage.neighbour, cheap).await, "200");
    }
    let took = began.elapsed();
    assert!(reads < 480 && took < Duration::from_secs(5), "{reads} reads, then {took:?}");
    format!("{reads} reads, then five of the neighbour in {} ms", took.as_millis())
}
