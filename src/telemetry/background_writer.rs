//! Writes the log on a thread of its own, so that no request waits for a terminal, pipe or disk.

use std::io::{self, BufWriter, Write};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// The most lines that wait to be written. Further ones are dropped and counted.
const LINES_MAX: usize = 8_192;

/// The most bytes that one write takes.
const BYTES_MAX: usize = 64 * 1024;

/// The pause after each write. Lines of the pause are written together, and wake no thread.
const PAUSE: Duration = Duration::from_millis(10);

/// The lines that this process has dropped.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// How many log lines this process has dropped because too many waited to be written.
pub fn dropped_lines() -> u64 {
    DROPPED.get().map_or(0, |counter| counter.dropped_lines() as u64)
}

/// Returns a writer that hands lines to a thread, which passes them on in order. All lines are written
/// when the guard is dropped; a process that is killed loses those of the last few milliseconds.
/// A line in the log tells how many were dropped.
pub(super) fn in_background<W: Write + Send + 'static>(writer: W) -> (NonBlocking, WorkerGuard) {
    let dropped = Arc::new(OnceLock::new());
    let batches = Batches {
        writer: BufWriter::with_capacity(BYTES_MAX, writer),
        dropped: dropped.clone(),
        reported: 0,
    };
    let builder = NonBlockingBuilder::default().buffered_lines_limit(LINES_MAX).lossy(true);
    let (lines, guard) = builder.thread_name("log").finish(batches);
    dropped.get_or_init(|| lines.error_counter());
    // Only one log of a process is installed, the first.
    DROPPED.get_or_init(|| lines.error_counter());
    (lines, guard)
}

/// The library writes each waiting line here, and flushes when none waits.
struct Batches<W: Write> {
    writer: BufWriter<W>,
    dropped: Arc<OnceLock<ErrorCounter>>,
    reported: usize,
}

impl<W: Write> Batches<W> {
    fn report_dropped(&mut self) {
        let dropped = self.dropped.get().map_or(0, ErrorCounter::dropped_lines);
        let since = dropped - self.reported;
        if since > 0 {
            self.reported = dropped;
            tracing::warn!(
                dropped = since,
                "log lines were dropped: they came faster than they \
                 could be written"
            );
        }
    }
}

impl<W: Write> Write for Batches<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.writer.write(line)
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
        lines: NonBlocking,
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
        let counter = log.lines.error_counter();
        log.lines.write_all(b"first\n").unwrap();
        log.writes.recv().unwrap();
        for _ in 0..LINES_MAX + 100 {
            log.lines.write_all(b"line\n").unwrap();
        }
        assert_eq!(counter.dropped_lines(), 100);
        log.go_on.send(()).unwrap();
        drop(log.guard);
        let written = String::from_utf8(log.written.lock().unwrap().clone()).unwrap();
        assert_eq!(written.lines().count(), 1 + LINES_MAX);
    }
}
