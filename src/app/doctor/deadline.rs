//! The end of an examination.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::finding::Finding;

/// The moment at which the examination ends, whatever the checks wait for.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    end: Instant,
    limit: Duration,
}

impl Deadline {
    pub(super) fn after(limit: Duration) -> Self {
        Self { end: Instant::now() + limit, limit }
    }

    /// The result of the work; `None` if it is not done in time.
    pub(super) async fn limit<T>(self, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.end, work).await.ok()
    }

    /// The finding of a check, or that it was not done in time.
    pub(super) async fn finding(
        self,
        check: &'static str,
        work: impl Future<Output = Finding>,
    ) -> Finding {
        self.limit(work).await.unwrap_or_else(|| self.missed(check, "the check"))
    }

    /// The finding that something was not done in time.
    pub(super) fn missed(self, check: &'static str, what: &str) -> Finding {
        let detail = format!("{what} was not done within {} s", self.limit.as_secs());
        Finding::failed(check, detail, "run it again with a larger --timeout")
    }
}
