//! Where log lines go and how they look.

use std::fmt;
use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing::span::Record;
use tracing_subscriber::{
    EnvFilter, Layer,
    field::RecordFields,
    fmt::{
        FormatFields, FormattedFields, MakeWriter,
        format::{JsonFields, Writer},
        layer,
    },
    layer::SubscriberExt,
    registry::{LookupSpan, Registry},
    util::SubscriberInitExt,
};

use crate::config::{LogConfig, LogFormat};

/// Sends log lines to stderr: text for people, or one JSON object a line that holds the fields of the event and, under
/// `span`, those of the current span. `RUST_LOG` is part of the filter already, and the filter was checked, when the
/// settings were loaded. Only the first call in a process counts.
pub fn init(log: &LogConfig) {
    let lines = lines(log.format, io::stderr().is_terminal(), io::stderr);
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
        return lines.json().flatten_event(true).with_span_list(false).fmt_fields(Members::default()).boxed();
    }
    match terminal {
        // The default heeds NO_COLOR.
        true => lines.boxed(),
        false => lines.with_ansi(false).boxed(),
    }
}

/// The fields of a span as the members of a JSON object. What is recorded later is put behind them; the library would read
/// all of them again, and so make the two that each request records dearer than the rest of its log line.
#[derive(Default)]
struct Members(JsonFields);

impl<'writer> FormatFields<'writer> for Members {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }

    fn add_fields(&self, current: &'writer mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        let mut added = String::new();
        self.0.format_fields(Writer::new(&mut added), fields)?;
        let (Some(before), Some(added)) = (current.fields.strip_suffix('}'), added.strip_prefix('{')) else {
            return Err(fmt::Error);
        };
        let comma = if before == "{" || added == "}" { "" } else { "," };
        current.fields = format!("{before}{comma}{added}");
        Ok(())
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
        assert!(line.contains(r#""span":{"request_id":"r-1","name":"request"}"#), "{line}");
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
