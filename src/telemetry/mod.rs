//! The log: text for people, or JSON lines.

mod json;
mod log_filter;

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, reload};

pub use self::json::json_lines;
pub use self::log_filter::LogFilter;
use crate::config::{LogConfig, LogFormat};

/// Sends the log to stderr: text for people, or one JSON object per line with the fields of the event
/// and, under `span`, those of the current span. The filter includes `RUST_LOG` and was checked when
/// the settings were loaded. Only the first call in a process has an effect.
pub fn init(log: &LogConfig) -> LogFilter {
    init_to(log, io::stderr().is_terminal(), io::stderr)
}

/// Sends the log to another writer.
pub fn init_to<W>(log: &LogConfig, terminal: bool, writer: W) -> LogFilter
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = lines(log.format, terminal, writer);
    let (filter, handle) = reload::Layer::new(EnvFilter::new(&log.filter));
    let subscriber = Registry::default().with(filter).with(lines);
    // Fails if there is a subscriber already, as when several tests share one process.
    subscriber.try_init().ok();
    LogFilter::new(handle)
}

fn lines<S, W>(format: LogFormat, terminal: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let as_text = match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    if !as_text {
        return json_lines(writer).boxed();
    }
    let lines = layer().with_writer(writer);
    // On a terminal the default respects NO_COLOR.
    if terminal { lines.boxed() } else { lines.with_ansi(false).boxed() }
}

#[cfg(test)]
mod tests {
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
        let written = tempfile::NamedTempFile::new().unwrap();
        let writer = Arc::new(written.reopen().unwrap());
        let subscriber = Registry::default().with(lines(format, terminal, writer));
        tracing::subscriber::with_default(subscriber, log);
        fs::read_to_string(written).unwrap()
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
            inside(tracing::info_span!(
                "request",
                request_id = "r-1",
                client = empty,
                tenant = empty
            ));
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

    #[test]
    fn text_without_a_terminal_has_no_colours() {
        assert!(!logged(LogFormat::Text, false).contains('\x1b'));
    }
}
