//! W3C Trace Context: one trace id through all systems.

use crate::entropy::Entropy;

/// A trace. Every call is a span of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::outbound) struct Trace {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Two hexadecimal digits.
    flags: String,
}

impl Trace {
    /// Parses a caller's `traceparent`; `None` if it is not well-formed (W3C Trace Context, section
    /// 3.2). Fields added by later versions are ignored.
    pub(in crate::outbound) fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let [version, id, parent, flags] =
            [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let known = version != "ff" && (version != "00" || parts.next().is_none());
        let widths = [(version, 2), (id, 32), (parent, 16), (flags, 2)];
        let well_formed =
            widths.iter().all(|(text, width)| text.len() == *width && is_lower_hex(text));
        let named = [id, parent].iter().all(|text| text.bytes().any(|digit| digit != b'0'));
        (known && well_formed && named).then(|| Self { id: id.to_owned(), flags: flags.to_owned() })
    }

    /// Starts a trace. Its sampled flag is not set, because nothing records it yet.
    pub(in crate::outbound) fn begin(entropy: &dyn Entropy) -> Self {
        Self { id: random_hex::<16>(entropy), flags: "00".to_owned() }
    }

    /// The `traceparent` of the next call.
    pub(in crate::outbound) fn next(&self, entropy: &dyn Entropy) -> String {
        format!("00-{}-{}-{}", self.id, random_hex::<8>(entropy), self.flags)
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
        let trace = Trace::parse(GIVEN).unwrap();
        let one = trace.next(&SystemEntropy);
        let other = trace.next(&SystemEntropy);
        assert_ne!(one, other);
        for call in [one, other] {
            assert!(
                call.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && call.ends_with("-01"),
                "{call}"
            );
            assert_eq!(Trace::parse(&call).as_ref(), Some(&trace));
        }
    }

    #[test]
    fn started_trace_is_well_formed() {
        let trace = Trace::begin(&SystemEntropy);
        assert_eq!(Trace::parse(&trace.next(&SystemEntropy)), Some(trace));
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
            assert_eq!(Trace::parse(text), None, "{text}");
        }
        assert!(
            Trace::parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more").is_some()
        );
    }
}
