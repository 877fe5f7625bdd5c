//! Subscriptions to a task: its current state, then every change in its history.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio::time::timeout;

use super::history::{HistoryReader, NextChange};
use super::model::Snapshot;
use super::record::TaskRecord;
use super::service::Tasks;
use crate::error::{Error, Result};
use crate::ids::TaskId;

/// How often a reader looks into the history: another node that works on the task cannot notify it.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The position of a subscriber in the history.
struct Subscriber {
    reader: Arc<HistoryReader>,
    changed: watch::Receiver<()>,
    sequence: i64,
    last: Arc<Snapshot>,
    step: Step,
}

enum Step {
    Begin,
    Follow,
    Ended,
}

/// A subscriber before its first event. It misses no change after [`Watcher::begin`].
pub struct Watcher {
    reader: Arc<HistoryReader>,
    changed: watch::Receiver<()>,
}

impl Watcher {
    /// Begins to watch a task.
    pub fn begin(tasks: &Arc<Tasks>, id: TaskId) -> Self {
        let (reader, is_new) = tasks.readers.reader(id);
        if is_new {
            tokio::spawn(keep_reading(tasks.clone(), id, Arc::downgrade(&reader)));
        }
        Self { changed: reader.changed.subscribe(), reader }
    }

    /// Yields the state of a record that was read after [`Watcher::begin`], then each change. The
    /// last state comes twice, because some clients drop the last event of a stream.
    ///
    /// # Errors
    /// If the record holds no state.
    pub fn follow(self, record: &TaskRecord) -> Result<impl Stream<Item = Arc<Snapshot>> + use<>> {
        let last = record.last_snapshot()?;
        let last = last.ok_or_else(|| Error::internal("a visible task has no snapshot"))?;
        let subscriber = Subscriber {
            reader: self.reader,
            changed: self.changed,
            sequence: record.sequence,
            last: Arc::new(last),
            step: Step::Begin,
        };
        Ok(unfold(subscriber, next))
    }
}

async fn next(mut subscriber: Subscriber) -> Option<(Arc<Snapshot>, Subscriber)> {
    match subscriber.step {
        Step::Begin => {
            subscriber.step = Step::Follow;
            return Some((subscriber.last.clone(), subscriber));
        }
        Step::Ended => return None,
        Step::Follow => {}
    }
    loop {
        subscriber.changed.mark_unchanged();
        match subscriber.reader.after(subscriber.sequence) {
            NextChange::Change(sequence, snapshot) => {
                subscriber.sequence = sequence;
                subscriber.last = snapshot.clone();
                return Some((snapshot, subscriber));
            }
            NextChange::End => {
                subscriber.step = Step::Ended;
                return Some((subscriber.last.clone(), subscriber));
            }
            NextChange::Wait => subscriber.changed.changed().await.ok()?,
        }
    }
}

/// Reads the history until the task has ended or its last subscriber is gone.
async fn keep_reading(tasks: Arc<Tasks>, id: TaskId, reader: Weak<HistoryReader>) {
    loop {
        let Some(watched) = reader.upgrade() else { return };
        match tasks.changes(id, watched.last()).await {
            Ok((changes, ended)) => {
                watched.append(changes, ended);
                if ended {
                    return;
                }
            }
            // Read again after the next interval.
            Err(error) => error.log_cause(),
        }
        let notified = watched.notified.clone();
        drop(watched);
        timeout(READ_INTERVAL, notified.notified()).await.ok();
    }
}
