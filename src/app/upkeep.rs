//! What a running gateway does by itself, without being asked.

use std::sync::Arc;

use tokio::sync::watch;

use super::{App, Core};
use crate::error::Result;
use crate::http::Door;
use crate::tokens::REFRESH_EVERY;

/// What a gateway does from time to time. Several nodes may do it at once.
pub struct Upkeep {
    core: Core,
    door: Arc<Door>,
}

impl App {
    /// The upkeep of this gateway, which [`App::serve`] does every 30 seconds.
    pub fn upkeep(&self) -> Upkeep {
        Upkeep { core: self.core.clone(), door: self.door.clone() }
    }
}

impl Upkeep {
    /// Makes signing keys in time, takes over those that other nodes made, and forgets what has expired.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn once(&self) -> Result<()> {
        self.door.keys.refresh().await?;
        let write = self.core.database.write().await?;
        self.core.authorizer.revocations().forget_expired(&write).await?;
        self.door.authenticator.forget_expired(&write).await?;
        write.commit().await
    }

    /// Removes what is no longer used at the legacy systems. Apart from the rest, for they may be slow.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn sweep(&self) -> Result<()> {
        self.core.deep_security.sweep().await
    }

    /// Goes on sweeping until the gateway stops; the first time at once, since the process before may have been killed.
    pub(super) async fn go_on_sweeping(self, stopped: watch::Receiver<bool>) {
        let mut rounds = tokio::time::interval(REFRESH_EVERY);
        while !*stopped.borrow() {
            rounds.tick().await;
            if let Err(error) = self.sweep().await {
                error.log_cause();
            }
        }
    }

    /// Goes on until the gateway stops. What fails once is tried again at the next round.
    pub(super) async fn go_on(self, stopped: watch::Receiver<bool>) {
        let mut rounds = tokio::time::interval(REFRESH_EVERY);
        // The first round comes at once, and the start has just done it.
        rounds.tick().await;
        while !*stopped.borrow() {
            rounds.tick().await;
            if let Err(error) = self.once().await {
                error.log_cause();
            }
        }
    }
}
