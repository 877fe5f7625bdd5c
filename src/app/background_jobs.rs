//! The periodic jobs of a running gateway.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::core::Core;
use super::link_checks;
use crate::config::Config;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::http::AppState;
use crate::tokens::REFRESH_EVERY;
use crate::users::FAILURE_ROWS_MAX;

/// Short, because a mutation may have to wait for one batch of failed authentications.
const WRITE_FAILURES_EVERY: Duration = Duration::from_secs(1);

/// The periodic jobs. Several nodes may run them at the same time.
#[derive(Clone)]
pub struct BackgroundJobs {
    core: Core,
    state: Arc<AppState>,
}

/// The jobs of a serving gateway.
pub(super) struct RunningJobs {
    periodic: Vec<JoinHandle<()>>,
    /// Polls the tasks of legacy systems; it ends by itself, after releasing its tasks to other
    /// nodes.
    task_poller: JoinHandle<()>,
}

impl BackgroundJobs {
    pub(super) fn new(core: Core, state: Arc<AppState>) -> Self {
        Self { core, state }
    }

    /// Starts all jobs.
    pub(super) fn start(self, config: &Config, stopped: &watch::Receiver<bool>) -> RunningJobs {
        let flush_every = config.clients.usage_flush;
        let audit_retention = config.audit.retention;
        let time = self.core.time.clone();
        let time_stopped = stopped.clone();
        let poller = self.core.integration_server.poller();
        RunningJobs {
            task_poller: tokio::spawn(poller.run(stopped.clone())),
            periodic: vec![
                tokio::spawn(self.clone().run_usage_flush(flush_every, stopped.clone())),
                tokio::spawn(self.clone().run_failure_writer(stopped.clone())),
                tokio::spawn(async move { time.keep_synchronized(time_stopped).await }),
                tokio::spawn(self.clone().run_cleanup(stopped.clone())),
                tokio::spawn(self.clone().run_link_checks(stopped.clone())),
                tokio::spawn(self.core.devices.clone().run(stopped.clone())),
                tokio::spawn(self.run(audit_retention, stopped.clone())),
            ],
        }
    }

    /// Rotates signing keys, adopts those of other nodes, and deletes expired records.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn run_once(&self) -> Result<()> {
        self.core.time.synchronize().await?;
        self.state.keys.refresh().await?;
        // They stay in the queue, and must not keep expired records from being deleted.
        self.core.write_failures().await.unwrap_or_else(|error| error.log_cause());
        let forget = async |write: Arc<Write<'_>>| {
            self.core.authorizer.revocations().forget_expired(&write).await?;
            self.core.users.forget_expired(&write, FAILURE_ROWS_MAX).await?;
            self.core.sessions.forget_expired(&write).await?;
            self.core.devices.forget_expired(&write).await?;
            self.core.single_sign_on.forget_expired(&write).await?;
            self.state.passkeys.forget_expired(&write).await?;
            self.state.authenticator.forget_expired(&write).await
        };
        self.core.database.transaction(forget).await
    }

    /// Deletes audit records older than `retention`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn prune_audit(&self, retention: Duration) -> Result<()> {
        let before = self.core.environment.clock.now().minus(retention);
        self.core.audit.prune(before).await.map(drop)
    }

    /// Deletes unused objects in the legacy systems. A job of its own, because those may be slow.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn clean_up(&self) -> Result<()> {
        self.core.deep_security.clean_up().await
    }

    /// Verifies links that no check has verified yet, by asking their installations.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn check_links(&self) -> Result<()> {
        link_checks::run(&self.core).await
    }

    /// Runs the checks of links until the gateway stops.
    async fn run_link_checks(self, stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(REFRESH_EVERY);
        while !*stopped.borrow() {
            ticks.tick().await;
            self.check_links().await.unwrap_or_else(|error| error.log_cause());
        }
    }

    /// Runs the jobs of this node's own database until the gateway stops. A job that fails runs
    /// again at the next tick.
    async fn run(self, audit_retention: Duration, stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(REFRESH_EVERY);
        // Skip the first tick, which is immediate: the start of the gateway has just done the work.
        ticks.tick().await;
        while !*stopped.borrow() {
            ticks.tick().await;
            for outcome in [self.run_once().await, self.prune_audit(audit_retention).await] {
                outcome.unwrap_or_else(|error| error.log_cause());
            }
        }
    }

    /// Runs the cleanup until the gateway stops; first at once, because the process before may have
    /// been killed.
    async fn run_cleanup(self, stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(REFRESH_EVERY);
        while !*stopped.borrow() {
            ticks.tick().await;
            self.clean_up().await.unwrap_or_else(|error| error.log_cause());
        }
    }

    /// Writes failed authentications into the audit log every second, one batch at a time.
    async fn run_failure_writer(self, stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(WRITE_FAILURES_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*stopped.borrow() {
            ticks.tick().await;
            self.core.write_failures().await.unwrap_or_else(|error| error.log_cause());
        }
    }

    /// Writes when clients last used their credentials.
    async fn run_usage_flush(self, every: Duration, stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(every);
        while !*stopped.borrow() {
            ticks.tick().await;
            self.core.usage.flush().await.unwrap_or_else(|error| error.log_cause());
        }
    }
}

impl RunningJobs {
    /// Stops all jobs.
    ///
    /// # Errors
    /// If the task poller panicked.
    pub(super) async fn stop(self) -> Result<()> {
        self.periodic.iter().for_each(JoinHandle::abort);
        self.task_poller.await.map_err(Error::internal)
    }
}
