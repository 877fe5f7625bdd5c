//! W3C Trace Context: from callers, and to legacy systems.

use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::integration_server::Simulator;

use super::Traced;
use crate::support::collector::Span;
use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, eventually};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const QUERY: &str = "query Mine { currentSubject { id } }";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

/// The header that the system received with the last call.
fn sent_traceparent(server: &Simulator) -> String {
    let calls = server.seen(&Calls::to("GET", "/tenants"));
    let header = calls.last().expect("a call").header("traceparent");
    header.expect("a trace context").to_owned()
}

#[tokio::test]
async fn span_of_the_caller_is_the_parent_of_the_request() {
    let traced = Traced::with(&[]).await;
    let state = "vendor=opaque,other=1";
    let headers = [("traceparent", &*traceparent("01")), ("tracestate", state)];
    traced.ask(QUERY, &headers).await;
    let is_request = |one: &Span| one.trace == TRACE && one.parent == CALLER;
    let request = traced.collector.span("the request", is_request).await;
    assert_eq!((request.name.as_str(), request.state.as_str()), ("POST /graphql", state));
    let operation = traced.collector.named("query Mine").await;
    assert!(operation.is_child_of(&request));
}

#[tokio::test]
async fn malformed_trace_context_is_ignored_and_begins_a_trace() {
    let traced = Traced::with(&[]).await;
    let long = format!("vendor={}", "x".repeat(600));
    let given = traceparent("01");
    for (number, headers) in [
        vec![("traceparent", "nonsense")],
        vec![("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")],
        vec![("traceparent", &*given), ("traceparent", &*given)],
        vec![("tracestate", "vendor=opaque")],
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("Numbered{number}");
        traced.ask(&QUERY.replace("Mine", &name), &headers).await;
        let operation = traced.collector.named(&format!("query {name}")).await;
        let is_parent = |one: &Span| one.id == operation.parent;
        let request = traced.collector.span("the request", is_parent).await;
        assert!(request.parent.is_empty() && request.trace != TRACE, "{headers:?}");
        assert_eq!(request.state, "");
    }
    // A state that is too long or malformed is dropped, and the parent counts.
    for (name, state) in [("Long", &*long), ("Malformed", "no list")] {
        let headers = [("traceparent", &*given), ("tracestate", state)];
        traced.ask(&QUERY.replace("Mine", name), &headers).await;
        let operation = traced.collector.named(&format!("query {name}")).await;
        assert_eq!((operation.trace.as_str(), operation.state.as_str()), (TRACE, ""));
    }
}

#[tokio::test]
async fn legacy_system_receives_the_ids_of_the_span_of_its_call() {
    let traced = Traced::with(&[("RUST_LOG", "info,tenant_gateway=debug")]).await;
    let (server, upstream) = traced.integration_server().await;
    traced.ask_tenants(&upstream, "Fleet").await;
    let operation = traced.collector.named("query Fleet").await;
    let call = traced.collector.span("the call", |one| one.is_child_of(&operation)).await;
    let expected = format!("00-{}-{}-01", call.trace, call.id);
    assert_eq!(sent_traceparent(&server), expected);
    let is_line = |line: &&serde_json::Value| line["message"] == "upstream call completed";
    let line = eventually(10, "a line about the call", async || {
        traced.process.records().iter().rfind(is_line).cloned()
    })
    .await;
    assert_eq!(line["span"]["trace_id"], *call.trace, "one id for log and trace");
}

#[tokio::test]
async fn sampled_flag_follows_the_sampler() {
    for (sampler, given, expected, is_recorded) in [
        ("parentbased_always_on", Some("00"), "00", false),
        ("parentbased_always_on", Some("01"), "01", true),
        ("always_on", Some("00"), "01", true),
        ("parentbased_always_off", None, "00", false),
        ("always_off", Some("01"), "00", false),
    ] {
        let traced = Traced::with(&[("OTEL_TRACES_SAMPLER", sampler)]).await;
        let (server, upstream) = traced.integration_server().await;
        let document = "query Fleet($id: ID!) { integrationServer { tenants(upstreamID: $id) { \
            nodes { id } } } }";
        let variables = serde_json::json!({ "id": upstream });
        let mut request = traced.administrator.request(document, &variables);
        if let Some(flags) = given {
            request = request.header("traceparent", traceparent(flags));
        }
        traced.administrator.gateway.send(request).await.data();
        let sent = sent_traceparent(&server);
        assert!(sent.ends_with(&format!("-{expected}")), "{sampler} {given:?}: {sent}");
        assert_eq!(sent[3..].starts_with(TRACE), given.is_some(), "{sent}");
        // The process exports what it has when it stops.
        traced.process.terminate();
        let mut process = traced.process;
        assert_eq!(process.ended().await, Some(0));
        let spans = traced.collector.spans();
        assert_eq!(spans.iter().any(|one| one.name == "query Fleet"), is_recorded, "{sampler}");
    }
}

#[tokio::test]
async fn context_of_the_caller_is_passed_on_where_no_traces_are_recorded() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let credentials = deployment.init();
    let process = deployment.serve_with(super::SETTINGS).await;
    let administrator = process.log_in(credentials).await;
    let traced = Traced {
        collector: super::Collector::start(super::Mood::Accept).await,
        deployment,
        process,
        administrator,
    };
    let (server, upstream) = traced.integration_server().await;
    traced.ask_tenants(&upstream, "Fleet").await;
    assert!(sent_traceparent(&server).ends_with("-00"), "nothing records it");
    assert_eq!(traced.collector.requests(), 0);
}
