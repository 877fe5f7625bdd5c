//! Dates without a zone, in and out.

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::clock::Timestamp;
use crate::integration_server::model::Moment;

/// The length of `YYYY-MM-DDThh:mm:ss`.
const LENGTH_MIN: usize = 19;

/// Reads `YYYY-MM-DDThh:mm:ss`, a fraction allowed, in `zone`; a zone in the text wins. Of an hour
/// that the clocks repeat it is the first, and in one that they skip it is later by as much.
pub fn moment(text: &str, zone: &TimeZone) -> Moment {
    read(text, zone).unwrap_or_else(|| Moment::Unreadable(text.to_owned()))
}

fn read(text: &str, zone: &TimeZone) -> Option<Moment> {
    // Shorter texts are dates without a time, which mean no moment.
    if text.len() < LENGTH_MIN {
        return None;
    }
    let pieces = Pieces::parse(text).ok()?;
    let moment = match pieces.offset() {
        Some(_) => Timestamp::read(text)?,
        None => without_zone(pieces.date().to_datetime(pieces.time()?), zone)?,
    };
    Some(Moment::At(moment))
}

fn without_zone(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let offset = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
    };
    Timestamp::from_civil(local, offset)
}

/// A moment as the server's query parameters want it, cut to the second.
pub fn written(moment: Timestamp, zone: &TimeZone) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.millis()).unwrap_or(jiff::Timestamp::MAX);
    zone.to_datetime(moment).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &TimeZone) -> Option<String> {
        moment(text, zone).at().map(|moment| moment.to_string())
    }

    #[test]
    fn date_is_in_the_installation_zone_unless_it_names_one() {
        let moscow = TimeZone::get("Europe/Moscow").unwrap();
        assert_eq!(at("2024-03-01T09:15:00", &TimeZone::UTC).unwrap(), "2024-03-01T09:15:00.000Z");
        assert_eq!(at("2024-03-01T09:15:00", &moscow).unwrap(), "2024-03-01T06:15:00.000Z");
        assert_eq!(at("2024-03-05T00:00:00.1234567", &moscow).unwrap(), "2024-03-04T21:00:00.123Z");
        assert_eq!(at("2024-03-01T09:15:00Z", &moscow).unwrap(), "2024-03-01T09:15:00.000Z");
        assert_eq!(at("2024-03-01T09:15:00.5+02:00", &moscow).unwrap(), "2024-03-01T07:15:00.500Z");
    }

    #[test]
    fn date_is_readable_in_daylight_saving_gaps_and_folds() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(at("2024-10-27T02:30:00", &berlin).unwrap(), "2024-10-27T00:30:00.000Z");
        assert_eq!(at("2024-03-31T02:30:00", &berlin).unwrap(), "2024-03-31T01:30:00.000Z");
    }

    #[test]
    fn dates_at_the_ends_of_time_are_a_moment_or_none() {
        let [moscow, new_york] =
            ["Europe/Moscow", "America/New_York"].map(|name| TimeZone::get(name).unwrap());
        let first = "0001-01-01T00:00:00";
        let last = "9999-12-31T23:59:59.9999999";
        assert_eq!(at(first, &TimeZone::UTC).unwrap(), "0001-01-01T00:00:00.000Z");
        assert_eq!(at(last, &TimeZone::UTC).unwrap(), "9999-12-31T23:59:59.999Z");
        assert_eq!(at("9999-12-31T23:59:59Z", &new_york).unwrap(), "9999-12-31T23:59:59.000Z");
        assert_eq!(at(last, &moscow).unwrap(), "9999-12-31T20:59:59.999Z");
        for (beyond, zone) in
            [(first, &moscow), (last, &new_york), ("0000-01-01T00:00:00", &TimeZone::UTC)]
        {
            assert_eq!(at(beyond, zone), None, "{beyond}");
        }
    }

    #[test]
    fn invalid_date_is_kept_as_text() {
        for bad in [
            "",
            "soon",
            "2024-03-01",
            "2024-03-01[Europe/Moscow]",
            "01.03.2024 09:15:00",
            "2024-02-30T00:00:00",
            "2024-03-01T25:00:00",
        ] {
            assert_eq!(moment(bad, &TimeZone::UTC), Moment::Unreadable(bad.into()), "{bad}");
        }
    }

    #[test]
    fn moment_is_written_in_the_installation_zone() {
        let moscow = TimeZone::get("Europe/Moscow").unwrap();
        let Moment::At(moment) = moment("2024-03-01T06:15:00.999Z", &moscow) else {
            panic!("a date")
        };
        assert_eq!(written(moment, &moscow), "2024-03-01T09:15:00");
        assert_eq!(written(moment, &TimeZone::UTC), "2024-03-01T06:15:00");
    }
}
