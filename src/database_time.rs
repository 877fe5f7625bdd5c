//! The database's time: the one clock that all nodes share.
//!
//! Whatever several nodes compare, as the end of a token, of a lease or of a row to be purged,
//! follows this clock. It is measured from time to time and runs on by the node's monotonic clock
//! in between, so that a wall clock that is set on one node moves nothing. How far the node's wall
//! clock is off is told all the same: its log lines carry that time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::{Clock, MonotonicTime, Timestamp};
use crate::database::Database;
use crate::error::{Error, ErrorCode, Result};

/// A wall clock that differs by more is reported.
pub const SKEW_REPORTED: Duration = Duration::from_secs(5);

/// A node whose wall clock differs by more issues and accepts no tokens.
pub const SKEW_MAX: Duration = Duration::from_secs(60);

/// How often the database's clock is read.
const SYNCHRONIZE_EVERY: Duration = Duration::from_secs(5);

/// A reading that took longer tells too little.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);

/// How well the node's wall clock agrees with the database's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockHealth {
    /// Within [`SKEW_REPORTED`].
    InSync,
    /// Off by more than [`SKEW_REPORTED`].
    Skewed,
    /// Off by more than [`SKEW_MAX`].
    Unusable,
}

/// A clock that shows the database's time. For SQLite that is the machine's own.
pub struct DatabaseTime {
    database: Arc<Database>,
    node: Arc<dyn Clock>,
    /// What stands in for the database's own clock.
    substitute: Option<Arc<dyn Clock>>,
    /// What to add to the monotonic clock, in milliseconds; [`UNMEASURED`] where the wall clock is
    /// the database's.
    offset: AtomicI64,
}

const UNMEASURED: i64 = i64::MIN;

impl DatabaseTime {
    /// Reads the database's clock. A `substitute` stands in for it, so that tests can move it.
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
    /// If the database does not answer; the clock then runs on as before.
    pub async fn synchronize(&self) -> Result<()> {
        self.measure(ROUND_TRIP_MAX).await
    }

    async fn measure(&self, round_trip_max: Duration) -> Result<()> {
        let asked = self.node.monotonic();
        let told = match &self.substitute {
            Some(substitute) => Some(substitute.now()),
            // Its clock is this machine's.
            None if self.database.is_sqlite() => None,
            None => Some(self.database.now().await?),
        };
        let answered = self.node.monotonic();
        let round_trip = answered.since(asked);
        if let Some(told) = told.filter(|_| round_trip <= round_trip_max) {
            // The clock was read halfway between.
            let shown = told.plus(round_trip / 2).millis();
            self.offset.store(shown.saturating_sub(answered.millis()), Ordering::SeqCst);
        }
        Ok(())
    }

    /// How far the node's wall clock is off, in either direction.
    pub fn skew(&self) -> Duration {
        let (shown, wall) = (self.now(), self.node.now());
        shown.since(wall).max(wall.since(shown))
    }

    /// How well the node's wall clock agrees with the database's at this moment.
    pub fn health(&self) -> ClockHealth {
        match self.skew() {
            skew if skew > SKEW_MAX => ClockHealth::Unusable,
            skew if skew > SKEW_REPORTED => ClockHealth::Skewed,
            _ => ClockHealth::InSync,
        }
    }

    /// That this node may issue and accept tokens.
    ///
    /// # Errors
    /// `DATABASE_UNAVAILABLE` while its wall clock is off by more than [`SKEW_MAX`].
    pub fn require_usable(&self) -> Result<()> {
        if self.health() != ClockHealth::Unusable {
            return Ok(());
        }
        let message = "the clock of this node differs from the database's by more than 60 s: it issues and accepts no \
            tokens until its clock is right; ask another node";
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
                tracing::info!(seconds, "the clock agrees with the database's again")
            }
            ClockHealth::Skewed => {
                tracing::warn!(
                    seconds,
                    "the clock differs from the database's by more than 5 s: check NTP"
                );
            }
            ClockHealth::Unusable => tracing::error!(
                seconds,
                "the clock differs from the database's by more than 60 s: this node refuses tokens until it is right"
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
