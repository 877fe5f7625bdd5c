//! Notifications to the service manager: `Type=notify` of systemd, see sd_notify(3). Without a
//! service manager nothing is sent.

use sd_notify::NotifyState;

/// Requests are accepted from now on.
pub fn notify_ready() {
    notify(NotifyState::Ready);
}

/// The settings are read again; [`notify_ready`] ends this (`Type=notify-reload` of systemd 253 and later waits for it).
pub fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager could not be notified"),
    }
}

/// The process is stopping.
pub fn notify_stopping() {
    notify(NotifyState::Stopping);
}

/// Says at half of the watchdog's time, again and again, that tasks are run. Nothing where the unit
/// has no `WatchdogSec=`.
pub fn spawn_watchdog() {
    let Some(time) = sd_notify::watchdog_enabled() else { return };
    let mut rounds = tokio::time::interval(time / 2);
    tokio::spawn(async move {
        loop {
            rounds.tick().await;
            notify(NotifyState::Watchdog);
        }
    });
}

fn notify(state: NotifyState<'_>) {
    send(&[state]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be notified");
    }
}
