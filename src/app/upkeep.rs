//! What a running gateway does by itself, without being asked.

use std::sync::Arc;

use tokio::sync::watch;

use super::{App, Core};
use crate::error::Result;
use crate::http::Door;
use crate::tokens::REFRESH_EVERY;

impl App {
    /// Makes signing keys in time, takes over those that other nodes made, and forgets what has expired. Run by
    /// [`App::serve`] every [`REFRESH_EVERY`]; several nodes may do it at once.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn upkeep(&self) -> Result<()> {
        upkeep(&self.core, &self.door).await
    }
}

async fn upkeep(core: &Core, door: &Door) -> Result<()> {
    door.keys.refresh().await?;
    let write = core.database.write().await?;
    core.authorizer.revocations().forget_expired(&write).await?;
    door.authenticator.forget_expired(&write).await?;
    write.commit().await
}

/// Goes on until the gateway stops. What fails once is tried again at the next round.
pub(super) async fn keep_up(core: Core, door: Arc<Door>, stopped: watch::Receiver<bool>) {
    let mut rounds = tokio::time::interval(REFRESH_EVERY);
    // The first round comes at once, and the start has just done it.
    rounds.tick().await;
    while !*stopped.borrow() {
        rounds.tick().await;
        if let Err(error) = upkeep(&core, &door).await {
            error.log_cause();
        }
    }
}
