//! Retries of reads: which failures are retried, how often and after which delay.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::attempt::{OutgoingCall, Sender};
use super::call::Answer;
use super::failure::Failure;
use super::transport::Reply;
use crate::entropy::Entropy;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(2);

impl Sender {
    /// Sends a read, and retries it after a transient failure.
    pub(super) async fn read(&self, outgoing: &OutgoingCall) -> Result<Answer, Failure> {
        outgoing.state.retries.earn();
        for attempt in 0.. {
            let outcome = self.attempt(outgoing).await;
            if attempt >= self.settings.retries
                || !is_transient(&outcome)
                || !self.wait(attempt, &outcome, outgoing).await
            {
                return outcome.map(|reply| reply.answer);
            }
        }
        Err(Failure::Deadline)
    }

    /// Waits before a retry. Returns `false` at once if the operation has no time or the route no
    /// retries left.
    async fn wait(
        &self,
        attempt: u32,
        outcome: &Result<Reply, Failure>,
        outgoing: &OutgoingCall,
    ) -> bool {
        let delay = delay(attempt, outcome, &*self.entropy);
        // `Retry-After` may be too large for an `Instant`.
        let at = Instant::now().checked_add(delay).filter(|at| *at < outgoing.deadline());
        let Some(at) = at.filter(|_| outgoing.state.retries.spend()) else { return false };
        tracing::debug!(
            request_id = outgoing.operation.request_id(),
            retry = attempt + 1,
            delay_millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            "upstream call is retried"
        );
        sleep_until(at).await;
        true
    }
}

/// Whether a retry may succeed.
fn is_transient(outcome: &Result<Reply, Failure>) -> bool {
    match outcome {
        Ok(reply) => matches!(reply.answer.status, 429 | 502..=504),
        Err(Failure::Unreachable(_) | Failure::ConnectionLost(_) | Failure::Timeout { .. }) => true,
        Err(_) => false,
    }
}

/// The delay before the retry that follows this attempt: exponential backoff, jittered in its upper
/// half so that calls that failed together are not retried together, and at least `Retry-After`.
fn delay(attempt: u32, outcome: &Result<Reply, Failure>, entropy: &dyn Entropy) -> Duration {
    let max = FIRST_DELAY.saturating_mul(2_u32.saturating_pow(attempt)).min(MAX_DELAY);
    let mut jitter = [0; 1];
    entropy.fill(&mut jitter);
    let delay = max / 2 + max / 2 * u32::from(jitter[0]) / 255;
    let retry_after = outcome.as_ref().ok().and_then(|reply| reply.retry_after);
    delay.max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn delay_grows_up_to_its_maximum() {
        let of =
            |attempt, jitter| delay(attempt, &Err(Failure::Deadline), &Fixed(jitter)).as_millis();
        assert_eq!([of(0, 0), of(0, 255), of(1, 0), of(1, 255)], [50, 100, 100, 200]);
        assert_eq!(of(30, 255), 2000);
    }
}
