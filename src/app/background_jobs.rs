//! What a running gateway does by itself, without being asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::{App, Core, link_checks};
use crate::database::Write;
use crate::error::Result;
use crate::http::AppState;
use crate::tokens::REFRESH_EVERY;

/// A mutation has at most one batch of failed authentications before it each time.
const FAILURES_WRITTEN_EVERY: Duration = Duration::from_secs(1);

/// What a gateway does from time to time. Several nodes may do it at once.
pub struct BackgroundJobs {
    core: Core,
    state: Arc<AppState>,
}

impl App {
    /// The background_jobs of this gateway, which [`App::serve`] does every 30 seconds.
    pub fn background_jobs(&self) -> BackgroundJobs {
        BackgroundJobs { core: self.core.clone(), state: self.state.clone() }
    }
}

impl BackgroundJobs {
    /// Makes signing keys in time, takes over those that other nodes made, and forgets what has
    /// expired.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn run_once(&self) -> Result<()> {
        self.core.time.synchronize().await?;
        self.state.keys.refresh().await?;
        self.core.write_failures().await?;
        let forget = async |write: Arc<Write<'_>>| {
            self.core.authorizer.revocations().forget_expired(&write).await?;
            self.state.authenticator.forget_expired(&write).await
        };
        self.core.database.transaction(forget).await
    }

    /// Drops audit records that are older than this.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn prune_audit(&self, retention: Duration) -> Result<()> {
        let before = self.core.environment.clock.now().minus(retention);
        self.core.audit.prune(before).await.map(drop)
    }

    /// Writes failed authentications into the audit log every second, one batch at a time.
    pub(super) async fn run_failure_writer(self, stopped: watch::Receiver<bool>) {
        let mut rounds = tokio::time::interval(FAILURES_WRITTEN_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*stopped.borrow() {
            rounds.tick().await;
            if let Err(error) = self.core.write_failures().await {
                error.log_cause();
            }
        }
    }

    /// Removes what is no longer used at the legacy systems. Apart from the rest, for they may be
    /// slow.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn clean_up(&self) -> Result<()> {
        self.core.deep_security.clean_up().await
    }

    /// Goes on sweeping until the gateway stops; the first time at once, since the process before
    /// may have been killed.
    pub(super) async fn run_cleanup(self, stopped: watch::Receiver<bool>) {
        let mut rounds = tokio::time::interval(REFRESH_EVERY);
        while !*stopped.borrow() {
            rounds.tick().await;
            if let Err(error) = self.clean_up().await {
                error.log_cause();
            }
        }
    }

    /// Asks the installations of links that no check has verified yet for their tenants.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn check_links(&self) -> Result<()> {
        link_checks::run(&self.core).await
    }

    /// Checks links until the gateway stops.
    pub(super) async fn run_link_checks(self, stopped: watch::Receiver<bool>) {
        let mut rounds = tokio::time::interval(REFRESH_EVERY);
        while !*stopped.borrow() {
            rounds.tick().await;
            if let Err(error) = self.check_links().await {
                error.log_cause();
            }
        }
    }

    /// Goes on until the gateway stops. What fails once is tried again at the next round.
    pub(super) async fn run(self, audit_retention: Duration, stopped: watch::Receiver<bool>) {
        let mut rounds = tokio::time::interval(REFRESH_EVERY);
        // The first round comes at once, and the start has just done it.
        rounds.tick().await;
        while !*stopped.borrow() {
            rounds.tick().await;
            for done in [self.run_once().await, self.prune_audit(audit_retention).await] {
                done.unwrap_or_else(|error| error.log_cause());
            }
        }
    }
}
