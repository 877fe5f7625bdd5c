//! `tenant-gateway serve`

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, systemd};
use crate::app::{
    App, Environment, Listeners, Load, Reloader, lock_for_serving, refuse_lost_database,
};
use crate::config::Config;
use crate::telemetry::LogFilter;

/// Serves until it is stopped by a signal. SIGHUP reloads the settings.
pub async fn run(config: &Config, log_filter: &LogFilter, load: Load) -> Result<(), Failure> {
    let stop = told_to_stop()?;
    // Caught from the beginning, since uncaught it would end the process.
    let hangups = signal(SignalKind::hangup())?;
    refuse_lost_database(config)?;
    // Until the process ends.
    let _lock = lock_for_serving(config)?;
    let listeners = Listeners::bind(config).await?;
    let mut app = App::build(config, listeners.issuer(config), Environment::default()).await?;
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
    let reloader = app.reloader(config.clone(), load, log_filter.clone());
    // Connections wait at the listener from here on.
    systemd::notify_ready();
    systemd::spawn_watchdog();
    let reloads = tokio::spawn(reload_when_asked(reloader, hangups));
    let served = app.serve(config, listeners, stop).await;
    reloads.abort();
    core.close().await;
    Ok(served?)
}

/// Reloads the settings at each SIGHUP and each request of the admin listener.
async fn reload_when_asked(mut reloader: Reloader, mut hangups: Signal) {
    loop {
        let request = tokio::select! {
            _ = hangups.recv() => None,
            request = reloader.requested() => Some(request),
        };
        systemd::notify_reloading();
        let result = reloader.reload().await;
        systemd::notify_ready();
        if let Some(request) = request {
            // The one who asked may have disconnected.
            request.send(result).ok();
        }
    }
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
