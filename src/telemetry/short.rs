//! Log lines for a person at a terminal who tries the demo: one short line a request.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{
    FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter, layer,
};
use tracing_subscriber::registry::LookupSpan;

/// The event that ends a request; its line needs no names of fields.
const REQUEST_COMPLETED: &str = "request completed";

/// Writes each event as one line: of a request `POST /graphql 200 14 ms Computers query`, of any
/// other event its level and message, the request it belongs to, and its fields.
pub fn short_lines<S, W>(writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    layer().with_writer(writer).fmt_fields(MethodAndPath).event_format(ShortLine)
}

struct ShortLine;

impl<S> FormatEvent<S, MethodAndPath> for ShortLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, MethodAndPath>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let is_request = fields.message == REQUEST_COMPLETED;
        if !is_request {
            write!(line, "{} {} ", event.metadata().level(), fields.message)?;
        }
        if let Some(span) = context.lookup_current() {
            let extensions = span.extensions();
            if let Some(fields) = extensions.get::<FormattedFields<MethodAndPath>>() {
                line.write_str(fields)?;
            }
        }
        let rest = if is_request { &fields.of_request } else { &fields.others };
        writeln!(line, "{}", rest.trim_end())
    }
}

/// Formats a span as the method and the path of its request, without the names of the fields.
struct MethodAndPath;

impl<'writer> FormatFields<'writer> for MethodAndPath {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut values = Fields::default();
        fields.record(&mut values);
        writer.write_str(&values.of_span)
    }

    /// Method and path are known when the span begins: fields recorded later are not shown.
    fn add_fields(
        &self,
        _current: &'writer mut FormattedFields<Self>,
        _fields: &Record<'_>,
    ) -> fmt::Result {
        Ok(())
    }
}

/// The fields of an event or a span as text, a space after each.
#[derive(Default)]
struct Fields {
    message: String,
    of_span: String,
    of_request: String,
    others: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }
}

impl Fields {
    fn put(&mut self, field: &Field, value: &str) {
        let value = Printable(value);
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            "method" | "path" => write!(self.of_span, "{value} "),
            "status" | "kind" | "operation" | "codes" => write!(self.of_request, "{value} "),
            "millis" => write!(self.of_request, "{value} ms "),
            name => write!(self.others, "{name}={value} "),
        };
    }
}

/// Escapes control characters: text of callers and legacy systems could otherwise add log lines or
/// send commands to the terminal.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            if character.is_control() {
                write!(f, "{}", character.escape_default())
            } else {
                f.write_char(character)
            }
        })
    }
}
