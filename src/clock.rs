//! Time, as a parameter: nothing else in the crate reads the system's clock.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use jiff::civil::{self, DateTime};
use jiff::fmt::temporal::{DateTimePrinter, Pieces, PiecesOffset};
use jiff::tz::Offset;
use sea_orm::DeriveValueType;

use crate::error::Error;

/// A moment, in whole milliseconds since 1970-01-01 UTC; a database column; shown as RFC 3339 in
/// UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct Timestamp(i64);

const EPOCH: DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

impl Timestamp {
    /// 0001-01-01T00:00:00Z, the earliest moment in the API: many calendars of callers have no year
    /// 0.
    pub const MIN: Self = Self(-62_135_596_800_000);

    /// 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The moment `millis` milliseconds after 1970-01-01 UTC, from a trusted source.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The same from an untrusted source; `None` outside of [`Timestamp::MIN`] to
    /// [`Timestamp::MAX`].
    pub fn checked_from_millis(millis: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&millis).then_some(Self(millis))
    }

    /// The moment at which clocks with that offset show `local`; `None` outside of
    /// [`Timestamp::MIN`] to [`Timestamp::MAX`].
    // Not with jiff's own timestamps: they end a day before the calendar, so that every time zone
    // can show them.
    pub fn from_civil(local: DateTime, offset: Offset) -> Option<Self> {
        let utc = local.duration_since(EPOCH) - SignedDuration::from_secs(offset.seconds().into());
        Self::checked_from_millis(i64::try_from(utc.as_millis()).ok()?)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01 UTC, as in the `exp` and `iat` claims of a token.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `duration` later; the end of time if there is none.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment `duration` earlier; the beginning of time if there is none.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an RFC 3339 moment with a zone, such as `2030-01-01T00:00:00Z`, from
    /// [`Timestamp::MIN`] to [`Timestamp::MAX`].
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` if the text is anything else.
    pub fn parse(argument: &'static str, text: &str) -> Result<Self, Error> {
        let moment = Self::read(text);
        moment.ok_or_else(|| {
            Error::bad_input(argument, "must be a moment such as 2030-01-01T00:00:00Z")
        })
    }

    /// Reads a date with a time and a zone; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let pieces = Pieces::parse(text).ok()?;
        let offset = match pieces.offset()? {
            PiecesOffset::Zulu => Offset::UTC,
            PiecesOffset::Numeric(offset) => offset.offset(),
            _ => return None,
        };
        Self::from_civil(pieces.date().to_datetime(pieces.time()?), offset)
    }

    /// Appends what its `Display` shows.
    pub fn write_to(self, to: &mut Vec<u8>) {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
        // Neither fails: the time is in range, and a vector takes any text.
        let _ = self.utc().map(|utc| PRINTER.print_datetime(&utc, &mut *to));
        to.push(b'Z');
    }

    /// The date and time in UTC; the first or last ones for those beyond them.
    fn utc(self) -> Result<DateTime, jiff::Error> {
        let shown = self.0.clamp(Self::MIN.0, Self::MAX.0);
        EPOCH.checked_add(SignedDuration::from_millis(shown))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = self.utc().map_err(|_| fmt::Error)?;
        write!(f, "{utc:.3}Z")
    }
}

/// A reading of a monotonic clock: it measures ages on this node, which setting the wall clock does
/// not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MonotonicTime(Duration);

impl MonotonicTime {
    /// The reading that long after the clock began.
    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The reading `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// Whole milliseconds since the clock began.
    pub fn millis(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A source of time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// The present reading of the monotonic clock.
    fn monotonic(&self) -> MonotonicTime;
}

/// The machine's clock.
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clocks")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }

    fn monotonic(&self) -> MonotonicTime {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let start = *START;
        MonotonicTime(Instant::now().saturating_duration_since(start))
    }
}

/// Clocks for tests, which move only when advanced.
pub struct ManualClock {
    wall: AtomicI64,
    monotonic: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self { wall: AtomicI64::new(start.0), monotonic: AtomicU64::new(0) }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.monotonic
            .fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
        self.set_ahead(by);
    }

    /// Sets the wall clock ahead; no time passes.
    pub fn set_ahead(&self, by: Duration) {
        self.wall.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Sets the wall clock back; no time passes.
    pub fn set_back(&self, by: Duration) {
        self.wall.fetch_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> MonotonicTime {
        MonotonicTime(Duration::from_millis(self.monotonic.load(Ordering::SeqCst)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moment_is_shown_in_utc() {
        let moment = Timestamp::parse("expiresAt", "2030-01-01T01:00:00+01:00").unwrap();
        assert_eq!(moment.to_string(), "2030-01-01T00:00:00.000Z");
    }

    #[test]
    fn moment_is_appended_as_it_is_shown() {
        let millis = [i64::MIN, Timestamp::MIN.0, -1, 0, 1_709_284_500_123, Timestamp::MAX.0];
        for moment in millis.map(Timestamp) {
            let mut text = b"at ".to_vec();
            moment.write_to(&mut text);
            assert_eq!(text, format!("at {moment}").into_bytes());
        }
    }

    #[test]
    fn moment_without_zone_is_refused() {
        assert!(Timestamp::parse("expiresAt", "2030-01-01T00:00:00").is_err());
        assert!(Timestamp::parse("expiresAt", "soon").is_err());
    }

    #[test]
    fn earliest_and_latest_moments_are_parsed_and_shown() {
        for (text, shown) in [
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999Z"),
            ("9999-12-31T23:59:59+14:00", "9999-12-31T09:59:59.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.5-00:00", "1969-12-31T23:59:59.500Z"),
        ] {
            assert_eq!(Timestamp::parse("expiresAt", text).unwrap().to_string(), shown, "{text}");
        }
        for beyond in [
            "9999-12-31T23:59:59-00:01",
            "0001-01-01T00:00:00+00:01",
            "0000-12-31T00:00:00Z",
            "+10000-01-01T00:00:00Z",
        ] {
            assert!(Timestamp::parse("expiresAt", beyond).is_err(), "{beyond}");
        }
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn milliseconds_out_of_range_are_none() {
        for millis in [i64::MIN, i64::MAX, Timestamp::MIN.0 - 1, Timestamp::MAX.0 + 1] {
            assert_eq!(Timestamp::checked_from_millis(millis), None, "{millis}");
        }
        assert_eq!(
            Timestamp::checked_from_millis(0).unwrap().to_string(),
            "1970-01-01T00:00:00.000Z"
        );
    }

    #[test]
    fn age_is_unchanged_when_the_wall_clock_is_set() {
        let clock = ManualClock::at(Timestamp(1_000_000));
        let begun = clock.monotonic();
        clock.set_back(Duration::from_secs(55));
        assert_eq!(clock.now(), Timestamp(945_000));
        clock.advance(Duration::from_secs(3));
        clock.set_ahead(Duration::from_hours(2));
        assert_eq!(clock.monotonic().since(begun), Duration::from_secs(3));
    }

    #[test]
    fn latest_moment_does_not_overflow() {
        assert_eq!(Timestamp(i64::MAX).plus(Duration::MAX).millis(), i64::MAX);
        assert!(!Timestamp(i64::MAX).to_string().is_empty());
    }
}
