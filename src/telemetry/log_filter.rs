//! The log filter of a running process.

use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::{EnvFilter, reload};

use crate::error::{Error, Result};

type Replace = dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync;

/// Changes the log filter.
#[derive(Clone)]
pub struct LogFilter(Arc<Replace>);

impl LogFilter {
    pub(super) fn new<S: Subscriber + 'static>(handle: reload::Handle<EnvFilter, S>) -> Self {
        Self(Arc::new(move |filter| handle.reload(filter)))
    }

    /// Puts another filter into force.
    ///
    /// # Errors
    /// If it is not valid, or the process logs elsewhere.
    pub fn replace(&self, filter: &str) -> Result<()> {
        let filter = EnvFilter::try_new(filter).map_err(Error::internal)?;
        (self.0)(filter).map_err(Error::internal)
    }
}
