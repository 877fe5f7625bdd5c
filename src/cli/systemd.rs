//! Notifications to the service manager: `Type=notify` of systemd, see sd_notify(3). Without a
//! service manager nothing is sent.

use sd_notify::NotifyState;

/// Requests are accepted from now on.
pub fn notify_ready() {
    notify(NotifyState::Ready);
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
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager could not be notified");
    }
}
