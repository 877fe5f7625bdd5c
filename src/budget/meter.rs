//! Metering of the memory that the response of one operation takes while it is built.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use uuid::Uuid;

use super::pool::{Exhausted, Permit};
use crate::error::{Error, ErrorCode, Result};

/// Permits are taken in steps of this many bytes, so that most values cost one atomic addition.
const STEP: usize = 64 * 1024;

/// Bytes that every response reserves at its start.
pub const RESPONSE_BEGINNING: usize = STEP;

/// The size of a value of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes of JSON.
    pub json: usize,
    /// Bytes of memory until it is serialized.
    pub memory: usize,
}

/// Counts the size of a response against the largest response allowed and against the node's
/// budget.
pub struct ResponseMeter {
    largest: usize,
    json: AtomicUsize,
    /// Bytes of memory of the values, and of what the response holds in addition to them.
    values: AtomicUsize,
    extra: AtomicUsize,
    reserved: AtomicUsize,
    permit: Mutex<Permit<Uuid>>,
    builders: Arc<Semaphore>,
    patience: Duration,
    /// Held while a part waits, so that at most one of a response does.
    waiting: tokio::sync::Mutex<()>,
    failed: OnceLock<Error>,
}

impl ResponseMeter {
    /// Creates the meter of a response of at most `largest` bytes of JSON that starts with the units
    /// of `permit`. Its long parts are built under permits of `builders`; its first one waits for
    /// memory for at most `patience`.
    pub fn new(
        largest: usize,
        permit: Permit<Uuid>,
        builders: Arc<Semaphore>,
        patience: Duration,
    ) -> Self {
        Self {
            largest,
            json: AtomicUsize::new(0),
            values: AtomicUsize::new(0),
            extra: AtomicUsize::new(0),
            reserved: AtomicUsize::new(permit.units()),
            permit: Mutex::new(permit),
            builders,
            patience,
            waiting: tokio::sync::Mutex::default(),
            failed: OnceLock::new(),
        }
    }

    /// Waits for a permit to build a long part, so that few threads are busy with long lists at
    /// once.
    pub async fn build_permit(&self) -> Option<SemaphorePermit<'_>> {
        self.builders.acquire().await.ok()
    }

    /// Reserves memory for a long part that was read from an upstream, before it is built. The first
    /// part of a response waits for it, since a refusal would waste the read. Later ones do not: two
    /// responses that each hold what the other waits for would wait in vain.
    ///
    /// # Errors
    /// As [`ResponseMeter::charge`].
    pub async fn reserve_part(&self, bytes: usize) -> Result<()> {
        let _waiting = self.waiting.lock().await;
        if let Some(error) = self.failed.get() {
            return Err(error.clone());
        }
        let (held, mut part) = {
            let permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
            (permit.units(), permit.none())
        };
        if held > RESPONSE_BEGINNING {
            return Ok(());
        }
        match part.grow(bytes.next_multiple_of(STEP), Instant::now() + self.patience).await {
            Ok(()) => {
                let mut permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
                permit.absorb(part);
                self.reserved.store(permit.units(), Ordering::Relaxed);
                Ok(())
            }
            Err(exhausted) => Err(self.refuse(exhausted)),
        }
    }

    /// Counts a value that was built. It never waits: two responses that wait for each other's
    /// permits would deadlock.
    ///
    /// # Errors
    /// `OPERATION_TOO_COSTLY` if the response is larger than one may be, `RATE_LIMITED` if the
    /// caller's other responses hold its share. Every later value fails with the same error.
    pub fn charge(&self, weight: Weight) -> Result<()> {
        if let Some(error) = self.failed.get() {
            return Err(error.clone());
        }
        let json = self.json.fetch_add(weight.json, Ordering::Relaxed) + weight.json;
        let values = self.values.fetch_add(weight.memory, Ordering::Relaxed) + weight.memory;
        if json > self.largest {
            return Err(self.exceed());
        }
        let memory = values + self.extra.load(Ordering::Relaxed);
        if memory <= self.reserved.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.reserve(memory)
    }

    /// Counts memory that the response holds in addition to its values, such as text that they
    /// refer to.
    ///
    /// # Errors
    /// As [`ResponseMeter::charge`].
    pub fn charge_extra(&self, bytes: usize) -> Result<()> {
        self.extra.fetch_add(bytes, Ordering::Relaxed);
        self.charge(Weight::default())
    }

    /// Counts the values of a complete response, some of which were charged before.
    ///
    /// # Errors
    /// As [`ResponseMeter::charge`].
    pub fn charge_total(&self, total: Weight) -> Result<()> {
        self.charge(Weight {
            json: total.json.saturating_sub(self.json.load(Ordering::Relaxed)),
            memory: total.memory.saturating_sub(self.values.load(Ordering::Relaxed)),
        })
    }

    /// Fails a response that would exceed its largest size.
    pub fn exceed(&self) -> Error {
        self.fail(too_large(self.largest))
    }

    /// The most bytes of JSON.
    pub fn largest(&self) -> usize {
        self.largest
    }

    /// The approximate number of bytes of JSON so far.
    pub fn size(&self) -> usize {
        self.json.load(Ordering::Relaxed).min(self.largest)
    }

    /// The error that values fail with, if they do.
    pub fn failure(&self) -> Option<&Error> {
        self.failed.get()
    }

    /// The permit of the response, to be held until the response is sent.
    pub fn into_permit(self) -> Permit<Uuid> {
        self.permit.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, memory: usize) -> Result<()> {
        let mut permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = memory.saturating_sub(permit.units());
        if missing == 0 {
            return Ok(());
        }
        match permit.try_grow(missing.next_multiple_of(STEP)) {
            Ok(()) => {
                self.reserved.store(permit.units(), Ordering::Relaxed);
                Ok(())
            }
            Err(exhausted) => Err(self.refuse(exhausted)),
        }
    }

    fn refuse(&self, exhausted: Exhausted) -> Error {
        match exhausted {
            Exhausted::TooLarge => self.exceed(),
            Exhausted::Full => self.fail(no_room()),
        }
    }

    fn fail(&self, error: Error) -> Error {
        self.failed.get_or_init(|| error).clone()
    }
}

fn too_large(largest: usize) -> Error {
    let message = format!(
        "the response exceeds {largest} bytes of JSON: select fewer fields or request smaller pages"
    );
    Error::new(ErrorCode::OperationTooCostly, message)
}

/// The error of a caller whose unread responses use up its share of memory.
pub fn no_room() -> Error {
    let message = "your unread responses use up your share of this node's memory: read them, then \
        try again";
    Error::new(ErrorCode::RateLimited, message)
}

#[cfg(test)]
mod tests {
    use super::super::{Account, Pool};
    use super::*;

    const ACCOUNT: Account<Uuid> = Account { owner: Uuid::nil(), member: Uuid::nil() };

    fn weight(json: usize, memory: usize) -> Weight {
        Weight { json, memory }
    }

    fn meter(total: usize, largest: usize) -> (Arc<Pool<Uuid>>, ResponseMeter) {
        let pool = Pool::new("responses", total);
        let permit = pool.try_take(ACCOUNT, STEP).unwrap();
        let builders = Arc::new(Semaphore::new(1));
        (pool, ResponseMeter::new(largest, permit, builders, Duration::from_secs(5)))
    }

    #[test]
    fn response_above_largest_size_fails_and_keeps_failing() {
        let (pool, meter) = meter(100 * STEP, 1000);
        meter.charge(weight(1000, 10)).unwrap();
        for _ in 0..2 {
            assert_eq!(
                meter.charge(weight(1, 1)).unwrap_err().code(),
                ErrorCode::OperationTooCostly
            );
        }
        assert!(meter.failure().is_some());
        assert_eq!(pool.figures().in_use, STEP);
    }

    #[test]
    fn memory_is_reserved_before_it_grows_further() {
        let (pool, meter) = meter(100 * STEP, usize::MAX);
        meter.charge(weight(0, 3 * STEP)).unwrap();
        assert_eq!(pool.figures().in_use, 3 * STEP);
        let error = meter.charge(weight(0, 90 * STEP)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::OperationTooCostly);
        drop(meter.into_permit());
        assert_eq!(pool.figures().in_use, 0);
    }

    #[test]
    fn total_counts_parts_that_were_charged_only_once() {
        let (pool, meter) = meter(100 * STEP, 1000);
        meter.charge(weight(600, 2 * STEP)).unwrap();
        meter.charge_total(weight(1000, 3 * STEP)).unwrap();
        assert_eq!((meter.size(), pool.figures().in_use), (1000, 3 * STEP));
        meter.charge_total(weight(1001, 3 * STEP)).unwrap_err();
    }

    #[test]
    fn extra_memory_is_counted_on_top_of_the_total_of_the_values() {
        let (pool, meter) = meter(100 * STEP, 1000);
        meter.charge_extra(2 * STEP).unwrap();
        meter.charge(weight(600, STEP)).unwrap();
        meter.charge_total(weight(1000, 3 * STEP)).unwrap();
        assert_eq!((meter.size(), pool.figures().in_use), (1000, 5 * STEP));
    }

    #[test]
    fn total_of_a_failed_response_is_the_error_whatever_is_charged_after_it() {
        let (_pool, meter) = meter(100 * STEP, 1000);
        meter.charge(weight(1001, 10)).unwrap_err();
        meter.charge_extra(2 * STEP).unwrap_err();
        let error = meter.charge_total(weight(5, 10)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::OperationTooCostly);
    }

    #[test]
    fn caller_may_retry_when_its_other_responses_hold_its_share() {
        let (pool, meter) = meter(100 * STEP, usize::MAX);
        let _unread = pool.try_take(ACCOUNT, 60 * STEP).unwrap();
        let error = meter.charge(weight(0, 20 * STEP)).unwrap_err();
        assert!(error.code() == ErrorCode::RateLimited && error.code().retryable());
    }

    #[tokio::test(start_paused = true)]
    async fn first_part_waits_until_the_callers_other_responses_are_read() {
        let (pool, meter) = meter(100 * STEP, usize::MAX);
        let unread = pool.try_take(ACCOUNT, 60 * STEP).unwrap();
        let read = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            drop(unread);
        };
        let (reserved, ()) = tokio::join!(meter.reserve_part(20 * STEP), read);
        reserved.unwrap();
        meter.charge(weight(0, 20 * STEP)).unwrap();
        assert_eq!(pool.figures().in_use, 21 * STEP);
        drop(meter.into_permit());
        assert_eq!(pool.figures().in_use, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn first_part_is_refused_after_the_patience_and_a_second_one_does_not_wait() {
        let (pool, meter) = meter(100 * STEP, usize::MAX);
        let unread = pool.try_take(ACCOUNT, 60 * STEP).unwrap();
        let started = Instant::now();
        let error = meter.reserve_part(20 * STEP).await.unwrap_err();
        assert_eq!((error.code(), started.elapsed().as_secs()), (ErrorCode::RateLimited, 5));
        assert_eq!(meter.reserve_part(STEP).await.unwrap_err().code(), ErrorCode::RateLimited);
        drop((unread, meter));
        assert_eq!(pool.figures().in_use, 0);
        let permit = pool.try_take(ACCOUNT, STEP).unwrap();
        let builders = Arc::new(Semaphore::new(1));
        let other = ResponseMeter::new(usize::MAX, permit, builders, Duration::from_secs(5));
        let _unread = pool.try_take(ACCOUNT, 40 * STEP).unwrap();
        let (one, another) =
            tokio::join!(other.reserve_part(20 * STEP), other.reserve_part(20 * STEP));
        assert!(one.is_ok() && another.is_ok());
        assert_eq!((pool.figures().in_use, started.elapsed().as_secs()), (61 * STEP, 5));
    }
}
