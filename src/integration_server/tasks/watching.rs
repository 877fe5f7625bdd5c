//! What subscribers read: one reader of a task's history on each node, however many they are.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::Tasks;
use super::model::{Record, Snapshot};
use crate::error::{Error, Result};
use crate::ids::TaskId;

/// How often the history of a watched task is read where another node goes on with it.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Changes that a slow subscriber may be behind; past that it goes on with what there is.
const BEHIND_MAX: usize = 100;

/// The tasks that somebody on this node watches.
#[derive(Default)]
pub struct Watched(Mutex<HashMap<TaskId, Weak<Reader>>>);

/// Reads the history of one task for all who watch it here.
struct Reader {
    read: Mutex<Read>,
    /// Changes whenever more was read.
    changed: watch::Sender<()>,
    poked: Arc<Notify>,
}

#[derive(Default)]
struct Read {
    changes: VecDeque<(i64, Arc<Snapshot>)>,
    last: i64,
    ended: bool,
}

impl Watched {
    /// Says that a task has changed on this node.
    pub fn poke(&self, id: TaskId) {
        if let Some(reader) = self.readers().get(&id).and_then(Weak::upgrade) {
            reader.poked.notify_one();
        }
    }

    /// The reader of a task, and whether it is a new one that has to be set going.
    fn reader(&self, id: TaskId) -> (Arc<Reader>, bool) {
        let mut readers = self.readers();
        if let Some(reader) = readers.get(&id).and_then(Weak::upgrade) {
            return (reader, false);
        }
        readers.retain(|_, reader| reader.strong_count() > 0);
        let (changed, _) = watch::channel(());
        let reader =
            Arc::new(Reader { read: Mutex::default(), changed, poked: Arc::new(Notify::new()) });
        readers.insert(id, Arc::downgrade(&reader));
        (reader, true)
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<TaskId, Weak<Reader>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn read(&self) -> MutexGuard<'_, Read> {
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
            let surplus = read.changes.len().saturating_sub(BEHIND_MAX);
            read.changes.drain(..surplus);
            read.ended = ended;
        }
        self.changed.send_replace(());
        Ok(!ended)
    }

    /// The first change after one of them.
    fn after(&self, sequence: i64) -> Next {
        let read = self.read();
        match read.changes.iter().find(|(later, _)| *later > sequence) {
            Some((sequence, snapshot)) => Next::Change(*sequence, snapshot.clone()),
            None if read.ended => Next::End,
            None => Next::Wait,
        }
    }
}

enum Next {
    Change(i64, Arc<Snapshot>),
    Wait,
    End,
}

/// Where a subscriber is.
struct Place {
    reader: Arc<Reader>,
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
    reader: Arc<Reader>,
    changed: watch::Receiver<()>,
}

impl Watcher {
    /// Begins to watch.
    pub fn begin(tasks: &Arc<Tasks>, id: TaskId) -> Self {
        let (reader, is_new) = tasks.watched.reader(id);
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
    pub fn follow(self, record: &Record) -> Result<impl Stream<Item = Arc<Snapshot>> + use<>> {
        let text = record.snapshot.as_deref();
        let text = text.ok_or_else(|| Error::internal("a task that is shown was never seen"))?;
        let Self { reader, changed } = self;
        let (sequence, last) = (record.sequence, Arc::new(Snapshot::read(text)?));
        Ok(unfold(Place { reader, changed, sequence, last, step: Step::Begin }, next))
    }
}

async fn next(mut place: Place) -> Option<(Arc<Snapshot>, Place)> {
    match place.step {
        Step::Begin => {
            place.step = Step::Follow;
            return Some((place.last.clone(), place));
        }
        Step::Ended => return None,
        Step::Follow => {}
    }
    loop {
        place.changed.mark_unchanged();
        match place.reader.after(place.sequence) {
            Next::Change(sequence, snapshot) => {
                (place.sequence, place.last) = (sequence, snapshot.clone());
                return Some((snapshot, place));
            }
            Next::End => {
                place.step = Step::Ended;
                return Some((place.last.clone(), place));
            }
            Next::Wait => place.changed.changed().await.ok()?,
        }
    }
}

/// Goes on until the task has ended or nobody watches it any more.
async fn keep_reading(tasks: Arc<Tasks>, id: TaskId, reader: Weak<Reader>) {
    loop {
        let Some(watched) = reader.upgrade() else { return };
        match watched.read_on(&tasks, id).await {
            Ok(true) => {}
            Ok(false) => return,
            // Tried again at the next round.
            Err(error) => error.log_cause(),
        }
        let poked = watched.poked.clone();
        drop(watched);
        timeout(READ_EVERY, poked.notified()).await.ok();
    }
}
