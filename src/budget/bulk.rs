//! A runtime of its own for work that keeps a thread busy.
//!
//! The threads that serve connections take turns task by task: one long poll holds up every task
//! behind it. Long work therefore runs on threads of its own, and the operating system, which
//! interrupts a thread at any instruction, shares the cores out between the two. The bulk threads
//! have a lower priority, so that a short request never waits for long work to end.

use std::future::Future;
use std::sync::OnceLock;

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::telemetry::in_current_trace;

/// The nice value of the bulk threads: on a core shared with a normal thread they get about a tenth
/// of the time.
const NICENESS: i32 = 10;

/// Threads for long work. They start with the first such work.
#[derive(Default)]
pub struct BulkRuntime {
    // `None` if the system refused to start threads: long work then runs on the thread of its
    // caller.
    runtime: OnceLock<Option<Runtime>>,
}

impl BulkRuntime {
    /// Runs work on the bulk threads. If the returned future is dropped, the work stops at its next
    /// `await`. A panic of the work is passed on to the caller.
    pub async fn run<F>(&self, work: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let Some(runtime) = self.runtime.get_or_init(start) else { return work.await };
        // Dropped, the set aborts the task.
        let mut task = JoinSet::new();
        task.spawn_on(in_current_trace(work.in_current_span()), runtime.handle());
        match task.join_next().await {
            Some(Ok(output)) => output,
            Some(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down with the process: no caller waits for an answer.
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}

impl Drop for BulkRuntime {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, which panics on a thread of another runtime.
        if let Some(Some(runtime)) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn start() -> Option<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.thread_name("bulk").enable_all().on_thread_start(lower_priority);
    builder
        .build()
        .inspect_err(|cause| tracing::error!(%cause, "no threads for long operations"))
        .ok()
}

fn lower_priority() {
    // On Linux this changes the calling thread only; on other systems it would change the whole
    // process.
    if !cfg!(target_os = "linux") {
        return;
    }
    if let Err(cause) = setpriority_process(None, NICENESS) {
        tracing::debug!(%cause, "the priority of a thread for long operations was not lowered");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn work_runs_on_threads_of_its_own_with_a_lower_priority() {
        let bulk = BulkRuntime::default();
        let (thread, niceness) = bulk
            .run(async {
                (thread::current().id(), rustix::process::getpriority_process(None).unwrap())
            })
            .await;
        assert_ne!(thread, thread::current().id());
        assert_eq!(niceness, NICENESS);
        assert!(rustix::process::getpriority_process(None).unwrap() < NICENESS);
    }

    #[tokio::test]
    async fn short_work_goes_on_while_long_work_never_pauses() {
        let bulk = Arc::new(BulkRuntime::default());
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let long = tokio::spawn({
            let bulk = bulk.clone();
            // Blocks its thread until it is stopped.
            async move { bulk.run(async move { stopped.recv().is_err() }).await }
        });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!long.is_finished());
        drop(stop);
        assert!(long.await.unwrap());
    }

    #[tokio::test]
    async fn dropped_work_stops_and_a_panic_reaches_the_caller() {
        let bulk = Arc::new(BulkRuntime::default());
        let (held, dropped) = oneshot::channel::<()>();
        let work = bulk.run(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        timeout(Duration::from_millis(20), work).await.unwrap_err();
        assert!(dropped.await.is_err(), "the work was dropped");
        let panicked = tokio::spawn(async move { bulk.run(async { panic!("as wanted") }).await });
        assert!(panicked.await.unwrap_err().is_panic());
    }
}
