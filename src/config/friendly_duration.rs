//! Durations as people write them: `500ms`, `30s`, `1h 30m`, `7d`. A day is 24 hours.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo, fmt::friendly};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

static PRINTER: friendly::SpanPrinter =
    friendly::SpanPrinter::new().designator(friendly::Designator::Compact);

pub(super) fn text(duration: Duration) -> String {
    PRINTER.unsigned_duration_to_string(&duration)
}

fn parse(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    // Parsed as a span: the parser of durations refuses days.
    let duration: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    duration.try_into().ok()
}

pub(super) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*duration))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let duration = String::deserialize(deserializer).ok().and_then(|text| parse(&text));
    duration
        .ok_or_else(|| D::Error::custom("must be a duration with a unit, such as 30s, 1h or 7d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn friendly_text_is_understood() {
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse("1h 30m"), Some(Duration::from_mins(90)));
        assert_eq!(parse("7d"), Some(Duration::from_hours(7 * 24)));
    }

    #[test]
    fn printed_duration_is_read_back() {
        for duration in [
            Duration::ZERO,
            Duration::from_millis(100),
            Duration::from_mins(90),
            Duration::from_hours(168),
        ] {
            assert_eq!(parse(&text(duration)), Some(duration));
        }
    }

    #[test]
    fn number_without_unit_is_no_duration() {
        for text in ["5", "", "soon", "-5s", "5s ago", "1mo"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
