//! Nothing that a collector receives is a secret, or text of callers and legacy systems.

use serde_json::json;

use super::Traced;
use crate::support::{Credentials, notes};

/// Text that stands in requests and must not be in traces.
const LITERAL: &str = "a-literal-in-a-document";
const VARIABLE: &str = "a-value-of-a-variable";
const QUERY: &str = "a-value-in-a-query-string";
const PATH: &str = "a-segment-of-a-path";
const HEADER: &str = "a-value-of-a-header";

#[tokio::test]
async fn collector_receives_no_secret_variable_literal_path_or_query() {
    let token = "a-token-for-the-collector";
    notes::note(token);
    let headers = format!("authorization=Bearer%20{token}");
    let traced = Traced::with(&[("OTEL_EXPORTER_OTLP_HEADERS", &headers)]).await;
    let administrator = &traced.administrator;
    let create = format!(
        "mutation Make($name: String!) {{ one: createClient(name: $name) {{ client {{ id clientID \
         }} clientSecret }} two: createClient(name: \"{LITERAL}\") {{ client {{ id }} }} }}"
    );
    let made = administrator.ask(&create, json!({ "name": VARIABLE })).await.field("one");
    let credentials = Credentials::of(&made);
    let client = traced.process.gateway().log_in(credentials.clone()).await;
    client.ask("query Mine { currentSubject { id } }", json!({})).await.data();
    let (server, upstream) = traced.integration_server().await;
    traced.ask_tenants(&upstream, "Fleet").await;
    let gateway = traced.process.gateway();
    for url in [
        format!("{}/invite/{PATH}?x={QUERY}", gateway.url),
        format!("{}/graphql?query={{{QUERY}}}", gateway.url),
        format!("{}/{PATH}", gateway.url),
    ] {
        let request = gateway.http.get(url).header("x-request-id", HEADER);
        let request = request.header("user-agent", HEADER).header("cookie", HEADER);
        request.bearer_auth(&administrator.token).send().await.unwrap();
    }
    traced.collector.named("query Fleet").await;
    traced.collector.named("GET /invite/{}").await;
    let tenant = made["client"]["id"].as_str().unwrap().to_owned();
    traced.process.terminate();
    let mut process = traced.process;
    assert_eq!(process.ended().await, Some(0));

    let bytes = String::from_utf8_lossy(&traced.collector.bytes()).into_owned();
    assert!(bytes.contains("mutation Make"), "the spans are in the bytes");
    for secret in [
        &credentials.secret,
        &credentials.client_id,
        &credentials.basic(),
        &administrator.token,
        &client.token,
        &administrator.credentials.secret,
        &server.password(),
        &tenant,
        token,
        LITERAL,
        VARIABLE,
        QUERY,
        PATH,
        HEADER,
        "currentSubject",
        "North",
    ] {
        assert!(!bytes.contains(secret), "{secret} is in the traces");
    }
    let header = traced.collector.headers()["authorization"].to_str().unwrap().to_owned();
    assert_eq!(header, format!("Bearer {token}"));
    let log = std::fs::read_to_string(&process.log).unwrap();
    assert!(!log.contains(token), "the header is in the log");
}
