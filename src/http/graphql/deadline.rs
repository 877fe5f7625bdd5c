//! How long operations may run.

use std::time::Duration;

use tokio::time::Instant;

use crate::http::state::AppState;

/// Far beyond the life of any token, with which a stream ends at the latest.
const SUBSCRIPTION: Duration = Duration::from_hours(24 * 365);

/// The deadline of a query or mutation that starts now.
pub fn deadline(state: &AppState) -> Instant {
    Instant::now() + state.graphql.current().limits.execution
}

/// The deadline of a subscription that starts now: in effect none.
pub fn subscription_deadline() -> Instant {
    Instant::now() + SUBSCRIPTION
}
