//! The cost of a log line in JSON, written by the gateway's own format and by that of
//! `tracing_subscriber`: an event with two fields, inside a span with six.

use std::hint::black_box;
use std::io;

use criterion::{Criterion, criterion_group, criterion_main};
use tenant_gateway::telemetry::json_lines;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

fn write_line(criterion: &mut Criterion, name: &str, subscriber: impl Subscriber + Send + Sync) {
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!(
            "upstream_call",
            request_id = "0190c8d2-7a3e-7c1f-b8a4-1f2e3d4c5b6a",
            trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
            tenant = "0190c8d2-7a3e-7c1f-b8a4-aaaaaaaaaaaa",
            system = "DEEP_SECURITY",
            method = "GET",
            millis = 12,
        );
        let _inside = span.entered();
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                tracing::info!(status = black_box(200), code = black_box("OK"), "call completed");
            });
        });
    });
}

fn log_lines(criterion: &mut Criterion) {
    let own = Registry::default().with(json_lines(io::sink));
    write_line(criterion, "log_line/own", own);
    let library = tracing_subscriber::fmt::layer().json().with_span_list(false);
    let library = Registry::default().with(library.with_writer(io::sink));
    write_line(criterion, "log_line/tracing_subscriber", library);
}

criterion_group!(benches, log_lines);
criterion_main!(benches);
