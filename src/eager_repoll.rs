//! Polls a future again at once when it wakes itself.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// How often in a row: about the usual depth of operations. A future that is still not idle then
/// yields to other tasks.
const MAX_POLLS: usize = 16;

/// Not being polled: a wake-up is passed on to the task.
const IDLE: u8 = 0;
/// Being polled, and not woken since the poll began.
const POLLING: u8 = 1;
/// Woken while being polled: to be polled again.
const NOTIFIED: u8 = 2;

#[derive(Default)]
struct WakeState {
    state: AtomicU8,
    task: AtomicWaker,
}

/// Runs a future; if it wakes itself while being polled, it is polled again at once instead of
/// entering the run queue of the runtime.
///
/// hyper wakes its connection when a request's body is first polled, and the executor of the graph
/// wakes itself once for each object around a pending field. The runtime would answer each such
/// wake-up by waking another worker thread, which finds nothing to do or moves the connection to
/// another core.
pub async fn poll_until_idle<F: Future>(future: F) -> F::Output {
    poll_until_idle_and(future, |_| ()).await
}

/// The same, and calls `on_idle` whenever the future is idle. If that wakes the future, it is polled
/// again.
pub async fn poll_until_idle_and<F: Future>(
    future: F,
    mut on_idle: impl FnMut(&mut Context<'_>),
) -> F::Output {
    let mut future = pin!(future);
    let wakes = Arc::new(WakeState::default());
    let waker = Waker::from(wakes.clone());
    poll_fn(|task| {
        wakes.task.register(task.waker());
        for _ in 0..MAX_POLLS {
            // A swap, not a store: it must acquire what was written before the wake-up that it
            // overwrites.
            wakes.state.swap(POLLING, Ordering::AcqRel);
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(output);
            }
            if wakes.state.load(Ordering::Acquire) == POLLING {
                on_idle(task);
            }
            if wakes
                .state
                .compare_exchange(POLLING, IDLE, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                return Poll::Pending;
            }
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

impl Wake for WakeState {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(NOTIFIED, Ordering::AcqRel) == IDLE {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::FutureExt;
    use futures_util::stream::{FuturesUnordered, StreamExt};
    use tokio::sync::oneshot;

    use super::*;

    /// Counts the wake-ups of a task.
    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Task {
        fn wakes(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// A future that wakes itself the given number of times.
    fn restless(times: usize) -> impl Future<Output = usize> {
        let mut polls = 0;
        poll_fn(move |task| {
            polls += 1;
            if polls > times {
                return Poll::Ready(polls);
            }
            task.waker().wake_by_ref();
            Poll::Pending
        })
    }

    #[test]
    fn future_that_wakes_itself_is_polled_to_its_end() {
        let task = Arc::new(Task::default());
        let waker = Waker::from(task.clone());
        let mut future = pin!(poll_until_idle(restless(5)));
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(6));
        assert_eq!(task.wakes(), 0);
    }

    #[test]
    fn restless_future_yields_to_other_tasks() {
        let task = Arc::new(Task::default());
        let waker = Waker::from(task.clone());
        let mut future = pin!(poll_until_idle(restless(MAX_POLLS + 1)));
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending);
        assert_eq!(task.wakes(), 1);
        assert_eq!(
            future.as_mut().poll(&mut Context::from_waker(&waker)),
            Poll::Ready(MAX_POLLS + 2)
        );
        assert_eq!(task.wakes(), 1);
    }

    /// Futures nested as the executor of the graph nests objects.
    fn nested(
        depth: usize,
        inmost: oneshot::Receiver<u8>,
    ) -> futures_util::future::BoxFuture<'static, u8> {
        async move {
            match depth {
                0 => inmost.await.unwrap(),
                _ => FuturesUnordered::from_iter([nested(depth - 1, inmost)]).next().await.unwrap(),
            }
        }
        .boxed()
    }

    #[test]
    fn idle_future_wakes_its_task_once() {
        let task = Arc::new(Task::default());
        let waker = Waker::from(task.clone());
        let (answer, inmost) = oneshot::channel();
        let mut future = pin!(poll_until_idle(nested(5, inmost)));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(task.wakes(), 0);
        answer.send(7).unwrap();
        assert_eq!(task.wakes(), 1);
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(7));
        assert_eq!(task.wakes(), 1);
    }

    #[test]
    fn future_that_on_idle_wakes_is_polled_again_at_once() {
        let task = Arc::new(Task::default());
        let waker = Waker::from(task.clone());
        let (answer, inmost) = oneshot::channel();
        let mut answer = Some(answer);
        let work = nested(3, inmost);
        let mut future = pin!(poll_until_idle_and(work, |_| {
            if let Some(answer) = answer.take() {
                answer.send(7).unwrap();
            }
        }));
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(7));
        assert_eq!(task.wakes(), 0);
    }

    #[test]
    fn wake_up_from_another_thread_is_never_lost() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        for _ in 0..2_000 {
            let (answer, inmost) = oneshot::channel();
            let waits = runtime.spawn(poll_until_idle(nested(3, inmost)));
            answer.send(7).unwrap();
            assert_eq!(runtime.block_on(waits).unwrap(), 7);
        }
    }
}
