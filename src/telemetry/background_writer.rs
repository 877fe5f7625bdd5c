//! Writes the log on a thread of its own, so that no request waits for a terminal, pipe or disk.
//!
//! Our own, because `tracing-appender` allocates each line, sends it through a channel and frees it
//! on the other thread, and bounds the number of lines but not their bytes.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The most bytes of the lines that wait to be written, and of those that are being written.
/// Further lines are dropped and counted.
const WAITING_MAX: usize = 8 * 1024 * 1024;

/// The largest buffer that is kept after a burst.
const KEPT_MAX: usize = 256 * 1024;

/// The pause after each write. Lines of the pause are written together, and wake no thread.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a process that ends waits for its last lines.
const END_MAX: Duration = Duration::from_secs(1);

/// The lines of this process: only one log is installed, the first.
static WAITING: OnceLock<Arc<Waiting>> = OnceLock::new();

/// How many log lines this process has dropped because too many waited to be written, or because
/// they could not be written.
pub fn dropped_lines() -> u64 {
    WAITING.get().map_or(0, |waiting| waiting.dropped())
}

/// Returns a writer that hands lines to a thread, which passes them on in order. Dropping the guard
/// waits up to a second until all lines are written; a process that is killed loses those of the
/// last few milliseconds. A line in the log tells how many were dropped.
pub(super) fn in_background<W: Write + Send + 'static>(writer: W) -> (LineSender, LogGuard) {
    let waiting = Arc::new(Waiting::default());
    let lines = waiting.clone();
    let thread = thread::Builder::new().name("log".to_owned());
    thread.spawn(move || lines.write_to(writer)).expect("the system starts threads");
    WAITING.get_or_init(|| waiting.clone());
    (LineSender(waiting.clone()), LogGuard(waiting))
}

/// Waits up to a second, when it is dropped, until all lines are written.
#[derive(Debug)]
pub struct LogGuard(Arc<Waiting>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        let mut lines = self.0.lock();
        lines.is_closed = true;
        self.0.changed.notify_all();
        // Whether they were written in time or not, the process ends.
        drop(self.0.changed.wait_timeout_while(lines, END_MAX, |lines| !lines.has_ended));
    }
}

/// Hands each line to the thread, or drops it.
#[derive(Clone, Debug)]
pub(super) struct LineSender(Arc<Waiting>);

impl Write for &LineSender {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineSender {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// The lines that wait to be written.
#[derive(Debug, Default)]
struct Waiting {
    lines: Mutex<Lines>,
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Lines {
    text: Vec<u8>,
    /// Whether the thread waits for a line, which it does not during its pause.
    is_awaited: bool,
    /// Whether the process ends.
    is_closed: bool,
    has_ended: bool,
}

impl Waiting {
    fn add(&self, line: &[u8]) {
        let mut lines = self.lock();
        if lines.has_ended || lines.text.len() + line.len() > WAITING_MAX {
            self.drop_lines(1);
            return;
        }
        lines.text.extend_from_slice(line);
        if mem::take(&mut lines.is_awaited) {
            drop(lines);
            self.changed.notify_all();
        }
    }

    /// Writes lines until the process ends.
    fn write_to(&self, mut writer: impl Write) {
        let mut text = Vec::new();
        let mut reported = 0;
        // Whether the last line was written in part. Nothing is written until its end is.
        let mut is_cut_off = false;
        loop {
            self.take(&mut text);
            if text.is_empty() {
                break;
            }
            let ends_line = !is_cut_off || write_or_wait(&mut writer, b"\n") == 0;
            let unwritten = if ends_line { write_or_wait(&mut writer, &text) } else { text.len() };
            let (written, lost) = text.split_at(text.len() - unwritten);
            is_cut_off = written.last().map_or(!ends_line, |last| *last != b'\n');
            self.drop_lines(lost.split(|byte| *byte == b'\n').skip(1).count() as u64);
            writer.flush().ok();
            text.clear();
            text.shrink_to(KEPT_MAX);
            self.report_dropped(&mut reported);
            self.pause();
        }
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Waits for lines and moves them to `text`, which is empty, and stays so at the end.
    fn take(&self, text: &mut Vec<u8>) {
        let mut lines = self.lock();
        while lines.text.is_empty() && !lines.is_closed {
            lines.is_awaited = true;
            lines = self.changed.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
        lines.is_awaited = false;
        mem::swap(&mut lines.text, text);
    }

    fn pause(&self) {
        drop(self.changed.wait_timeout_while(self.lock(), PAUSE, |lines| !lines.is_closed));
    }

    fn report_dropped(&self, reported: &mut u64) {
        let dropped = self.dropped();
        let since = dropped - mem::replace(reported, dropped);
        if since > 0 {
            tracing::warn!(
                dropped = since,
                "log lines were dropped: they came too fast or could not be written"
            );
        }
    }

    fn drop_lines(&self, number: u64) {
        self.dropped.fetch_add(number, Ordering::Relaxed);
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes text, and returns the number of bytes that could not be written. Another program may have
/// switched the terminal or pipe to not blocking: while it is full, this waits.
fn write_or_wait(writer: &mut impl Write, text: &[u8]) -> usize {
    let mut left = text;
    while !left.is_empty() {
        match writer.write(left) {
            Ok(0) => break,
            Ok(written) => left = &left[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(_) => break,
        }
    }
    left.len()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Keeps the bytes. The first write waits until it may go on.
    struct Held {
        written: Arc<Mutex<Vec<u8>>>,
        go_on: Option<Receiver<()>>,
        writes: Sender<()>,
    }

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes.send(()).ok();
            if let Some(go_on) = self.go_on.take() {
                go_on.recv().unwrap();
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Log {
        lines: LineSender,
        guard: LogGuard,
        written: Arc<Mutex<Vec<u8>>>,
        go_on: Sender<()>,
        writes: Receiver<()>,
    }

    fn log() -> Log {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (go_on, held) = channel();
        let (sent, writes) = channel();
        let writer = Held { written: written.clone(), go_on: Some(held), writes: sent };
        let (lines, guard) = in_background(writer);
        Log { lines, guard, written, go_on, writes }
    }

    impl Log {
        fn write(&self, line: &[u8]) {
            (&self.lines).write_all(line).unwrap();
        }
    }

    #[test]
    fn all_lines_are_written_in_order_when_guard_is_dropped() {
        let log = log();
        let expected: Vec<String> = (0..1_000).map(|number| format!("line {number}\n")).collect();
        for line in &expected {
            log.write(line.as_bytes());
        }
        log.go_on.send(()).unwrap();
        drop(log.guard);
        let written = String::from_utf8(log.written.lock().unwrap().clone()).unwrap();
        assert_eq!(written, expected.concat());
        assert!(log.writes.try_iter().count() < 10, "lines are written together");
    }

    #[test]
    fn lines_beyond_the_most_bytes_are_dropped_and_counted_and_nobody_waits() {
        let log = log();
        log.write(b"first\n");
        // The thread has taken the first line, and hangs.
        log.writes.recv().unwrap();
        let line = vec![b'x'; WAITING_MAX / 4];
        for _ in 0..6 {
            log.write(&line);
        }
        log.write(b"");
        log.write(b"later\n");
        let waiting = log.lines.0.clone();
        assert_eq!(waiting.dropped(), 3);
        log.go_on.send(()).unwrap();
        drop(log.guard);
        assert_eq!(log.written.lock().unwrap().len(), WAITING_MAX + b"first\n".len());
    }

    #[test]
    fn lines_after_the_end_count_as_dropped() {
        let log = log();
        log.go_on.send(()).unwrap();
        drop(log.guard);
        (&log.lines).write_all(b"late\n").unwrap();
        assert_eq!(log.lines.0.dropped(), 1);
        assert_eq!(*log.written.lock().unwrap(), b"");
    }

    /// Answers each write with the next outcome: the most bytes that it takes, or an error.
    struct Scripted {
        outcomes: std::vec::IntoIter<Result<usize, ErrorKind>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = self.outcomes.next().unwrap_or(Ok(usize::MAX))?.min(bytes.len());
            self.written.lock().unwrap().extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The text that is written of these lines, which come at once, and the number of those dropped.
    fn outcome(lines: &[&str], outcomes: Vec<Result<usize, ErrorKind>>) -> (String, u64) {
        let waiting = Waiting::default();
        for line in lines {
            waiting.add(line.as_bytes());
        }
        waiting.lock().is_closed = true;
        let written = Arc::new(Mutex::new(Vec::new()));
        waiting.write_to(Scripted { outcomes: outcomes.into_iter(), written: written.clone() });
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        (written, waiting.dropped())
    }

    #[test]
    fn lines_wait_while_a_pipe_is_full_and_are_all_written() {
        let full = Err(ErrorKind::WouldBlock);
        let outcomes = vec![full, Ok(3), full, full, Ok(4), Err(ErrorKind::Interrupted)];
        assert_eq!(outcome(&["one\n", "two\n"], outcomes), ("one\ntwo\n".to_owned(), 0));
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_as_dropped() {
        let gone = Err(ErrorKind::BrokenPipe);
        let lines = ["one\n", "two\n", "three\n"];
        assert_eq!(outcome(&lines, vec![gone; 9]), (String::new(), 3));
        assert_eq!(outcome(&lines, vec![Ok(6), gone]), ("one\ntw".to_owned(), 2));
    }

    #[test]
    fn line_after_one_that_was_cut_off_begins_a_line() {
        let full = Err(ErrorKind::StorageFull);
        // The end of the first line cannot be written with the second one either.
        let outcomes = vec![Ok(2), full, full].into_iter();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (lines, guard) = in_background(Scripted { outcomes, written: written.clone() });
        for (line, dropped) in [("one\n", 1), ("two\n", 2)] {
            (&lines).write_all(line.as_bytes()).unwrap();
            while lines.0.dropped() < dropped {
                thread::yield_now();
            }
        }
        (&lines).write_all(b"three\n").unwrap();
        drop(guard);
        assert_eq!(*written.lock().unwrap(), b"on\nthree\n");
    }
}
