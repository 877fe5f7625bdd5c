//! Hashes passwords: on threads that may block, a few at once, since each takes 64 MiB.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::{Error, ErrorCode, Result};

/// How long a sign-in waits for others that are hashed before it.
pub const WAIT_MAX: Duration = Duration::from_secs(5);

pub struct Hashing(Arc<Semaphore>);

impl Hashing {
    pub fn new(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once)))
    }

    /// Runs work that hashes.
    ///
    /// # Errors
    /// `RATE_LIMITED` if others do not make room within [`WAIT_MAX`]; those of the work.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = timeout(WAIT_MAX, self.0.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| {
            Error::new(ErrorCode::RateLimited, "too many people sign in at once; try again later")
        })?;
        let permit = permit.map_err(Error::internal)?;
        // The permit goes with the work: a caller who leaves does not end the thread.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.map_err(Error::internal)?
    }
}
