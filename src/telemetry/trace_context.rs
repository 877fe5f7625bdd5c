//! W3C Trace Context: one trace id through all systems.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use crate::entropy::Entropy;

/// The longest `tracestate` that is kept, in bytes (W3C Trace Context, section 3.3.1.5).
const TRACESTATE_MAX: usize = 512;

/// A span of a trace, as a `traceparent` names it: one of the caller, or one that began here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

impl TraceContext {
    /// Parses a caller's `traceparent`; `None` if it is not well-formed (W3C Trace Context, section
    /// 3.2). Fields added by later versions are ignored.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let [version, trace, span, flags] =
            [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let known = version != "ff" && (version != "00" || parts.next().is_none());
        let widths = [(version, 2), (trace, 32), (span, 16), (flags, 2)];
        let well_formed =
            widths.iter().all(|(text, width)| text.len() == *width && is_lower_hex(text));
        if !known || !well_formed {
            return None;
        }
        let context = Self {
            trace_id: TraceId::from_hex(trace).ok()?,
            span_id: SpanId::from_hex(span).ok()?,
            flags: TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        };
        let is_valid = context.trace_id != TraceId::INVALID && context.span_id != SpanId::INVALID;
        is_valid.then_some(context)
    }

    /// Starts a trace that nothing records: its sampled flag is not set.
    pub fn begin(entropy: &dyn Entropy) -> Self {
        Self {
            trace_id: TraceId::from_bytes(random(entropy)),
            span_id: SpanId::from_bytes(random(entropy)),
            flags: TraceFlags::NOT_SAMPLED,
        }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn next(self, entropy: &dyn Entropy) -> Self {
        Self { span_id: SpanId::from_bytes(random(entropy)), ..self }
    }

    /// The id of the trace, written as 32 hexadecimal digits.
    pub fn trace_id(self) -> TraceId {
        self.trace_id
    }

    /// The value of the header `traceparent`.
    pub fn traceparent(self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }

    /// The span of a caller. A `tracestate` that is too long or malformed is dropped; the
    /// `traceparent` counts without it (W3C Trace Context, section 3.3).
    pub(super) fn remote(self, tracestate: &str) -> SpanContext {
        let state = Some(tracestate).filter(|text| text.len() <= TRACESTATE_MAX);
        let state = state.and_then(|text| text.parse::<TraceState>().ok());
        let Self { trace_id, span_id, flags } = self;
        SpanContext::new(trace_id, span_id, flags, true, state.unwrap_or_default())
    }

    /// A span that began here; `None` of one that was not created.
    pub(super) fn local(span: &SpanContext) -> Option<Self> {
        span.is_valid().then(|| Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            flags: span.trace_flags(),
        })
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
}

/// Sets the last bit: an id of all zeros is invalid.
fn random<const BYTES: usize>(entropy: &dyn Entropy) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    entropy.fill(&mut bytes);
    bytes[BYTES - 1] |= 1;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn each_call_is_another_span_of_the_trace() {
        let trace = TraceContext::parse(GIVEN).unwrap();
        assert_eq!(trace.traceparent(), GIVEN);
        let one = trace.next(&SystemEntropy).traceparent();
        let other = trace.next(&SystemEntropy).traceparent();
        assert_ne!(one, other);
        for call in [one, other] {
            assert!(
                call.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && call.ends_with("-01"),
                "{call}"
            );
            assert_eq!(TraceContext::parse(&call).unwrap().trace_id(), trace.trace_id());
        }
    }

    #[test]
    fn started_trace_is_well_formed() {
        let trace = TraceContext::begin(&SystemEntropy);
        assert_eq!(TraceContext::parse(&trace.traceparent()), Some(trace));
    }

    #[test]
    fn malformed_trace_context_is_refused() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx: y",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
        assert!(
            TraceContext::parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more")
                .is_some()
        );
    }

    #[test]
    fn span_of_a_caller_keeps_its_ids_flag_and_bounded_state() {
        let given = TraceContext::parse(GIVEN).unwrap();
        let remote = given.remote("vendor=value,other=2");
        assert!(remote.is_remote() && remote.is_sampled() && remote.is_valid());
        assert_eq!(remote.trace_state().header(), "vendor=value,other=2");
        assert_eq!(TraceContext::local(&remote), Some(given));
        for dropped in ["no list", "UPPER=1", &format!("a={}", "x".repeat(TRACESTATE_MAX))] {
            assert_eq!(given.remote(dropped).trace_state().header(), "", "{dropped}");
        }
    }
}
