//! What is tried again, how often and when.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::exchange::Reply;
use super::failure::Failure;
use crate::entropy::Entropy;

const BASE: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(2);
/// Hundredths of a repetition: what a route may spend at first, what each call adds, and the most
/// that is saved up.
const AT_FIRST: u32 = 1000;
const A_CALL: u32 = 10;
const AT_MOST: u32 = 2000;

/// What a route may spend on repetitions: ten, and one more for every ten calls, so that a far side
/// in trouble is not given several times its work.
pub(super) struct RetryBudget(Mutex<u32>);

impl RetryBudget {
    pub(super) fn new() -> Self {
        Self(Mutex::new(AT_FIRST))
    }

    /// A call was made.
    pub(super) fn earn(&self) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + A_CALL).min(AT_MOST);
    }

    /// Whether one more repetition may be made.
    pub(super) fn spend(&self) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = left.checked_sub(100);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }
}

/// Whether what came of a read may pass.
pub(super) fn may_pass(outcome: &Result<Reply, Failure>) -> bool {
    match outcome {
        Ok(reply) => matches!(reply.answer.status, 429 | 502..=504),
        Err(Failure::Unreachable(_) | Failure::ConnectionLost(_) | Failure::Timeout { .. }) => true,
        Err(_) => false,
    }
}

/// How long to wait before the repetition after so many tries: longer each time, and somewhere in
/// the upper half of it by chance, so that those who failed together do not come back together; at
/// least as long as the far side says.
pub(super) fn pause(
    tries: u32,
    outcome: &Result<Reply, Failure>,
    entropy: &dyn Entropy,
) -> Duration {
    let most = BASE.saturating_mul(2_u32.saturating_pow(tries)).min(CAP);
    let mut chance = [0; 1];
    entropy.fill(&mut chance);
    let pause = most / 2 + most / 2 * u32::from(chance[0]) / 255;
    let said = outcome.as_ref().ok().and_then(|reply| reply.retry_after);
    pause.max(said.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Chance(u8);

    impl Entropy for Chance {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn pauses_grow_and_end_growing() {
        let of = |tries, chance| pause(tries, &Err(Failure::Deadline), &Chance(chance)).as_millis();
        assert_eq!([of(0, 0), of(0, 255), of(1, 0), of(1, 255)], [50, 100, 100, 200]);
        assert_eq!(of(30, 255), 2000);
    }

    #[test]
    fn a_line_repeats_ten_calls_and_a_tenth_of_what_it_makes() {
        let budget = RetryBudget::new();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
        (0..20).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 2);
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 20);
    }
}
