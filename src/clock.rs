//! Time, as a parameter: nothing else in the crate reads the system's clock.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sea_orm::DeriveValueType;

use crate::error::Error;

/// A moment, in whole milliseconds since 1970-01-01 UTC; a database column; shown as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that many milliseconds after 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01 UTC, as the `exp` and `iat` of a token want them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `duration` later; the end of time if there is none.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment `duration` earlier; the beginning of time if there is none.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an RFC 3339 moment with a zone, such as `2030-01-01T00:00:00Z`.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` if the text is anything else.
    pub fn parse(argument: &'static str, text: &str) -> Result<Self, Error> {
        text.parse::<jiff::Timestamp>()
            .map(|moment| Self(moment.as_millisecond()))
            .map_err(|_| Error::bad_input(argument, "must be a moment such as 2030-01-01T00:00:00Z"))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{moment:.3}")
    }
}

/// What tells the time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }
}

/// A clock that stands still until told otherwise, for tests.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_it_was_read() {
        let moment = Timestamp::parse("expiresAt", "2030-01-01T01:00:00+01:00").unwrap();
        assert_eq!(moment.to_string(), "2030-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_moment_without_zone_is_refused() {
        assert!(Timestamp::parse("expiresAt", "2030-01-01T00:00:00").is_err());
        assert!(Timestamp::parse("expiresAt", "soon").is_err());
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        assert_eq!(Timestamp(i64::MAX).plus(Duration::MAX).millis(), i64::MAX);
        assert!(!Timestamp(i64::MAX).to_string().is_empty());
    }
}
