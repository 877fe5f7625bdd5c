//! Starts requests, decides and redeems them.

mod polls;
mod requests;
mod room;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::entity;
use super::held::HeldRequests;
use super::model::DeviceSettings;
use crate::audit::Audit;
use crate::clock::Clock;
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::Result;

/// How often the database is asked about the codes of held requests, for decisions on other nodes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Codes in one statement.
const LOOKED_UP_AT_ONCE: usize = 500;

/// How long codes are kept after their end, so that programs are told that they have expired.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(1);

/// The requests in a database.
pub struct DeviceAuthorizations {
    database: Arc<Database>,
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: DeviceSettings,
    held: Arc<HeldRequests>,
}

impl DeviceAuthorizations {
    /// The requests in that database.
    pub fn new(
        database: Arc<Database>,
        audit: Arc<Audit>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: DeviceSettings,
    ) -> Self {
        let held = Arc::default();
        Self { database, audit, clock, entropy, settings, held }
    }

    /// Looks for decisions on other nodes for as long as the gateway serves.
    pub async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            self.wake_settled().await.unwrap_or_else(|error| error.log_cause());
        }
    }

    async fn wake_settled(&self) -> Result<()> {
        let now = self.clock.now();
        for codes in self.held.codes().chunks(LOOKED_UP_AT_ONCE) {
            for id in entity::settled(self.database.reader(), codes, now).await? {
                self.held.wake(id);
            }
        }
        Ok(())
    }

    /// Deletes codes that ended a while ago.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        let before = self.clock.now().minus(KEPT_AFTER_EXPIRY);
        Ok(entity::delete_expired(write.on(), before).await?)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
