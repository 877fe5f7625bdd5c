//! Permits: units of a pool that one account holds.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::{Exhausted, Pool, Waiting};
use crate::budget::shares::Account;

/// The most callers that may wait for one pool. Further ones are refused at once.
const WAITING: usize = 1000;

/// Units of a pool, given back when this is dropped.
pub struct Permit<K: Copy + Eq + Hash> {
    pool: Arc<Pool<K>>,
    account: Account<K>,
    units: usize,
}

/// Returns units that were granted to a caller that no longer waits for them.
struct Claim<'a, K: Copy + Eq + Hash> {
    pool: &'a Pool<K>,
    account: Account<K>,
    units: usize,
    granted: oneshot::Receiver<()>,
}

impl<K: Copy + Eq + Hash> Drop for Claim<'_, K> {
    fn drop(&mut self) {
        self.granted.close();
        if self.granted.try_recv().is_ok() {
            self.pool.release(self.account, self.units);
        }
    }
}

impl<K: Copy + Eq + Hash> Permit<K> {
    /// Units that the pool has counted already.
    pub(super) fn new(pool: Arc<Pool<K>>, account: Account<K>, units: usize) -> Self {
        Self { pool, account, units }
    }

    /// How many units it holds.
    pub fn units(&self) -> usize {
        self.units
    }

    /// The most units that its account ever gets.
    pub fn largest(&self) -> usize {
        self.pool.state().shares.largest()
    }

    /// Adds units that are free now. On an error the permit keeps its units.
    ///
    /// # Errors
    /// [`Exhausted`] if the account may not have them now.
    pub fn try_grow(&mut self, units: usize) -> Result<(), Exhausted> {
        let mut state = self.pool.state();
        if !state.shares.admit(&self.account, units) {
            state.refused += 1;
            let too_large = self.units + units > state.shares.largest();
            return Err(if too_large { Exhausted::TooLarge } else { Exhausted::Full });
        }
        state.add(self.account, units);
        self.units += units;
        Ok(())
    }

    /// Adds units, waiting for them until the deadline. On an error the permit keeps its units.
    ///
    /// # Errors
    /// [`Exhausted`] if the account may not have them by then.
    pub async fn grow(&mut self, units: usize, until: Instant) -> Result<(), Exhausted> {
        let granted = {
            let mut state = self.pool.state();
            if state.shares.admit(&self.account, units) {
                state.add(self.account, units);
                self.units += units;
                return Ok(());
            }
            if self.units + units > state.shares.largest() {
                state.refused += 1;
                return Err(Exhausted::TooLarge);
            }
            if state.waiting.len() >= WAITING {
                state.waiting.retain(|waiting| !waiting.granted.is_closed());
            }
            if state.waiting.len() >= WAITING {
                state.refused += 1;
                return Err(Exhausted::Full);
            }
            let (granted, wait) = oneshot::channel();
            state.waiting.push_back(Waiting { account: self.account, units, granted });
            wait
        };
        let mut claim = Claim { pool: &self.pool, account: self.account, units, granted };
        match timeout_at(until, &mut claim.granted).await {
            Ok(Ok(())) => {
                self.units += units;
                Ok(())
            }
            _ => {
                drop(claim);
                self.pool.state().refused += 1;
                Err(Exhausted::Full)
            }
        }
    }

    /// An empty permit for the same account.
    #[must_use]
    pub fn none(&self) -> Self {
        self.pool.none(self.account)
    }

    /// Adds the units of another permit for the same account of the same pool.
    pub fn absorb(&mut self, mut other: Self) {
        self.units += std::mem::take(&mut other.units);
    }

    /// Gives back all but `units` units.
    pub fn shrink_to(&mut self, units: usize) {
        let surplus = self.units.saturating_sub(units);
        self.units -= surplus;
        self.pool.release(self.account, surplus);
    }
}

impl<K: Copy + Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        self.pool.release(self.account, self.units);
    }
}

impl<K: Copy + Eq + Hash> fmt::Debug for Permit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.units, self.pool.name)
    }
}
