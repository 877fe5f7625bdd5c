//! Serves until the process is asked to stop, then drains.

use std::future::Future;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::gateway::App;
use super::listeners::Listeners;
use crate::config::Config;
use crate::error::Result;
use crate::http;

impl App {
    /// Serves until `stop` completes. Then it reports itself as not ready, waits
    /// `server.shutdown_delay`, and drains: requests in flight may end within
    /// `server.shutdown_grace`.
    ///
    /// # Errors
    /// If the last audit records or usage figures cannot be written.
    pub async fn serve(
        self,
        config: &Config,
        listeners: Listeners,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        self.warn_of_few_descriptors(config);
        let (stopping, stopped) = watch::channel(false);
        let jobs = self.background_jobs().start(config, &stopped);
        let state = self.state.clone();
        let shutdown_delay = config.server.shutdown_delay;
        tokio::spawn(async move {
            stop.await;
            state.stopping.store(true, Ordering::SeqCst);
            tokio::time::sleep(shutdown_delay).await;
            tracing::info!("shutting down");
            stopping.send_replace(true);
        });
        self.serve_until_drained(config, listeners, stopped).await;
        jobs.stop().await?;
        let written = self.core.write_failures().await;
        self.core.usage.flush().await.and(written)
    }

    fn warn_of_few_descriptors(&self, config: &Config) {
        let connections = self.core.budgets.connections.figures().limit;
        if connections < config.budget.connections {
            tracing::warn!(
                connections,
                "open file limit allows fewer connections than budget.connections"
            );
        }
    }

    /// Serves both listeners until all connections have ended or the grace period has.
    async fn serve_until_drained(
        &self,
        config: &Config,
        listeners: Listeners,
        stopped: watch::Receiver<bool>,
    ) {
        let public = http::serve_public(listeners.public, self.state.clone(), stopped.clone());
        let admin = async {
            if let Some(listener) = listeners.admin {
                http::serve_admin(listener, self.state.clone(), stopped.clone()).await;
            }
        };
        let streams = async {
            wait(stopped.clone()).await;
            self.state.streams.shutdown().await;
        };
        let drained = async { tokio::join!(public, admin, streams) };
        let grace_over = async {
            wait(stopped.clone()).await;
            tokio::time::sleep(config.server.shutdown_grace).await;
        };
        tokio::select! {
            _ = drained => {}
            () = grace_over => tracing::warn!("shutdown grace period over; dropping open requests"),
        }
    }
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which also ends the process.
    stopped.wait_for(|stopped| *stopped).await.ok();
}
