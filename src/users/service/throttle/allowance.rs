//! How many failures are free, how the wait grows, how counts fade.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::users::entity::failure::Model;

pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// How many failures are free under a key, and how long the next attempts wait at most: the wait
/// doubles with each failure.
#[derive(Clone, Copy)]
pub(super) struct Allowance {
    pub free: i64,
    pub wait_max: Duration,
    pub forgotten_after: Duration,
}

/// Guesses at one address from many networks. The longest wait is one that a person bears.
pub(super) const PER_EMAIL: Allowance =
    Allowance { free: 50, wait_max: Duration::from_secs(30), forgotten_after: HOUR };

/// Guesses at a code of six digits by somebody who knows the password: a hundred a day at most.
pub(super) const PER_CODE: Allowance =
    Allowance { free: 5, wait_max: Duration::from_mins(15), forgotten_after: DAY };

impl Allowance {
    /// The same for so many times the failures.
    pub fn times(self, weight: u32) -> Self {
        Self { free: self.free.saturating_mul(weight.into()), ..self }
    }

    /// The count as it is now: each free failure returns after its share of the time, so that a
    /// network that many share does not fill up over months. The rest of a share stays in `last_at`.
    pub fn faded(self, row: Model, now: Timestamp) -> Model {
        let idle = now.since(row.last_at);
        let free = u32::try_from(self.free.max(1)).unwrap_or(u32::MAX);
        let share = (self.forgotten_after / free).max(Duration::from_millis(1));
        let returned = i64::try_from(idle.as_millis() / share.as_millis()).unwrap_or(i64::MAX);
        // Beyond, the wait grows no further: higher counts would only fade later.
        let most = self
            .free
            .saturating_add(i64::from(u64::BITS - self.wait_max.as_secs().leading_zeros()));
        let failures = row.failures.min(most).saturating_sub(returned);
        if failures <= 0 || idle >= self.forgotten_after {
            return Model { failures: 0, last_at: now, ..row };
        }
        let shares = u32::try_from(returned).unwrap_or(u32::MAX);
        Model { failures, last_at: row.last_at.plus(share * shares), ..row }
    }

    /// The wait after so many failures.
    pub fn wait(self, failures: i64) -> Duration {
        let beyond = failures - self.free;
        if beyond < 0 {
            return Duration::ZERO;
        }
        let doubled = u32::try_from(beyond).ok().and_then(|beyond| 1_u64.checked_shl(beyond));
        doubled.map_or(self.wait_max, Duration::from_secs).min(self.wait_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_failures_return_one_by_one() {
        let allowance = PER_CODE;
        let at = |hours: u64| Timestamp::from_millis(0).plus(Duration::from_secs(hours * 3600));
        let row = |failures: i64| Model {
            id: Vec::new(),
            identity: None,
            failures,
            blocked_until: at(0),
            last_at: at(0),
            kept_until: None,
        };
        let faded = |failures: i64, hours: u64| allowance.faded(row(failures), at(hours)).failures;
        assert_eq!([faded(5, 0), faded(5, 4), faded(5, 5), faded(5, 15)], [5, 5, 4, 2]);
        assert_eq!(faded(1_000_000, 0), 15, "the wait grows no further");
        assert_eq!(faded(1_000_000, 24), 0);
        // Attempts in between do not keep the rest of a share from returning.
        let early = allowance.faded(row(5), at(4));
        assert_eq!(allowance.faded(early, at(5)).failures, 4);
    }

    #[test]
    fn wait_doubles_up_to_its_end_and_never_becomes_a_lock() {
        let waits: Vec<u64> =
            [1, 4, 5, 6, 7, 14, 15, 70, i64::MAX].map(|n| PER_CODE.wait(n).as_secs()).into();
        assert_eq!(waits, [0, 0, 1, 2, 4, 512, 900, 900, 900]);
    }
}
