//! Where log lines go and how they look.

use std::fmt;
use std::io::{self, IsTerminal};
use std::mem;

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter,
        format::Writer,
        layer,
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    registry::{LookupSpan, Registry},
    util::SubscriberInitExt,
};

use crate::config::{LogConfig, LogFormat};

/// Sends log lines to stderr: text for people, or one JSON object a line that holds the fields of
/// the event and, under `span`, those of the current span. `RUST_LOG` is part of the filter
/// already, and the filter was checked, when the settings were loaded. Only the first call in a
/// process counts.
pub fn init(log: &LogConfig) {
    init_to(log, io::stderr().is_terminal(), io::stderr);
}

/// The same to another place.
pub fn init_to<W>(log: &LogConfig, terminal: bool, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = lines(log.format, terminal, writer);
    let subscriber = Registry::default().with(EnvFilter::new(&log.filter)).with(lines);
    // Refused if there is a subscriber already, as when many tests share one process.
    subscriber.try_init().ok();
}

fn lines<S, W>(format: LogFormat, terminal: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = layer().with_writer(writer);
    let as_text = match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    if !as_text {
        return lines.fmt_fields(Members).event_format(Line).boxed();
    }
    match terminal {
        // The default heeds NO_COLOR.
        true => lines.boxed(),
        false => lines.with_ansi(false).boxed(),
    }
}

/// A line of JSON: an object of what is the same in every line, the event's own fields, and under
/// `span` those of the span that it happened in. The library's own reads and sorts the fields of
/// the span again for each line, at several times the cost.
struct Line;

impl<S> FormatEvent<S, Members> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Members>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let what = event.metadata();
        line.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut line)?;
        write!(line, "\",\"level\":\"{}\"", what.level())?;
        let mut members = Recorded { writer: line.by_ref(), comma: ",", written: Ok(()) };
        event.record(&mut members);
        members.written?;
        // Neither it nor the name of a span needs to be escaped: both are names in our code and
        // that of libraries.
        write!(line, ",\"target\":\"{}\"", what.target())?;
        if let Some(span) =
            event.parent().and_then(|id| context.span(id)).or_else(|| context.lookup_current())
        {
            write!(line, ",\"span\":{{\"name\":\"{}\"", span.name())?;
            if let Some(fields) = span
                .extensions()
                .get::<FormattedFields<Members>>()
                .filter(|fields| !fields.is_empty())
            {
                write!(line, ",{fields}")?;
            }
            line.write_char('}')?;
        }
        line.write_str("}\n")
    }
}

/// Fields as members of a JSON object, with commas between them.
struct Members;

impl<'writer> FormatFields<'writer> for Members {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut members = Recorded { writer, comma: "", written: Ok(()) };
        fields.record(&mut members);
        members.written
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let comma = if current.is_empty() { "" } else { "," };
        let mut members = Recorded { writer: current.as_writer(), comma, written: Ok(()) };
        fields.record(&mut members);
        members.written
    }
}

struct Recorded<'writer> {
    writer: Writer<'writer>,
    comma: &'static str,
    written: fmt::Result,
}

impl Recorded<'_> {
    fn write(&mut self, field: &Field, value: &(impl Serialize + ?Sized)) {
        // Only maps without text keys cannot be written, and there are no maps.
        let value = serde_json::to_string(value).unwrap_or_default();
        let parts = [mem::replace(&mut self.comma, ","), "\"", field.name(), "\":", &value];
        self.written = self
            .written
            .and_then(|()| parts.iter().try_for_each(|part| self.writer.write_str(part)));
    }
}

impl Visit for Recorded<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, &value);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use super::*;

    /// What is logged by an event inside a span.
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
    fn every_line_is_one_object_whatever_is_logged() {
        let hostile = "\"}\n\u{0}\u{2028}{";
        let lines = written(LogFormat::Json, false, || {
            tracing::error!(text = hostile, shown = ?hostile, whole = 7, part = 0.5, none = f64::NAN, is = true, "{hostile}");
            let parent = tracing::info_span!("parent", text = hostile);
            let _inside = tracing::info_span!("inside").entered();
            tracing::info!("in it");
            tracing::warn!(parent: &parent, text = hostile);
        });
        let target = module_path!();
        let expected = [
            serde_json::json!({
                "level": "ERROR", "message": hostile, "text": hostile, "shown": format!("{hostile:?}"),
                "whole": 7, "part": 0.5, "none": null, "is": true, "target": target,
            }),
            serde_json::json!({ "level": "INFO", "message": "in it", "target": target, "span": { "name": "inside" } }),
            serde_json::json!({
                "level": "WARN", "text": hostile, "target": target, "span": { "name": "parent", "text": hostile },
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
    fn what_is_recorded_later_stands_beside_what_was_there() {
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
                serde_json::json!({ "name": "request", "request_id": "r-1", "client": "c\"}\n", "tenant": 8 }),
                serde_json::json!({ "name": "request", "client": "c\"}\n", "tenant": 8 }),
            ]
        );
    }

    #[test]
    fn auto_means_text_on_a_terminal_only() {
        assert!(!logged(LogFormat::Auto, true).starts_with('{'));
        assert!(logged(LogFormat::Auto, false).starts_with('{'));
    }

    #[test]
    fn text_away_from_a_terminal_has_no_colours() {
        assert!(!logged(LogFormat::Text, false).contains('\x1b'));
    }
}
