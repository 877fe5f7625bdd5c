//! Clock, randomness and the database's clock: inputs of a process besides its settings.

use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::entropy::{Entropy, SystemEntropy};

/// Clock and randomness, as parameters so that tests can control them.
#[derive(Clone)]
pub struct Environment {
    /// The node's clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Replaces the database's clock in tests.
    pub database_clock: Option<Arc<dyn Clock>>,
}

impl Default for Environment {
    /// The clock and the randomness of the machine.
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            database_clock: None,
        }
    }
}
