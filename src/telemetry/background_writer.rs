//! Writes the log on a thread of its own, so that no request waits for a terminal, pipe or disk.

use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

/// The most lines that wait to be written. Further ones are dropped and counted.
const LINES_MAX: usize = 8_192;

/// The most bytes of all lines that wait: the number alone bounds no memory, since a line can be
/// long.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most bytes that one write takes.
const BYTES_MAX: usize = 64 * 1024;

/// The pause after each write. Lines of the pause are written together, and wake no thread.
const PAUSE: Duration = Duration::from_millis(10);

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
pub(super) fn in_background<W: Write + Send + 'static>(writer: W) -> (LineSender, WorkerGuard) {
    let waiting = Arc::new(Waiting::default());
    let batches = Batches {
        writer: BufWriter::with_capacity(BYTES_MAX, writer),
        waiting: waiting.clone(),
        reported: 0,
    };
    // Never full, since lines are counted before they are sent: the last place is for the end.
    let builder = NonBlockingBuilder::default().buffered_lines_limit(LINES_MAX + 1).lossy(true);
    let (lines, guard) = builder.thread_name("log").finish(batches);
    WAITING.get_or_init(|| waiting.clone());
    (LineSender { lines, waiting }, guard)
}

/// The lines that wait to be written.
#[derive(Debug, Default)]
struct Waiting {
    lines: AtomicUsize,
    bytes: AtomicUsize,
    dropped: AtomicU64,
}

impl Waiting {
    /// Takes room for a line; without room the line counts as dropped.
    fn enter(&self, bytes: usize) -> bool {
        let has_place = self.lines.fetch_add(1, Ordering::AcqRel) < LINES_MAX;
        let before = self.bytes.fetch_add(bytes, Ordering::AcqRel);
        let has_room = has_place && before.saturating_add(bytes) <= WAITING_BYTES_MAX;
        if !has_room {
            self.leave(bytes);
            self.drop_line();
        }
        has_room
    }

    fn leave(&self, bytes: usize) {
        self.lines.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    fn drop_line(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Sends each line to the thread, or drops it.
#[derive(Clone, Debug)]
pub(super) struct LineSender {
    lines: NonBlocking,
    waiting: Arc<Waiting>,
}

impl Write for LineSender {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.waiting.enter(line.len()) {
            self.lines.write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineSender {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The library writes each waiting line here, and flushes when none waits.
struct Batches<W: Write> {
    writer: BufWriter<W>,
    waiting: Arc<Waiting>,
    reported: u64,
}

impl<W: Write> Batches<W> {
    fn report_dropped(&mut self) {
        let dropped = self.waiting.dropped();
        let since = dropped - self.reported;
        if since > 0 {
            self.reported = dropped;
            tracing::warn!(
                dropped = since,
                "log lines were dropped: they came faster than they could be written"
            );
        }
    }
}

impl<W: Write> Write for Batches<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    /// Writes a whole line.
    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.writer.write_all(line);
        self.waiting.leave(line.len());
        if written.is_err() {
            self.waiting.drop_line();
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()?;
        self.report_dropped();
        thread::sleep(PAUSE);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
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
        guard: WorkerGuard,
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

    #[test]
    fn all_lines_are_written_in_order_when_guard_is_dropped() {
        let mut log = log();
        let expected: Vec<String> = (0..1_000).map(|number| format!("line {number}\n")).collect();
        for line in &expected {
            log.lines.write_all(line.as_bytes()).unwrap();
        }
        log.go_on.send(()).unwrap();
        drop(log.guard);
        let written = String::from_utf8(log.written.lock().unwrap().clone()).unwrap();
        assert_eq!(written, expected.concat());
        assert!(log.writes.try_iter().count() < 10, "lines are written together");
    }

    #[test]
    fn line_beyond_the_most_is_dropped_and_counted_and_nobody_waits() {
        let mut log = log();
        let waiting = log.lines.waiting.clone();
        log.lines.write_all(b"first\n").unwrap();
        log.writes.recv().unwrap();
        for _ in 0..LINES_MAX + 100 {
            log.lines.write_all(b"line\n").unwrap();
        }
        assert_eq!(waiting.dropped(), 100);
        log.go_on.send(()).unwrap();
        drop(log.guard);
        let written = String::from_utf8(log.written.lock().unwrap().clone()).unwrap();
        assert_eq!(written.lines().count(), 1 + LINES_MAX);
    }
    #[test]
    fn long_lines_are_dropped_before_they_fill_the_memory() {
        let mut log = log();
        let waiting = log.lines.waiting.clone();
        log.lines.write_all(b"first\n").unwrap();
        log.writes.recv().unwrap();
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..20 {
            log.lines.write_all(&line).unwrap();
        }
        assert_eq!(waiting.dropped(), 4);
        log.lines.write_all(b"").unwrap();
        log.go_on.send(()).unwrap();
        drop(log.guard);
        assert_eq!(log.written.lock().unwrap().len(), WAITING_BYTES_MAX + b"first\n".len());
        assert_eq!(waiting.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn line_that_cannot_be_written_is_counted_as_dropped() {
        struct Gone;

        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let waiting = Arc::new(Waiting::default());
        let writer = BufWriter::with_capacity(8, Gone);
        let mut batches = Batches { writer, waiting: waiting.clone(), reported: 0 };
        let line = b"longer than the buffer\n";
        assert!(waiting.enter(line.len()));
        batches.write_all(line).unwrap_err();
        assert_eq!(waiting.dropped(), 1);
        assert_eq!(waiting.lines.load(Ordering::Relaxed), 0);
    }
}
