//! Reloading the settings of a running gateway.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::config::{Config, ConfigErrors, Setting};
use crate::error::{Error, Result};
use crate::http::{AppState, Cors, ReloadReceiver, ReloadResult, Reloaded, load_trusted};
use crate::telemetry::LogFilter;

/// Reads the settings again, from the same sources as at the start.
pub type Load = Arc<dyn Fn() -> Result<Config, ConfigErrors> + Send + Sync>;

/// Puts changed settings into force: the log filter, limits, rate limits, origins and trusted
/// documents. All of them or, if one is not valid, none.
pub struct Reloader {
    state: Arc<AppState>,
    /// The settings in force.
    config: Config,
    load: Load,
    log_filter: LogFilter,
    requests: ReloadReceiver,
}

impl Reloader {
    pub(super) fn new(
        state: Arc<AppState>,
        config: Config,
        load: Load,
        log_filter: LogFilter,
        requests: ReloadReceiver,
    ) -> Self {
        Self { state, config, load, log_filter, requests }
    }

    /// The next request of the admin listener, to be answered with the result of
    /// [`Reloader::reload`].
    pub async fn requested(&mut self) -> oneshot::Sender<ReloadResult> {
        self.requests.next().await
    }

    /// Reads the settings again and puts them into force. Logs the result.
    ///
    /// # Errors
    /// The reason why the previous settings stay in force.
    pub async fn reload(&mut self) -> ReloadResult {
        match self.read_and_apply().await {
            Ok(done) => {
                log(&done);
                Ok(done)
            }
            Err(error) => {
                let reason = error.explained();
                tracing::error!(reason, "settings not reloaded; the previous ones stay in force");
                Err(reason)
            }
        }
    }

    async fn read_and_apply(&mut self) -> Result<Reloaded> {
        let load = self.load.clone();
        let newer = tokio::task::spawn_blocking(move || {
            let newer = load().map_err(Error::internal)?;
            // Read even if the setting is the same: the file may have other documents.
            let trusted = load_trusted(&newer)?;
            Ok::<_, Error>((newer, trusted))
        });
        let (newer, trusted) = newer.await.map_err(Error::internal)??;
        let reloaded = self.config.reloaded(&newer);
        let applied = self.config.changed_settings(&reloaded);
        let needs_restart = reloaded.changed_settings(&newer);
        self.log_filter.replace(&reloaded.log.filter)?;
        let is_in_limits = |setting: &Setting| setting.key().starts_with("limits.");
        let limits = reloaded.limits.clone();
        self.state.graphql.replace(limits, applied.iter().any(is_in_limits), trusted);
        self.state.rate_limits.reload(&reloaded.rate_limit);
        self.state.cors.store(Arc::new(Cors::new(&reloaded.cors.allowed_origins)));
        self.config = reloaded;
        let keys = |settings: Vec<Setting>| settings.iter().map(Setting::key).collect();
        Ok(Reloaded { applied: keys(applied), needs_restart: keys(needs_restart) })
    }
}

fn log(done: &Reloaded) {
    tracing::info!(applied = done.applied.join(", "), "settings reloaded");
    if !done.needs_restart.is_empty() {
        let settings = done.needs_restart.join(", ");
        tracing::warn!(settings, "changed settings take effect at the next restart only");
    }
}
