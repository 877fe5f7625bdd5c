//! What subscribers read: one reader of a task's history on each node, however many they are.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::Tasks;
use super::model::{Snapshot, TaskRecord};
use crate::error::{Error, Result};
use crate::ids::TaskId;

/// How often the history of a watched task is read where another node goes on with it.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// Changes that a slow subscriber may be behind; past that it goes on with what there is.
const BUFFERED_MAX: usize = 100;

/// The tasks that somebody on this node watches.
#[derive(Default)]
pub struct HistoryReaders(Mutex<HashMap<TaskId, Weak<HistoryReader>>>);

/// Reads the history of one task for all who watch it here.
struct HistoryReader {
    read: Mutex<ReadState>,
    /// Changes whenever more was read.
    changed: watch::Sender<()>,
    notified: Arc<Notify>,
}

#[derive(Default)]
struct ReadState {
    changes: VecDeque<(i64, Arc<Snapshot>)>,
    last: i64,
    ended: bool,
}

impl HistoryReaders {
    /// Says that a task has changed on this node.
    pub fn notify(&self, id: TaskId) {
        if let Some(reader) = self.readers().get(&id).and_then(Weak::upgrade) {
            reader.notified.notify_one();
        }
    }

    /// The reader of a task, and whether it is a new one that has to be set going.
    fn reader(&self, id: TaskId) -> (Arc<HistoryReader>, bool) {
        let mut readers = self.readers();
        if let Some(reader) = readers.get(&id).and_then(Weak::upgrade) {
            return (reader, false);
        }
        readers.retain(|_, reader| reader.strong_count() > 0);
        let (changed, _) = watch::channel(());
        let reader = Arc::new(HistoryReader {
            read: Mutex::default(),
            changed,
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
    fn read(&self) -> MutexGuard<'_, ReadState> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on. Whether more may come.
    async fn read_on(&self, tasks: &Tasks, id: TaskId) -> Result<bool> {
        let last = self.read().last;
        let (changes, ended) = tasks.changes(id, last).await?;
        {
            let mut read = self.read();
            for (sequence, snapshot) in changes {
                read.last = sequence;
                read.changes.push_back((sequence, Arc::new(snapshot)));
            }
            let surplus = read.changes.len().saturating_sub(BUFFERED_MAX);
            read.changes.drain(..surplus);
            read.ended = ended;
        }
        self.changed.send_replace(());
        Ok(!ended)
    }

    /// The first change after one of them.
    fn after(&self, sequence: i64) -> NextChange {
        let read = self.read();
        match read.changes.iter().find(|(later, _)| *later > sequence) {
            Some((sequence, snapshot)) => NextChange::Change(*sequence, snapshot.clone()),
            None if read.ended => NextChange::End,
            None => NextChange::Wait,
        }
    }
}

enum NextChange {
    Change(i64, Arc<Snapshot>),
    Wait,
    End,
}

/// Where a subscriber is.
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

/// Somebody who is about to watch a task: what changes from now on will not be missed.
pub struct Watcher {
    reader: Arc<HistoryReader>,
    changed: watch::Receiver<()>,
}

impl Watcher {
    /// Begins to watch.
    pub fn begin(tasks: &Arc<Tasks>, id: TaskId) -> Self {
        let (reader, is_new) = tasks.readers.reader(id);
        if is_new {
            tokio::spawn(keep_reading(tasks.clone(), id, Arc::downgrade(&reader)));
        }
        Self { changed: reader.changed.subscribe(), reader }
    }

    /// The state of a record that was read since at once, then each change. The last state is said
    /// twice, since some clients drop the last event of a stream.
    ///
    /// # Errors
    /// If the record holds no state.
    pub fn follow(self, record: &TaskRecord) -> Result<impl Stream<Item = Arc<Snapshot>> + use<>> {
        let text = record.snapshot.as_deref();
        let text = text.ok_or_else(|| Error::internal("a task that is shown was never seen"))?;
        let Self { reader, changed } = self;
        let (sequence, last) = (record.sequence, Arc::new(Snapshot::read(text)?));
        Ok(unfold(Subscriber { reader, changed, sequence, last, step: Step::Begin }, next))
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
                (subscriber.sequence, subscriber.last) = (sequence, snapshot.clone());
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

/// Goes on until the task has ended or nobody watches it any more.
async fn keep_reading(tasks: Arc<Tasks>, id: TaskId, reader: Weak<HistoryReader>) {
    loop {
        let Some(watched) = reader.upgrade() else { return };
        match watched.read_on(&tasks, id).await {
            Ok(true) => {}
            Ok(false) => return,
            // Tried again at the next round.
            Err(error) => error.log_cause(),
        }
        let notified = watched.notified.clone();
        drop(watched);
        timeout(READ_INTERVAL, notified.notified()).await.ok();
    }
}
