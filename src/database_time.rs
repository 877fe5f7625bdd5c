//! The database's time: the one clock that all nodes share.
//!
//! Times that several nodes compare, such as the end of a token or of a lease, follow this clock. It
//! is measured from time to time and runs on by the node's monotonic clock in between, so that
//! setting the wall clock of a node changes nothing. The skew of the wall clock is reported all the
//! same: log lines carry its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::{Clock, MonotonicTime, Timestamp};
use crate::database::Database;
use crate::error::{Error, ErrorCode, Result};

/// A larger skew of the wall clock is reported.
pub const SKEW_REPORTED: Duration = Duration::from_secs(5);

/// A node with a larger skew of its wall clock issues and accepts no tokens.
pub const SKEW_MAX: Duration = Duration::from_mins(1);

/// How often the database's clock is read.
const SYNCHRONIZE_EVERY: Duration = Duration::from_secs(5);

/// A slower reading is too imprecise and is discarded.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);

/// The agreement of the node's wall clock with the database's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockHealth {
    /// Within [`SKEW_REPORTED`].
    InSync,
    /// Off by more than [`SKEW_REPORTED`].
    Skewed,
    /// Off by more than [`SKEW_MAX`].
    Unusable,
}

/// A clock that shows the database's time. For SQLite that is the time of the machine.
pub struct DatabaseTime {
    database: Arc<Database>,
    node: Arc<dyn Clock>,
    /// A clock in place of the database's, for tests.
    substitute: Option<Arc<dyn Clock>>,
    /// The offset from the monotonic clock, in milliseconds; [`UNMEASURED`] where the wall clock is
    /// the database's.
    offset: AtomicI64,
}

const UNMEASURED: i64 = i64::MIN;

impl DatabaseTime {
    /// Reads the database's clock, or `substitute` in its place, which tests can move.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn measured(
        database: Arc<Database>,
        node: Arc<dyn Clock>,
        substitute: Option<Arc<dyn Clock>>,
    ) -> Result<Self> {
        let time = Self { database, node, substitute, offset: AtomicI64::new(UNMEASURED) };
        time.measure(Duration::MAX).await?;
        Ok(time)
    }

    /// Reads the database's clock again.
    ///
    /// # Errors
    /// If the database does not answer. The clock runs on as before.
    pub async fn synchronize(&self) -> Result<()> {
        self.measure(ROUND_TRIP_MAX).await
    }

    async fn measure(&self, round_trip_max: Duration) -> Result<()> {
        let asked = self.node.monotonic();
        let told = match &self.substitute {
            Some(substitute) => Some(substitute.now()),
            // SQLite has no clock but this machine's.
            None if self.database.is_sqlite() => None,
            None => Some(self.database.now().await?),
        };
        let answered = self.node.monotonic();
        let round_trip = answered.since(asked);
        if let Some(told) = told.filter(|_| round_trip <= round_trip_max) {
            // Assumed to have been read halfway through the round trip.
            let shown = told.plus(round_trip / 2).millis();
            self.offset.store(shown.saturating_sub(answered.millis()), Ordering::SeqCst);
        }
        Ok(())
    }

    /// The skew of the node's wall clock, in either direction.
    pub fn skew(&self) -> Duration {
        let shown = self.now();
        let wall = self.node.now();
        shown.since(wall).max(wall.since(shown))
    }

    /// The present agreement of the node's wall clock with the database's.
    pub fn health(&self) -> ClockHealth {
        match self.skew() {
            skew if skew > SKEW_MAX => ClockHealth::Unusable,
            skew if skew > SKEW_REPORTED => ClockHealth::Skewed,
            _ => ClockHealth::InSync,
        }
    }

    /// Checks that this node may issue and accept tokens.
    ///
    /// # Errors
    /// `DATABASE_UNAVAILABLE` while its wall clock is off by more than [`SKEW_MAX`].
    pub fn require_usable(&self) -> Result<()> {
        if self.health() != ClockHealth::Unusable {
            return Ok(());
        }
        let message = "the clock of this node differs from the database's by more than 60 s: it \
            issues and accepts no tokens until its clock is right; ask another node";
        Err(Error::new(ErrorCode::DatabaseUnavailable, message))
    }

    /// Reads the database's clock every few seconds until the gateway stops, and logs when the
    /// node's own begins or ceases to differ.
    pub async fn keep_synchronized(&self, mut stopped: watch::Receiver<bool>) {
        let mut rounds = interval(SYNCHRONIZE_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = ClockHealth::InSync;
        loop {
            tokio::select! {
                _ = rounds.tick() => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            if let Err(error) = self.synchronize().await {
                error.log_cause();
            }
            let health = self.health();
            if health != known {
                self.log(health);
                known = health;
            }
        }
    }

    fn log(&self, health: ClockHealth) {
        let seconds = self.skew().as_secs_f64();
        match health {
            ClockHealth::InSync => {
                tracing::info!(seconds, "the clock agrees with the database's again");
            }
            ClockHealth::Skewed => {
                tracing::warn!(
                    seconds,
                    "the clock differs from the database's by more than 5 s: check NTP"
                );
            }
            ClockHealth::Unusable => tracing::error!(
                seconds,
                "the clock differs from the database's by more than 60 s: this node refuses tokens \
                 until it is right"
            ),
        }
    }
}

impl Clock for DatabaseTime {
    fn now(&self) -> Timestamp {
        match self.offset.load(Ordering::SeqCst) {
            UNMEASURED => self.node.now(),
            offset => Timestamp::from_millis(self.node.monotonic().millis().saturating_add(offset)),
        }
    }

    fn monotonic(&self) -> MonotonicTime {
        self.node.monotonic()
    }
}
