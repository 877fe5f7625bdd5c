//! The schedule of signing keys.
//!
//! A key is published when it is made and signs only once every reader of the key set has had time
//! to fetch it. Its predecessor stays published until no token that it signed can be alive. So no
//! token is refused because of a rotation.

use std::time::Duration;

use crate::clock::Timestamp;

/// The interval at which each node reads the keys of other nodes and rotates if due.
pub const REFRESH_EVERY: Duration = Duration::from_secs(30);

/// The longest life that any node may give a token: the upper end of the setting `tokens.lifetime`.
/// Not the setting itself, which may have been longer when the token was issued.
pub const LIFETIME_MAX: Duration = Duration::from_hours(24);

/// How far the clocks of two nodes may differ.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// The settings of key rotation.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// How long a token lives.
    pub token_lifetime: Duration,
    /// How long a key signs.
    pub key_lifetime: Duration,
    /// How long verifiers may cache the published key set.
    pub jwks_max_age: Duration,
}

impl Schedule {
    /// How long a key is published before it signs: until the slowest node has it, and the reader
    /// that asked that node just before asks again.
    pub fn publish_ahead(&self) -> Duration {
        self.jwks_max_age + REFRESH_EVERY + CLOCK_SKEW
    }

    /// When a key that is created now begins to sign.
    pub(super) fn active_from(&self, now: Timestamp) -> Timestamp {
        now.plus(self.publish_ahead())
    }

    /// When the predecessors of a key that signs from `active_from` on are no longer needed.
    pub(super) fn retired_at(active_from: Timestamp) -> Timestamp {
        active_from.plus(LIFETIME_MAX).plus(CLOCK_SKEW)
    }

    /// A key created before this moment without a successor has an algorithm that no node uses any
    /// more.
    pub(super) fn unused_since(&self, now: Timestamp) -> Timestamp {
        let margin = self.key_lifetime + self.publish_ahead() + LIFETIME_MAX;
        Timestamp::from_millis(
            now.millis().saturating_sub(i64::try_from(margin.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Whether the successor of a key that signs since `active_from` is due.
    pub(super) fn is_due(&self, active_from: Timestamp, now: Timestamp) -> bool {
        active_from.plus(self.key_lifetime) <= self.active_from(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule {
        token_lifetime: Duration::from_hours(1),
        key_lifetime: Duration::from_hours(24),
        jwks_max_age: Duration::from_mins(10),
    };

    #[test]
    fn successor_is_published_before_the_key_retires() {
        let made = Timestamp::from_millis(0);
        let due = made.plus(SCHEDULE.key_lifetime.saturating_sub(SCHEDULE.publish_ahead()));
        assert!(SCHEDULE.is_due(made, due));
        assert!(!SCHEDULE.is_due(made, Timestamp::from_millis(due.millis() - 1)));
        assert_eq!(SCHEDULE.active_from(due), made.plus(SCHEDULE.key_lifetime));
    }

    #[test]
    fn signing_key_outlives_its_tokens() {
        let successor_signs = Timestamp::from_millis(0);
        assert!(Schedule::retired_at(successor_signs) > successor_signs.plus(LIFETIME_MAX));
    }
}
