//! Trace context by W3C: who asked, through all systems.

use crate::entropy::Entropy;

/// A trace, of which every call is a span of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Two hexadecimal digits.
    flags: String,
}

impl Trace {
    /// The trace that a caller's `traceparent` names, if it is well-formed (W3C Trace Context,
    /// section 3.2). What a later version adds is left out.
    pub(super) fn parse(traceparent: &str) -> Option<Self> {
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

    /// A trace that begins here. It is not marked as recorded, since nothing records it yet.
    pub(super) fn begin(entropy: &dyn Entropy) -> Self {
        Self { id: random_hex::<16>(entropy), flags: "00".to_owned() }
    }

    /// The `traceparent` of one more call.
    pub(super) fn next(&self, entropy: &dyn Entropy) -> String {
        format!("00-{}-{}-{}", self.id, random_hex::<8>(entropy), self.flags)
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
}

/// The last bit is set, since all zeros would name nothing.
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
    fn each_call_is_another_span_of_the_same_trace() {
        let trace = Trace::parse(GIVEN).unwrap();
        let (one, other) = (trace.next(&SystemEntropy), trace.next(&SystemEntropy));
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
    fn a_trace_of_ours_is_well_formed() {
        let trace = Trace::begin(&SystemEntropy);
        assert_eq!(Trace::parse(&trace.next(&SystemEntropy)), Some(trace));
    }

    #[test]
    fn what_is_no_trace_context_is_not_passed_on() {
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
