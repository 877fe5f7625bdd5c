use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Option<TraceExport>, Vec<(String, String)>> {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    TraceExport::read(&variables.collect())
}

fn on(variables: &[(&str, &str)]) -> TraceExport {
    read(variables).unwrap().expect("traces are on")
}

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

#[test]
fn traces_are_off_without_an_endpoint_and_when_disabled() {
    for off in [
        &[][..],
        &[("OTEL_SERVICE_NAME", "gateway"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
        &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
        &[ENDPOINT, ("OTEL_SDK_DISABLED", "True")],
        &[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_SDK_DISABLED", "true")],
    ] {
        assert!(read(off).unwrap().is_none(), "{off:?}");
    }
}

#[test]
fn endpoint_for_traces_counts_as_it_is_and_the_general_one_as_a_base() {
    for (variables, endpoint) in [
        (&[ENDPOINT][..], "http://collector:4318/v1/traces"),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/base/")], "https://c/base/v1/traces"),
        (&[ENDPOINT, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/x")], "https://t/x"),
        (&[("OTEL_TRACES_EXPORTER", "otlp")], "http://localhost:4318/v1/traces"),
    ] {
        assert_eq!(on(variables).endpoint.as_str(), endpoint);
    }
}

#[test]
fn defaults_are_those_of_the_specification() {
    let export = on(&[ENDPOINT]);
    let TraceExport { timeout, queue, batch, delay, compress, .. } = export;
    assert_eq!((timeout, delay), (Duration::from_secs(10), Duration::from_secs(5)));
    assert_eq!((queue, batch, compress), (2_048, 512, false));
    assert_eq!(export.sampler.to_string(), "parentbased_always_on");
    assert!(export.headers.is_empty() && export.resource.is_empty());
}

#[test]
fn variables_for_traces_override_those_for_all_signals() {
    let export = on(&[
        ENDPOINT,
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "700"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test%20one, service.name=other"),
        ("OTEL_SERVICE_NAME", "gateway"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
    ]);
    assert_eq!((export.timeout, export.compress), (Duration::from_millis(700), true));
    assert_eq!(export.sampler.to_string(), "parentbased_traceidratio 0.25");
    assert_eq!((export.queue, export.batch), (100, 100));
    let resource = export.resource.iter().map(|(key, value)| format!("{key}={value}"));
    assert_eq!(
        resource.collect::<Vec<_>>(),
        ["deployment.environment=test one", "service.name=other", "service.name=gateway"]
    );
}

#[test]
fn every_invalid_variable_is_reported_and_no_secret_repeated() {
    let secret = "a-token-that-no-message-may-have";
    let endpoint = format!("http://user:{secret}@collector:4318");
    let headers = format!("authorization={secret}\u{7}");
    let problems = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector"),
        ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_RESOURCE_ATTRIBUTES", "no list"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "11"),
    ])
    .unwrap_err();
    assert_eq!(problems.len(), 11, "{problems:#?}");
    assert!(!format!("{problems:?}").contains(secret), "{problems:#?}");
    let ratio =
        [ENDPOINT, ("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "1.5")];
    assert_eq!(read(&ratio).unwrap_err()[0].0, "OTEL_TRACES_SAMPLER_ARG");
    let exporter = [ENDPOINT, ("OTEL_TRACES_EXPORTER", "zipkin")];
    assert_eq!(read(&exporter).unwrap_err()[0].0, "OTEL_TRACES_EXPORTER");
}

#[test]
fn headers_are_named_and_their_values_hidden() {
    let secret = "Bearer%20a-token-that-no-output-may-have";
    let headers = format!("Authorization={secret},x-scope = main");
    let export = on(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", &headers)]);
    let shown = format!("{export} {export:?}");
    assert!(shown.contains("headers authorization, x-scope"), "{shown}");
    assert!(!shown.contains("a-token"), "{shown}");
    let values: Vec<_> = export.headers.iter().map(|(_, value)| value.expose()).collect();
    assert_eq!(values, [secret, "main"]);
}
