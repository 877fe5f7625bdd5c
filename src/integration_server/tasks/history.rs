//! The histories that this node's subscribers read: one reader for each task.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, watch};

use super::model::Snapshot;
use crate::ids::TaskId;

/// The most changes that are kept for a slow subscriber; it misses older ones.
const BUFFERED_MAX: usize = 100;

/// The readers of all tasks that have subscribers on this node.
#[derive(Default)]
pub struct HistoryReaders(Mutex<HashMap<TaskId, Weak<HistoryReader>>>);

/// The history of one task, shared by all its subscribers on this node.
pub(super) struct HistoryReader {
    state: Mutex<ReadState>,
    /// Signals that more of the history was read.
    pub(super) changed: watch::Sender<()>,
    /// Signals that there is more to read.
    pub(super) notified: Arc<Notify>,
}

#[derive(Default)]
struct ReadState {
    changes: VecDeque<(i64, Arc<Snapshot>)>,
    last: i64,
    ended: bool,
}

/// The answer to a subscriber that asks for its next change.
pub(super) enum NextChange {
    Change(i64, Arc<Snapshot>),
    Wait,
    End,
}

impl HistoryReaders {
    /// Wakes the reader of a task that has changed on this node.
    pub fn notify(&self, id: TaskId) {
        if let Some(reader) = self.readers().get(&id).and_then(Weak::upgrade) {
            reader.notified.notify_one();
        }
    }

    /// The reader of a task, and whether it is new: the caller must then start it.
    pub(super) fn reader(&self, id: TaskId) -> (Arc<HistoryReader>, bool) {
        let mut readers = self.readers();
        if let Some(reader) = readers.get(&id).and_then(Weak::upgrade) {
            return (reader, false);
        }
        readers.retain(|_, reader| reader.strong_count() > 0);
        let reader = Arc::new(HistoryReader {
            state: Mutex::default(),
            changed: watch::Sender::new(()),
            notified: Arc::new(Notify::new()),
        });
        readers.insert(id, Arc::downgrade(&reader));
        (reader, true)
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<TaskId, Weak<HistoryReader>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HistoryReader {
    fn state(&self) -> MutexGuard<'_, ReadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the last change that was read.
    pub(super) fn last(&self) -> i64 {
        self.state().last
    }

    /// Adds observed changes and notifies the subscribers.
    pub(super) fn append(&self, changes: Vec<(i64, Snapshot)>, ended: bool) {
        {
            let mut state = self.state();
            for (sequence, snapshot) in changes {
                state.last = sequence;
                state.changes.push_back((sequence, Arc::new(snapshot)));
            }
            let surplus = state.changes.len().saturating_sub(BUFFERED_MAX);
            state.changes.drain(..surplus);
            state.ended = ended;
        }
        self.changed.send_replace(());
    }

    /// The first change after the one with that number.
    pub(super) fn after(&self, sequence: i64) -> NextChange {
        let state = self.state();
        match state.changes.iter().find(|(later, _)| *later > sequence) {
            Some((sequence, snapshot)) => NextChange::Change(*sequence, snapshot.clone()),
            None if state.ended => NextChange::End,
            None => NextChange::Wait,
        }
    }
}
