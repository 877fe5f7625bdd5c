//! A pool of permits, shared out by account.

mod permit;

use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::shares::{Account, Shares};

pub use permit::Permit;

/// A fixed number of units, shared out by account.
pub struct Pool<K> {
    name: &'static str,
    state: Mutex<State<K>>,
}

struct State<K> {
    shares: Shares<K>,
    waiting: VecDeque<Waiting<K>>,
    highest: usize,
    refused: u64,
}

struct Waiting<K> {
    account: Account<K>,
    units: usize,
    granted: oneshot::Sender<()>,
}

/// Why no permit was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The account's share, or the whole pool, is in use. A later attempt may succeed.
    Full,
    /// One account never gets that many units.
    TooLarge,
}

/// The use of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The name of the pool.
    pub name: &'static str,
    /// How many units there are.
    pub limit: usize,
    /// How many are in use.
    pub in_use: usize,
    /// The most that were in use at once.
    pub highest: usize,
    /// How many callers wait.
    pub waiting: usize,
    /// How many were refused since the process began.
    pub refused: u64,
}

impl<K: Copy + Eq + Hash> Pool<K> {
    /// A pool of `total` units.
    pub fn new(name: &'static str, total: usize) -> Arc<Self> {
        Self::with_cap(name, total, usize::MAX)
    }

    /// A pool of `total` units, of which one owner never holds more than `cap`.
    pub fn with_cap(name: &'static str, total: usize, cap: usize) -> Arc<Self> {
        let shares = Shares::new(total, cap);
        Arc::new(Self {
            name,
            state: Mutex::new(State { shares, waiting: VecDeque::new(), highest: 0, refused: 0 }),
        })
    }

    /// Takes units that are free now.
    ///
    /// # Errors
    /// [`Exhausted`] if the account may not have them now.
    pub fn try_take(
        self: &Arc<Self>,
        account: Account<K>,
        units: usize,
    ) -> Result<Permit<K>, Exhausted> {
        self.state().take(account, units)?;
        Ok(self.permit(account, units))
    }

    /// Takes free units regardless of the account's share: for proxies, which carry many callers.
    ///
    /// # Errors
    /// [`Exhausted`] if the pool has none left.
    pub fn try_take_unshared(
        self: &Arc<Self>,
        account: Account<K>,
        units: usize,
    ) -> Result<Permit<K>, Exhausted> {
        let mut state = self.state();
        if state.shares.in_use() + units > state.shares.total() {
            state.refused += 1;
            return Err(Exhausted::Full);
        }
        state.add(account, units);
        Ok(self.permit(account, units))
    }

    /// Takes units, and waits for them until the deadline.
    ///
    /// # Errors
    /// [`Exhausted`] if the account may not have them by then.
    pub async fn take(
        self: &Arc<Self>,
        account: Account<K>,
        units: usize,
        until: Instant,
    ) -> Result<Permit<K>, Exhausted> {
        let mut permit = self.none(account);
        permit.grow(units, until).await?;
        Ok(permit)
    }

    /// An empty permit, to which units are added later.
    pub fn none(self: &Arc<Self>, account: Account<K>) -> Permit<K> {
        self.permit(account, 0)
    }

    /// The figures of the pool at this moment.
    pub fn figures(&self) -> Figures {
        let state = self.state();
        Figures {
            name: self.name,
            limit: state.shares.total(),
            in_use: state.shares.in_use(),
            highest: state.highest,
            waiting: state.waiting.iter().filter(|waiting| !waiting.granted.is_closed()).count(),
            refused: state.refused,
        }
    }

    fn permit(self: &Arc<Self>, account: Account<K>, units: usize) -> Permit<K> {
        Permit::new(self.clone(), account, units)
    }

    fn release(&self, account: Account<K>, units: usize) {
        if units > 0 {
            let mut state = self.state();
            state.shares.remove(account, units);
            state.grant();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        // The state is consistent between any two statements: a poisoned lock is safe to use.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> State<K> {
    fn take(&mut self, account: Account<K>, units: usize) -> Result<(), Exhausted> {
        if self.shares.admit(&account, units) {
            self.add(account, units);
            return Ok(());
        }
        self.refused += 1;
        Err(if units > self.shares.largest() { Exhausted::TooLarge } else { Exhausted::Full })
    }

    fn add(&mut self, account: Account<K>, units: usize) {
        self.shares.add(account, units);
        self.highest = self.highest.max(self.shares.in_use());
    }

    /// Grants waiting requests in order. A request of an account over its share does not block those
    /// behind it.
    fn grant(&mut self) {
        let mut at = 0;
        while let Some(next) = self.waiting.get(at) {
            if next.granted.is_closed() {
                self.waiting.remove(at);
            } else if self.shares.admit(&next.account, next.units) {
                let Some(next) = self.waiting.remove(at) else { return };
                if next.granted.send(()).is_ok() {
                    self.add(next.account, next.units);
                }
            } else {
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
