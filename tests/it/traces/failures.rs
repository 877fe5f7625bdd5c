//! A collector that hangs, refuses or is gone never disturbs the gateway.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use super::Traced;
use crate::support::collector::{Collector, Mood};
use crate::support::{Engine, eventually};

const QUERY: &str = "query Mine { currentSubject { id } }";

/// The warnings about the export.
fn warnings(traced: &Traced) -> Vec<serde_json::Value> {
    let records = traced.process.records().into_iter();
    let is_warning = |line: &serde_json::Value| {
        line["message"] == "spans could not be exported to the collector"
    };
    records.filter(is_warning).collect()
}

#[tokio::test]
async fn hanging_collector_slows_no_request_and_spans_beyond_the_queue_are_counted() {
    let collector = Collector::start(Mood::Hang).await;
    let variables = [("OTEL_BSP_MAX_QUEUE_SIZE", "8"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")];
    let traced = Traced::to(collector, Engine::Sqlite, &variables).await;
    for _ in 0..20 {
        // Far below the ten seconds after which the export gives up.
        let asked = timeout(Duration::from_secs(5), traced.ask(QUERY, &[]));
        asked.await.expect("no request waits for the collector");
    }
    eventually(10, "a request to the collector", async || {
        (traced.collector.requests() > 0).then_some(())
    })
    .await;
    let dropped = traced.spans_by_outcome("dropped").await;
    assert!(dropped >= 32.0, "of 40 spans at least, 8 have a place: {dropped}");
    assert_eq!(traced.spans_by_outcome("exported").await, 0.0);

    let asked = Instant::now();
    traced.process.terminate();
    let mut process = traced.process;
    assert_eq!(process.ended().await, Some(0));
    assert!(asked.elapsed() < Duration::from_secs(9), "{:?}", asked.elapsed());
    let last = process.records();
    assert!(last.iter().any(|line| line["message"] == "the last spans were not exported"));
}

#[tokio::test]
async fn failed_exports_are_counted_and_logged_once_a_minute() {
    let collector = Collector::start(Mood::Refuse).await;
    let traced = Traced::to(collector, Engine::Sqlite, &[]).await;
    let failed = eventually(20, "several failed exports", async || {
        traced.ask(QUERY, &[]).await;
        (traced.collector.requests() >= 4).then_some(())
    });
    failed.await;
    assert!(traced.spans_by_outcome("failed").await >= 4.0);
    let lines = eventually(10, "a warning", async || {
        let lines = warnings(&traced);
        (!lines.is_empty()).then_some(lines)
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["level"], "WARN");
    assert!(lines[0]["cause"].to_string().contains("403"), "{lines:?}");
    // The exporter goes on by itself.
    traced.collector.set_mood(Mood::Accept);
    traced.ask(&QUERY.replace("Mine", "Later"), &[]).await;
    traced.collector.named("query Later").await;
    assert!(traced.spans_by_outcome("exported").await >= 1.0);
}

#[tokio::test]
async fn collector_that_is_gone_is_named_with_the_cause() {
    // Bound, so that no other process listens there, and refusing since nothing listens.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gone = format!("http://{}", socket.local_addr().unwrap());
    let traced = Traced::with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &gone)]).await;
    traced.ask(QUERY, &[]).await;
    let line = eventually(20, "a warning", async || warnings(&traced).into_iter().next()).await;
    assert!(line["cause"].to_string().contains("refused"), "{line}");
    let answer = traced.administrator.ask(QUERY, json!({})).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn clean_stop_exports_the_last_spans() {
    // Without the stop, nothing would be exported for ten minutes.
    let traced = Traced::with(&[("OTEL_BSP_SCHEDULE_DELAY", "600000")]).await;
    traced.ask(QUERY, &[]).await;
    traced.process.terminate();
    let mut process = traced.process;
    assert_eq!(process.ended().await, Some(0));
    assert!(traced.collector.spans().iter().any(|span| span.name == "query Mine"));
}
