//! `tenant-gateway serve`

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, systemd};
use crate::app::{App, Environment, Listeners, lock_for_serving, require_database};
use crate::config::Config;

/// Serves until it is stopped by a signal.
pub async fn run(config: &Config) -> Result<(), Failure> {
    let stop = told_to_stop()?;
    require_database(config)?;
    // Until the process ends.
    let _lock = lock_for_serving(config)?;
    let listeners = Listeners::bind(config).await?;
    let app = App::build(config, listeners.issuer(config), Environment::default()).await?;
    let core = app.core().clone();
    core.database.check_content().await?;
    if app.is_uninitialised().await? {
        tracing::warn!(
            "there is no tenant yet: run `tenant-gateway init` to create the first one and its \
             administrator"
        );
    }
    let stop = async move {
        stop.await;
        systemd::notify_stopping();
    };
    // Connections wait at the listener from here on.
    systemd::notify_ready();
    systemd::spawn_watchdog();
    let served = app.serve(config, listeners, stop).await;
    core.close().await;
    Ok(served?)
}

/// Completes at the first SIGTERM, Ctrl-C or SIGHUP (a closed terminal).
pub fn told_to_stop_or_hung_up() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let stop = told_to_stop()?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            () = stop => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Completes at the first SIGTERM or Ctrl-C.
pub fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
