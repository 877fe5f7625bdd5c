//! W3C Trace Context: one trace id through all systems.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use crate::entropy::Entropy;

/// The longest `tracestate` that is kept, in bytes (W3C Trace Context, section 3.3.1.5).
const TRACESTATE_MAX: usize = 512;

/// A span of a trace, as a `traceparent` names it: one of the caller, or one that began here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// 32 hexadecimal digits.
    trace_id: String,
    /// 16 hexadecimal digits.
    span_id: String,
    /// Two hexadecimal digits.
    flags: String,
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
        let named = [trace, span].iter().all(|text| text.bytes().any(|digit| digit != b'0'));
        (known && well_formed && named).then(|| Self {
            trace_id: trace.to_owned(),
            span_id: span.to_owned(),
            flags: flags.to_owned(),
        })
    }

    /// Starts a trace that nothing records: its sampled flag is not set.
    pub fn begin(entropy: &dyn Entropy) -> Self {
        Self {
            trace_id: random_hex::<16>(entropy),
            span_id: random_hex::<8>(entropy),
            flags: "00".to_owned(),
        }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn next(&self, entropy: &dyn Entropy) -> Self {
        Self { span_id: random_hex::<8>(entropy), ..self.clone() }
    }

    /// The id of the trace, in 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// The value of the header `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }

    /// The span of a caller. A `tracestate` that is too long or malformed is dropped; the
    /// `traceparent` counts without it (W3C Trace Context, section 3.3).
    pub(super) fn remote(&self, tracestate: &str) -> SpanContext {
        let state = Some(tracestate).filter(|text| text.len() <= TRACESTATE_MAX);
        let state = state.and_then(|text| text.parse::<TraceState>().ok());
        // Each field was parsed as hexadecimal digits of that width.
        SpanContext::new(
            TraceId::from_hex(&self.trace_id).unwrap_or(TraceId::INVALID),
            SpanId::from_hex(&self.span_id).unwrap_or(SpanId::INVALID),
            TraceFlags::new(u8::from_str_radix(&self.flags, 16).unwrap_or_default()),
            true,
            state.unwrap_or_default(),
        )
    }

    /// A span that began here; `None` of one that was not created.
    pub(super) fn local(span: &SpanContext) -> Option<Self> {
        span.is_valid().then(|| Self {
            trace_id: span.trace_id().to_string(),
            span_id: span.span_id().to_string(),
            flags: format!("{:02x}", span.trace_flags()),
        })
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
}

/// Sets the last bit: an id of all zeros is invalid.
fn random_hex<const BYTES: usize>(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; BYTES];
    entropy.fill(&mut bytes);
    bytes[BYTES - 1] |= 1;
    let digit = |four: u8| char::from(b"0123456789abcdef"[usize::from(four)]);
    let mut text = String::with_capacity(2 * BYTES);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
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
        assert_eq!(TraceContext::local(&remote), Some(given.clone()));
        for dropped in ["no list", "UPPER=1", &format!("a={}", "x".repeat(TRACESTATE_MAX))] {
            assert_eq!(given.remote(dropped).trace_state().header(), "", "{dropped}");
        }
    }
}
