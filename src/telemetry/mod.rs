//! The log: text for people, or JSON lines.

mod background_writer;
mod json;
mod log_filter;
mod short;

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, reload};

pub use self::background_writer::dropped_lines;
pub use self::json::json_lines;
pub use self::log_filter::LogFilter;
use self::short::short_lines;
use crate::config::{LogConfig, LogFormat};

/// Sends the log to stderr: text for people, or one JSON object per line with the fields of the event
/// and, under `span`, those of the current span. The filter includes `RUST_LOG` and was checked when
/// the settings were loaded. Only the first call in a process has an effect.
pub fn init(log: &LogConfig) -> LogFilter {
    init_to(log, io::stderr().is_terminal(), io::stderr)
}

/// The same, on a thread of its own: for a process that serves. All lines are written once the guard
/// is dropped.
pub fn init_in_background(log: &LogConfig) -> (LogFilter, WorkerGuard) {
    let (writer, guard) = background_writer::in_background(io::stderr());
    (init_to(log, io::stderr().is_terminal(), writer), guard)
}

/// The same, but text comes in short lines, without time and request id: for a person who watches.
pub fn init_short(log: &LogConfig) -> LogFilter {
    let as_text = is_text(log.format, io::stderr().is_terminal());
    let lines =
        if as_text { short_lines(io::stderr).boxed() } else { json_lines(io::stderr).boxed() };
    install(log, lines)
}

/// Sends the log to another writer.
pub fn init_to<W>(log: &LogConfig, terminal: bool, writer: W) -> LogFilter
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    install(log, lines(log.format, terminal, writer))
}

type Filter = reload::Layer<EnvFilter, Registry>;

fn install(
    log: &LogConfig,
    lines: Box<dyn Layer<Layered<Filter, Registry>> + Send + Sync>,
) -> LogFilter {
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
    if !is_text(format, terminal) {
        return json_lines(writer).boxed();
    }
    let lines = layer().with_writer(writer);
    // On a terminal the default respects NO_COLOR.
    if terminal { lines.boxed() } else { lines.with_ansi(false).boxed() }
}

fn is_text(format: LogFormat, terminal: bool) -> bool {
    match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    }
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
