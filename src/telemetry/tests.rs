//! The formats of log lines, and the walls between the log and traces.

use std::{fs, sync::Arc};

use super::*;

/// The log of one event inside a span.
fn logged(format: LogFormat, terminal: bool) -> String {
    written(format, terminal, || {
        let _inside = tracing::info_span!("request", request_id = "r-1").entered();
        tracing::info!(tenants = 3, "listed");
    })
}

fn written(format: LogFormat, terminal: bool, log: impl FnOnce()) -> String {
    written_by(|file| lines(format, terminal, file), log)
}

fn written_by<L>(lines: impl FnOnce(Arc<fs::File>) -> L, log: impl FnOnce()) -> String
where
    L: Layer<Registry> + Send + Sync,
{
    let written = tempfile::NamedTempFile::new().unwrap();
    let writer = Arc::new(written.reopen().unwrap());
    let subscriber = Registry::default().with(lines(writer));
    tracing::subscriber::with_default(subscriber, log);
    fs::read_to_string(written).unwrap()
}

#[test]
fn short_line_of_a_request_has_method_path_status_time_and_operation() {
    let lines = written_by(short_lines, || {
        let path = "/graphql\u{1b}[31m";
        let _inside = tracing::info_span!(
            "request",
            request_id = "r-1",
            method = "POST",
            path,
            client = tracing::field::Empty
        )
        .entered();
        tracing::Span::current().record("client", "c-1");
        let name = Some("Computers");
        tracing::info!(
            status = 200,
            millis = 14,
            operation = name,
            codes = None::<&str>,
            cost = 3,
            "request completed"
        );
        tracing::warn!(system = "a\nb", "circuit opened");
    });
    let request = "POST /graphql\\u{1b}[31m ";
    assert_eq!(
        lines,
        format!("{request}200 14 ms Computers\nWARN circuit opened {request}system=a\\nb\n")
    );
}

#[test]
fn json_line_holds_the_fields_of_event_and_span() {
    let line = logged(LogFormat::Json, true);
    assert_eq!(line.lines().count(), 1);
    assert!(line.contains(r#""message":"listed","tenants":3"#), "{line}");
    assert!(line.contains(r#""span":{"name":"request","request_id":"r-1"}"#), "{line}");
}

#[test]
fn json_line_is_one_object_whatever_is_logged() {
    let hostile = "\"}\n\u{0}\u{2028}{";
    let lines = written(LogFormat::Json, false, || {
        tracing::error!(
            text = hostile, shown = ?hostile, whole = 7, part = 0.5, none = f64::NAN, is = true,
            "{hostile}"
        );
        let parent = tracing::info_span!("parent", text = hostile);
        let _inside = tracing::info_span!("inside").entered();
        tracing::info!("in it");
        tracing::warn!(parent: &parent, text = hostile);
    });
    let target = module_path!();
    let expected = [
        serde_json::json!({
            "level": "ERROR", "message": hostile, "text": hostile,
            "shown": format!("{hostile:?}"), "whole": 7, "part": 0.5, "none": null, "is": true,
            "target": target,
        }),
        serde_json::json!({
            "level": "INFO", "message": "in it", "target": target,
            "span": { "name": "inside" },
        }),
        serde_json::json!({
            "level": "WARN", "text": hostile, "target": target,
            "span": { "name": "parent", "text": hostile },
        }),
    ];
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), expected.len());
    for (mut line, expected) in lines.into_iter().zip(expected) {
        let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
        timestamp.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(line, expected);
    }
}

#[test]
fn field_recorded_later_is_added_to_the_span() {
    let inside = |span: tracing::Span| {
        span.record("client", "c\"}\n").record("tenant", 7).record("tenant", 8);
        let _inside = span.entered();
        tracing::info!("done");
    };
    let lines = written(LogFormat::Json, false, || {
        let empty = tracing::field::Empty;
        inside(tracing::info_span!("request", request_id = "r-1", client = empty, tenant = empty));
        inside(tracing::info_span!("request", client = empty, tenant = empty));
    });
    let spans: Vec<_> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["span"].clone())
        .collect();
    assert_eq!(
        spans,
        [
            serde_json::json!({
                "name": "request", "request_id": "r-1", "client": "c\"}\n", "tenant": 8,
            }),
            serde_json::json!({ "name": "request", "client": "c\"}\n", "tenant": 8 }),
        ]
    );
}

#[test]
fn auto_format_is_text_on_a_terminal_only() {
    assert!(!logged(LogFormat::Auto, true).starts_with('{'));
    assert!(logged(LogFormat::Auto, false).starts_with('{'));
}

/// The lines of a log with this filter, beside recorded traces.
fn written_beside_traces(filter: &str, log: impl FnOnce()) -> String {
    let written = tempfile::NamedTempFile::new().unwrap();
    let lines = json_lines(Arc::new(written.reopen().unwrap())).boxed();
    let (subscriber, _) = subscriber(filter, lines, Some(traces::unexported()));
    tracing::subscriber::with_default(subscriber, log);
    fs::read_to_string(written).unwrap()
}

#[test]
fn span_of_a_trace_changes_no_log_line() {
    let lines = written_beside_traces("info", || {
        let _inside = tracing::info_span!("request", request_id = "r-1").entered();
        let span = tracing::info_span!(target: SPANS, "operation", secret = "s");
        let traced = within(span, async {
            assert!(is_in_trace());
            let _inner = tracing::info_span!(target: SPANS, "database write");
            tracing::info!("in it");
        });
        futures_util::FutureExt::now_or_never(traced).unwrap();
        assert!(!is_in_trace());
    });
    assert_eq!(lines.lines().count(), 1);
    assert!(lines.contains(r#""span":{"name":"request","request_id":"r-1"}"#), "{lines}");
}

#[test]
fn filter_of_the_log_hides_no_span_of_a_trace() {
    let lines = written_beside_traces("off", || {
        let span = tracing::info_span!(target: SPANS, "operation");
        let parent = context_of(&span).expect("it is recorded");
        in_scope(&span, || {
            let own = tracing::info_span!(target: SPANS, DATABASE_WRITE);
            assert_eq!(context_of(&own).unwrap().trace_id(), parent.trace_id());
        });
        let alone = tracing::info_span!(target: SPANS, DATABASE_WRITE);
        assert!(context_of(&alone).is_none(), "no work is around it");
        tracing::error!("not logged");
    });
    assert_eq!(lines, "");
}

#[test]
fn nothing_is_recorded_without_traces() {
    let lines = json_lines(io::sink).boxed();
    let (subscriber, _) = subscriber("trace", lines, None);
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!(target: SPANS, "operation");
        assert!(span.is_disabled() && context_of(&span).is_none());
        in_scope(&span, || assert!(!is_in_trace()));
    });
}

#[test]
fn text_without_a_terminal_has_no_colours() {
    assert!(!logged(LogFormat::Text, false).contains('\x1b'));
}
