//! Work that outlives its request: WebSockets, event streams, mutations whose client may have
//! disconnected, and audit records written behind a response.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How long a stream may take to end after shutdown has begun.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(4);

/// Tracks what shutdown has to wait for, and notifies it when shutdown begins.
#[derive(Default)]
pub struct StreamRegistry {
    running: TaskTracker,
    shutdown: CancellationToken,
}

/// One tracked stream or task: shutdown waits until this is dropped.
pub struct StreamGuard {
    shutdown: CancellationToken,
    _tracked: TaskTrackerToken,
}

impl StreamRegistry {
    /// Tracks one more stream or task for as long as the guard lives.
    pub fn register(&self) -> StreamGuard {
        StreamGuard { shutdown: self.shutdown.clone(), _tracked: self.running.token() }
    }

    /// Asks all streams to end, and waits until every guard is dropped.
    pub async fn shutdown(&self) {
        self.shutdown.cancel();
        self.running.close();
        self.running.wait().await;
    }
}

impl StreamGuard {
    /// Completes once shutdown has begun.
    pub async fn shutdown_requested(&self) {
        self.shutdown.cancelled().await;
    }

    /// Completes once shutdown has lasted for the drain timeout, 4 s.
    pub fn drain_timeout_elapsed(&self) -> impl Future<Output = ()> + Send + use<> {
        let shutdown = self.shutdown.clone();
        async move {
            shutdown.cancelled().await;
            tokio::time::sleep(DRAIN_TIMEOUT).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn shutdown_waits_for_every_guard() {
        let registry = StreamRegistry::default();
        let early = registry.register();
        assert!(early.shutdown_requested().now_or_never().is_none());
        let mut shutdown = Box::pin(registry.shutdown());
        assert!(shutdown.as_mut().now_or_never().is_none());
        // A mutation that began before shutdown may still record its refusals.
        let late = registry.register();
        drop(early);
        assert!(shutdown.as_mut().now_or_never().is_none());
        late.shutdown_requested().await;
        drop(late);
        shutdown.await;
    }

    #[tokio::test(start_paused = true)]
    async fn drain_timeout_begins_with_shutdown() {
        let registry = StreamRegistry::default();
        let guard = registry.register();
        let drained = guard.drain_timeout_elapsed();
        let started = Instant::now();
        tokio::join!(registry.shutdown(), async {
            drained.await;
            drop(guard);
        });
        assert_eq!(started.elapsed(), DRAIN_TIMEOUT);
    }
}
