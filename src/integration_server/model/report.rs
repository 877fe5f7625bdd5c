//! Reports on how long machines were protected.

use std::time::Duration;

use super::Moment;
use crate::clock::Timestamp;
use crate::error::{Error, Result};

/// How long before now a report must end for its data to be complete (reference, R1).
const SETTLED_AFTER: Duration = Duration::from_hours(1);

/// The span of a report: it ends at least an hour in the past, so that its data are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportRange {
    from: Option<Timestamp>,
    to: Timestamp,
}

impl ReportRange {
    /// A span; from the earliest record and until an hour ago, where nothing is named.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a span that ends later than an hour ago or not after it begins.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> Result<Self> {
        let settled = now.minus(SETTLED_AFTER);
        let to = to.unwrap_or(settled);
        if to > settled {
            return Err(Error::bad_input("to", "must lie at least an hour in the past"));
        }
        if from.is_some_and(|from| from >= to) {
            return Err(Error::bad_input("from", "must be before the end of the report"));
        }
        Ok(Self { from, to })
    }

    /// The start of the period; `None` for the earliest record.
    pub fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// The end of the period.
    pub fn to(&self) -> Timestamp {
        self.to
    }
}

/// The lines of a report about one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The periods of protection, in the server's order; several for a machine that was protected
    /// several times.
    pub periods: Vec<ReportPeriod>,
    /// The numbers, from 1, of the lines that could not be read without guessing.
    pub unreadable_lines: Vec<usize>,
    /// How many lines were about other tenants, or about none, and were left out.
    pub foreign_lines: usize,
}

/// One period in which one machine was protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPeriod {
    /// The identifier of the machine; the documents leave open which of the two.
    pub machine_id: String,
    /// Its name.
    pub machine_name: String,
    /// When protection began.
    pub protected_from: Option<Moment>,
    /// When it ended; absent while it lasts.
    pub protected_until: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_range_ends_at_least_an_hour_ago() {
        let hour = |hour: i64| Timestamp::from_millis(hour * 3_600_000);
        assert_eq!(ReportRange::new(None, None, hour(10)).unwrap().to(), hour(9));
        assert!(ReportRange::new(None, Some(hour(9)), hour(10)).is_ok());
        assert!(
            ReportRange::new(None, Some(Timestamp::from_millis(hour(9).millis() + 1)), hour(10))
                .is_err()
        );
        assert!(ReportRange::new(Some(hour(9)), Some(hour(9)), hour(10)).is_err());
        assert!(ReportRange::new(Some(hour(8)), Some(hour(9)), hour(10)).is_ok());
    }
}
