//! Moments as the wire has them: `YYYY-MM-DDThh:mm:ss`, of the zone that the server is in
//! (reference, section 1).

use super::shapes::Dates;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A moment in milliseconds since 1970-01-01 UTC as text, `offset` minutes east of UTC.
pub(crate) fn written(millis: i64, offset: i32, dates: Dates) -> String {
    let local = millis + i64::from(offset) * MINUTE;
    let (year, month, day) = civil(local.div_euclid(DAY));
    let second = local.rem_euclid(DAY) / 1000;
    let plain = format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    match dates {
        Dates::Plain => plain,
        Dates::Fraction => format!("{plain}.{:03}4567", local.rem_euclid(1000)),
        Dates::Zone if offset == 0 => format!("{plain}Z"),
        Dates::Zone => {
            let sign = if offset < 0 { '-' } else { '+' };
            format!("{plain}{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
        }
    }
}

/// Reads exactly `YYYY-MM-DDThh:mm:ss`, `offset` minutes east of UTC.
pub(crate) fn read(text: &str, offset: i32) -> Option<i64> {
    let shape: String =
        text.chars().map(|sign| if sign.is_ascii_digit() { '0' } else { sign }).collect();
    if shape != "0000-00-00T00:00:00" {
        return None;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().ok();
    let year = part(0, 4)?;
    let month = part(5, 7)?;
    let day = part(8, 10)?;
    let days = days(year, month, day);
    let hour = part(11, 13)?;
    let minute = part(14, 16)?;
    let second = part(17, 19)?;
    let real = civil(days) == (year, month, day) && hour < 24 && minute < 60 && second < 60;
    real.then(|| {
        days * DAY + ((hour * 60 + minute) * 60 + second) * 1000 - i64::from(offset) * MINUTE
    })
}

/// Days since 1970-01-01 of a day in the Gregorian calendar; years start in March, so that leap
/// days end them.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day; the other way round.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moment_is_written_in_the_servers_zone() {
        let moment = 1_709_284_500_123;
        assert_eq!(written(moment, 0, Dates::Plain), "2024-03-01T09:15:00");
        assert_eq!(written(moment, 0, Dates::Zone), "2024-03-01T09:15:00Z");
        assert_eq!(written(moment, 330, Dates::Zone), "2024-03-01T14:45:00+05:30");
        assert_eq!(written(moment, -600, Dates::Plain), "2024-02-29T23:15:00");
        assert_eq!(written(moment, 0, Dates::Fraction), "2024-03-01T09:15:00.1234567");
    }

    #[test]
    fn written_date_is_read_back() {
        for day in -1000..60_000 {
            let moment = day * DAY + 12_345_000;
            assert_eq!(read(&written(moment, 180, Dates::Plain), 180), Some(moment));
        }
    }

    #[test]
    fn invalid_date_is_refused() {
        for text in [
            "",
            "2024-03-01",
            "2024-02-30T00:00:00",
            "2024-03-01T24:00:00",
            "2024-03-01T09:15:00Z",
            "２024",
        ] {
            assert_eq!(read(text, 0), None, "{text}");
        }
    }
}
