//! The variables that decide about traces, and the log that stays as it is.

use std::fs;

use serde_json::{Value, json};

use super::Traced;
use crate::support::collector::{Collector, Mood};
use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, eventually, notes};

const QUERY: &str = "query Mine { currentSubject { id } }";

/// The output of a command with these variables.
fn output(
    deployment: &Deployment,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (bool, String) {
    let mut command = deployment.command(arguments);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn nothing_is_sent_unless_the_variables_ask_for_it() {
    for variables in [
        &[("OTEL_SDK_DISABLED", "true")][..],
        &[("OTEL_TRACES_EXPORTER", "none")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
    ] {
        let traced = Traced::with(variables).await;
        traced.ask(QUERY, &[]).await;
        traced.process.terminate();
        let mut process = traced.process;
        assert_eq!(process.ended().await, Some(0));
        assert_eq!(traced.collector.requests(), 0, "{variables:?}");
        let lines = process.records();
        assert!(!lines.iter().any(|line| line["message"] == "traces are exported"));
    }
}

#[tokio::test]
async fn spans_are_compressed_where_the_operator_asks_for_it() {
    for (compression, expected) in [("gzip", Some("gzip")), ("none", None)] {
        let traced = Traced::with(&[("OTEL_EXPORTER_OTLP_COMPRESSION", compression)]).await;
        traced.ask(QUERY, &[]).await;
        traced.collector.named("query Mine").await;
        let headers = traced.collector.headers();
        let coding = headers.get("content-encoding").map(|coding| coding.to_str().unwrap());
        assert_eq!(coding, expected);
    }
}

#[tokio::test]
async fn traces_do_not_depend_on_the_log_filter() {
    let collector = Collector::start(Mood::Accept).await;
    let deployment = Deployment::on(Engine::Sqlite).await;
    let credentials = deployment.init();
    let file = deployment.database.folder.path().join("gateway.toml");
    fs::write(&file, "[log]\nfilter = \"info\"\n").unwrap();
    let path = file.to_str().unwrap();
    let own = [("TENANT_GATEWAY_CONFIG", path), ("RUST_LOG", "")];
    let all = [super::SETTINGS, &collector.variables(), &own].concat();
    let process = deployment.serve_with(&all).await;
    let administrator = process.log_in(credentials).await;
    let traced = Traced { collector, deployment, process, administrator };
    let lines = || {
        let records = traced.process.records().into_iter();
        records.filter(|line| line["span"]["path"] == "/graphql").collect::<Vec<Value>>()
    };
    traced.ask(QUERY, &[]).await;
    let before = eventually(10, "a line of the request", async || lines().pop()).await;
    assert_eq!(before["message"], "request completed");
    assert_eq!(before["span"]["name"], "request", "no span of a trace is in the log: {before}");
    let span = before["span"].as_object().unwrap();
    assert!(!span.keys().any(|key| key.contains('.')), "{before}");

    fs::write(&file, "[log]\nfilter = \"error\"\n").unwrap();
    let records = traced.process.records();
    let admin = records.iter().find_map(|line| line["admin"].as_str()).unwrap();
    let reload = ["reload", "--address", admin];
    assert!(output(&traced.deployment, &reload, &[("TENANT_GATEWAY_CONFIG", path)]).0);
    traced.ask(&QUERY.replace("Mine", "Silent"), &[]).await;
    let operation = traced.collector.named("query Silent").await;
    assert!(!operation.parent.is_empty());
    assert_eq!(lines().len(), 1, "the filter was reloaded");
}

#[tokio::test]
async fn commands_name_the_collector_and_hide_the_values_of_headers() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let token = "a-token-that-no-output-may-have";
    notes::note(token);
    let headers = format!("Authorization=Bearer%20{token}");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", &*headers),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
    ];
    let endpoint = "http://127.0.0.1:4318/v1/traces";
    for arguments in [&["config", "check"][..], &["doctor"], &["doctor", "--output", "json"]] {
        let (succeeded, text) = output(&deployment, arguments, &variables);
        assert!(succeeded, "{text}");
        for named in [endpoint, "authorization", "traceidratio 0.5"] {
            assert!(text.contains(named), "{named} is missing: {text}");
        }
        assert!(!text.contains(token), "{text}");
    }
    let (_, text) = output(&deployment, &["config", "check", "--output", "json"], &variables);
    let told: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({
        "endpoint": endpoint, "sampler": "traceidratio 0.5", "headers": ["authorization"],
    });
    assert_eq!(told["traces"], expected);
    let (_, shown) = output(&deployment, &["config", "show"], &variables);
    assert!(!shown.contains(token), "{shown}");
}

#[tokio::test]
async fn invalid_variables_are_reported_together_and_nothing_starts() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("TENANT_GATEWAY__LOG__FORMAT", "yaml"),
    ];
    for command in [&["config", "check"][..], &["serve"]] {
        let (succeeded, text) = output(&deployment, command, &variables);
        assert!(!succeeded);
        let protocol = "OTEL_EXPORTER_OTLP_PROTOCOL: traces: must be http/protobuf";
        for told in [protocol, "OTEL_TRACES_SAMPLER: traces: must be", "log.format"] {
            assert!(text.contains(told), "{told} is missing: {text}");
        }
    }
}
