//! The log, as text for people or JSON lines, and traces for a collector.
//!
//! | module | contents |
//! |---|---|
//! | `json`, `short`, `log_filter` | the formats of log lines, and the filter of a running process |
//! | `background_writer` | the thread that writes the log of a serving process |
//! | `trace_context` | the names of a span in the headers of requests |
//! | `traces` | the export of spans |
//! | `spans` | spans as the rooms make them |

mod background_writer;
mod json;
mod log_filter;
mod short;
mod spans;
mod trace_context;
mod traces;

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, reload};

pub use self::background_writer::{LogGuard, dropped_lines};
pub use self::json::json_lines;
pub use self::log_filter::LogFilter;
use self::short::short_lines;
pub use self::spans::{
    ParentSpan, context_of, continue_trace, id_attribute, in_current_trace, in_scope, is_in_trace,
    record_error, within,
};
pub use self::trace_context::TraceContext;
pub use self::traces::{DATABASE_WRITE, SPANS, TraceFigures, Traces, trace_figures};
use crate::config::{LogConfig, LogFormat};

/// Sends the log to stderr: text for people, or one JSON object per line with the fields of the event
/// and, under `span`, those of the current span. The filter includes `RUST_LOG` and was checked when
/// the settings were loaded. Only the first call in a process has an effect.
pub fn init(log: &LogConfig) -> LogFilter {
    init_to(log, io::stderr().is_terminal(), io::stderr)
}

/// The same, on a thread of its own, and traces: for a process that serves. Drop the guard when
/// nothing logs any more: it waits up to a second until all lines are written.
pub fn init_in_background(log: &LogConfig, traces: Option<&Traces>) -> (LogFilter, LogGuard) {
    let (writer, guard) = background_writer::in_background(io::stderr());
    let lines = lines(log.format, io::stderr().is_terminal(), writer);
    if let Some(traces) = traces {
        traces.install();
    }
    (install(log, lines, traces), guard)
}

/// The same, but text comes in short lines, without time and request id: for a person who watches.
pub fn init_short(log: &LogConfig) -> LogFilter {
    let as_text = is_text(log.format, io::stderr().is_terminal());
    let lines =
        if as_text { short_lines(io::stderr).boxed() } else { json_lines(io::stderr).boxed() };
    install(log, lines, None)
}

/// Sends the log to another writer.
pub fn init_to<W>(log: &LogConfig, terminal: bool, writer: W) -> LogFilter
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    install(log, lines(log.format, terminal, writer), None)
}

type AnyLayer = Box<dyn Layer<Registry> + Send + Sync>;

fn install(log: &LogConfig, lines: AnyLayer, traces: Option<&Traces>) -> LogFilter {
    let (subscriber, filter) = subscriber(&log.filter, lines, traces.map(Traces::layer));
    // Fails if there is a subscriber already, as when several tests share one process.
    subscriber.try_init().ok();
    filter
}

/// Log lines and traces, each with a filter of its own.
fn subscriber(
    filter: &str,
    lines: AnyLayer,
    traces: Option<AnyLayer>,
) -> (Layered<Vec<AnyLayer>, Registry>, LogFilter) {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(filter));
    let is_logged = filter_fn(|metadata| metadata.target() != SPANS);
    let is_logged = is_logged.with_max_level_hint(LevelFilter::TRACE);
    let mut layers = vec![lines.with_filter(filter.and(is_logged)).boxed()];
    layers.extend(traces);
    (Registry::default().with(layers), LogFilter::new(handle))
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
mod tests;
