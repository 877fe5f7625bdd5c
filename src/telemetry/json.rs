//! Log lines as JSON.
//!
//! Our own, because `tracing_subscriber`'s JSON format parses and sorts the fields of the span again
//! for every line: in `benches/log_lines.rs` a line of an event with two fields in a span with six
//! took an eighth of its time.

use std::fmt::{self, Debug};

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;
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

/// The length that most lines do not exceed, in bytes.
const LINE_CAPACITY: usize = 512;

/// Writes each event as one line: a JSON object of timestamp, level, the event's fields, target, and
/// under `span` the name and the fields of the current span.
pub fn json_lines<S, W>(writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    layer().with_writer(writer).fmt_fields(JsonFields).event_format(JsonLine)
}

/// The format of a line.
struct JsonLine;

impl<S> FormatEvent<S, JsonFields> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        const TIME: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
        let metadata = event.metadata();
        let mut line = Vec::with_capacity(LINE_CAPACITY);
        line.extend_from_slice(b"{\"timestamp\":\"");
        #[expect(clippy::disallowed_methods, reason = "the log tells the time of this machine")]
        TIME.print_timestamp(&Timestamp::now(), &mut line).map_err(|_| fmt::Error)?;
        extend(&mut line, &["\",\"level\":\"", metadata.level().as_str(), "\""]);
        let mut fields = FieldWriter { members: line, is_first: false };
        event.record(&mut fields);
        let mut line = fields.members;
        // Not escaped: targets and names of spans are identifiers in source code.
        extend(&mut line, &[",\"target\":\"", metadata.target(), "\""]);
        let span = event.parent().and_then(|id| context.span(id));
        if let Some(span) = span.or_else(|| context.lookup_current()) {
            extend(&mut line, &[",\"span\":{\"name\":\"", span.name(), "\""]);
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
                extend(&mut line, &[",", fields]);
            }
            line.push(b'}');
        }
        line.extend_from_slice(b"}\n");
        to.write_str(text(&line)?)
    }
}

/// The format of fields: members of a JSON object, separated by commas.
struct JsonFields;

impl<'writer> FormatFields<'writer> for JsonFields {
    fn format_fields<R: RecordFields>(&self, mut to: Writer<'writer>, fields: R) -> fmt::Result {
        let mut written =
            FieldWriter { members: Vec::with_capacity(LINE_CAPACITY), is_first: true };
        fields.record(&mut written);
        to.write_str(text(&written.members)?)
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let mut written = FieldWriter { members: Vec::new(), is_first: current.is_empty() };
        fields.record(&mut written);
        current.as_writer().write_str(text(&written.members)?)
    }
}

/// Writes fields one after the other.
struct FieldWriter {
    members: Vec<u8>,
    is_first: bool,
}

impl FieldWriter {
    fn write(&mut self, field: &Field, value: &(impl Serialize + ?Sized)) {
        let comma = if self.is_first { "" } else { "," };
        self.is_first = false;
        extend(&mut self.members, &[comma, "\"", field.name(), "\":"]);
        // Cannot fail: only maps without text keys cannot be written, and no value is a map.
        let _ = serde_json::to_writer(&mut self.members, value);
    }
}

fn extend(line: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        line.extend_from_slice(part.as_bytes());
    }
}

fn text(line: &[u8]) -> Result<&str, fmt::Error> {
    std::str::from_utf8(line).map_err(|_| fmt::Error)
}

impl Visit for FieldWriter {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
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
