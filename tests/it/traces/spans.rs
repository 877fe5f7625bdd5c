//! The spans that are recorded, and their parents.

use serde_json::json;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;

use super::Traced;
use crate::support::collector::{Collector, Mood, Span};
use crate::support::{Engine, OnEngine, both_databases};

impl OnEngine for Traced {
    async fn on(engine: Engine) -> Self {
        Self::to(Collector::start(Mood::Accept).await, engine, &[]).await
    }
}

const SERVER: i32 = 2;
const CLIENT: i32 = 3;

both_databases! {
    async fn request_operation_and_write_are_parent_and_child(traced: Traced) {
        let create =
            "mutation Make($name: String!) { createClient(name: $name) { client { id } } }";
        traced.administrator.ask(create, json!({ "name": "traced" })).await.data();
        let operation = traced.collector.named("mutation Make").await;
        let request = traced.collector.span("the request", |one| one.id == operation.parent).await;
        let write = traced
            .collector
            .span("the write", |one| one.name == "database write" && one.is_child_of(&operation))
            .await;
        assert!(operation.is_child_of(&request) && request.parent.is_empty());
        assert_eq!((request.name.as_str(), request.kind), ("POST /graphql", SERVER));
        assert_eq!(request.get("http.response.status_code"), "200");
        assert_eq!(request.get("http.route"), "/graphql");
        assert_eq!(request.get("http.request.method"), "POST");
        assert_eq!(operation.get("graphql.operation.type"), "mutation");
        assert_eq!(operation.get("graphql.operation.name"), "Make");
        assert_eq!(operation.get("tenant_gateway.upstream_calls"), "0");
        assert_eq!(operation.get("tenant_gateway.document.hash").len(), 64);
        assert!(!operation.get("tenant_gateway.cost.fields").is_empty());
        let system = if traced.deployment.database.url.is_some() { "postgresql" } else { "sqlite" };
        assert_eq!((write.get("db.system.name"), write.kind), (system, CLIENT));
        assert_eq!(write.get("tenant_gateway.attempts"), "1");
        assert!(![&request, &operation, &write].iter().any(|span| span.is_error));
        assert_eq!(request.resource["service.name"], "tenant-gateway");
        assert_eq!(request.resource["service.version"], env!("CARGO_PKG_VERSION"));
        assert!(request.resource.contains_key("service.instance.id"));
    }
}

#[tokio::test]
async fn upstream_call_is_a_child_of_its_operation_and_names_no_id() {
    let traced = Traced::with(&[("TENANT_GATEWAY__UPSTREAM__RETRIES", "1")]).await;
    let (server, upstream) = traced.integration_server().await;
    server.order(Calls::to("GET", "/tenants"), Fault::Status { status: 503, retry_after: None }, 1);
    traced.ask_tenants(&upstream, "Fleet").await;
    let operation = traced.collector.named("query Fleet").await;
    let mut calls = Vec::new();
    for resends in ["", "1"] {
        let fits = |one: &Span| {
            one.is_child_of(&operation) && one.get("http.request.resend_count") == resends
        };
        calls.push(traced.collector.span("a call", fits).await);
    }
    let [failed, repeated] = &calls[..] else { panic!("two attempts") };
    let template = "/api/2.0/virtualization/tenants";
    assert_eq!((failed.name.as_str(), failed.kind), (&*format!("GET {template}"), CLIENT));
    assert_eq!(failed.get("url.template"), template);
    assert_eq!(failed.get("server.address"), "127.0.0.1");
    assert_eq!(failed.get("server.port"), server.base_url.rsplit(':').next().unwrap());
    assert_eq!(failed.get("tenant_gateway.system"), "INTEGRATION_SERVER");
    assert_eq!((failed.get("http.response.status_code"), failed.is_error), ("503", true));
    assert_eq!((repeated.get("http.response.status_code"), repeated.is_error), ("200", false));
    assert_eq!(operation.get("tenant_gateway.upstream_calls"), "2");
}

#[tokio::test]
async fn refused_operation_and_unnamed_one_are_told_apart_from_failed_ones() {
    let traced = Traced::with(&[]).await;
    let refused = traced.administrator.ask("{ nothing }", json!({})).await;
    assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED");
    let is_refused =
        |one: &Span| one.get("tenant_gateway.error.codes") == "GRAPHQL_VALIDATION_FAILED";
    let request = traced.collector.span("the refused request", is_refused).await;
    assert_eq!((request.name.as_str(), request.is_error), ("POST /graphql", false));
    traced.ask("{ currentSubject { id } }", &[]).await;
    let is_unnamed = |one: &Span| one.name.starts_with("query sha256:");
    let unnamed = traced.collector.span("the unnamed operation", is_unnamed).await;
    assert!(unnamed.get("tenant_gateway.document.hash").starts_with(&unnamed.name[13..]));
    assert_eq!(unnamed.get("graphql.operation.name"), "");
}

#[tokio::test]
async fn oauth_endpoints_are_traced_and_probes_are_not() {
    let traced = Traced::with(&[]).await;
    let issued = traced.collector.named("POST /oauth2/token").await;
    assert_eq!((issued.get("http.response.status_code"), issued.get("error.type")), ("200", ""));
    let form = [("grant_type", "password"), ("client_id", "x"), ("client_secret", "y")];
    let gateway = traced.process.gateway();
    assert_eq!(gateway.send(gateway.token_request(&form)).await.status, 401);
    let is_refused = |one: &Span| one.get("error.type") == "invalid_client";
    let refused = traced.collector.span("the refused request", is_refused).await;
    assert_eq!((refused.name.as_str(), refused.is_error), ("POST /oauth2/token", false));
    assert_eq!(refused.get("http.response.status_code"), "401");
    // The test has asked for readiness before.
    assert!(!traced.collector.spans().iter().any(|span| span.name.contains("health")));
}

#[tokio::test]
async fn poll_of_a_task_is_a_trace_of_its_own_with_its_calls_and_writes() {
    let traced = Traced::with(&[]).await;
    let (_server, upstream) = traced.integration_server().await;
    let create = "mutation Begin($input: CreateIntegrationServerTenantInput!) { \
        createIntegrationServerTenant(input: $input) { id } }";
    let customer = "mutation { createTenant(newTenant: { name: \"Customer\" }) { id } }";
    let link = traced.ask(customer, &[]).await["createTenant"]["id"].clone();
    let input = json!({
        "upstreamID": upstream, "name": "Customer", "type": "SIMPLE", "linkTenantID": link,
    });
    traced.administrator.ask(create, json!({ "input": input })).await.data();
    let operation = traced.collector.named("mutation Begin").await;
    let poll = traced.collector.named("poll task").await;
    assert!(poll.parent.is_empty() && poll.trace != operation.trace);
    assert!(!poll.get("tenant_gateway.task.id").is_empty());
    for name in ["GET /api/2.0/virtualization/tasks/{}", "database write"] {
        let polls = || traced.collector.spans().into_iter().filter(|one| one.name == "poll task");
        let fits = |one: &Span| one.name == name && polls().any(|poll| one.is_child_of(&poll));
        traced.collector.span(name, fits).await;
    }
    // Writes without a span around them are not recorded: an idle node makes some each second.
    let writes = traced.collector.spans().into_iter().filter(|one| one.name == "database write");
    assert!(writes.into_iter().all(|write| !write.parent.is_empty()));
}

#[tokio::test]
async fn ids_of_tenant_and_client_are_recorded_only_where_the_operator_opted_in() {
    const CREATE: &str = "mutation Make { createClient(name: \"x\") { client { id } } }";
    let tenant = |span: &Span| {
        let both = ["tenant_gateway.tenant.id", "tenant_gateway.client.id"];
        both.map(|name| span.attributes.contains_key(name))
    };
    let silent = Traced::with(&[]).await;
    silent.ask(CREATE, &[]).await;
    assert_eq!(tenant(&silent.collector.named("mutation Make").await), [false; 2]);
    let open = Traced::with(&[("TENANT_GATEWAY__TRACES__BY_TENANT", "true")]).await;
    open.ask(CREATE, &[]).await;
    assert_eq!(tenant(&open.collector.named("mutation Make").await), [true; 2]);
}
