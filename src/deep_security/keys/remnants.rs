//! Keys that a failed mint may have left at the manager.

use std::future::Future;

use crate::error::Result;

/// Whether a failed mint may have left a key at the manager.
#[derive(Default)]
pub(super) struct Remnants {
    /// Whether a key was requested and may have been created.
    pub requested: bool,
    /// Whether that key may still exist.
    pub remains: bool,
}

impl Remnants {
    /// Notes whether the manager may have the key.
    pub fn set(&mut self, may_exist: bool) {
        self.requested = may_exist;
        self.remains = may_exist;
    }

    /// Awaits a request for a key. From its start until it has certainly failed, the key may exist.
    pub async fn track<T>(&mut self, request: impl Future<Output = Result<T>>) -> Result<T> {
        self.set(true);
        let result = request.await;
        if let Err(error) = &result {
            self.set(error.is_outcome_unknown());
        }
        result
    }
}
